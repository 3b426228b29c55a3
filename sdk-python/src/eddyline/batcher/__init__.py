"""Observations sent in the background, so that threads of the application never wait for a server."""

from .batcher import Batcher
from .stats import BatcherStats

__all__ = ["Batcher", "BatcherStats"]
