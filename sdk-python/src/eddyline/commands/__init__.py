"""One command, one file: its words for Redis, its request for HTTP, and how both are read."""
