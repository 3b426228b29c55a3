"""Middlewares: exactly one observation per request, whatever way the response ends.

An observation has `method`, `route` (the template, such as `/orders/{id}`, never the path that was asked for),
`status`, `latency_ms` until the last byte was handed over, and `user` (hashed) where that is wanted. `status` is 499
where the client went away before the response was complete, and 500 where the application raised.
"""

from .asgi import EddylineMiddleware
from .wsgi import EddylineWsgiMiddleware

__all__ = ["EddylineMiddleware", "EddylineWsgiMiddleware"]
