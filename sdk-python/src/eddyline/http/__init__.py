"""HTTP with nothing but the standard library: requests on a kept connection, and server-sent events."""
