"""Alerts as they come: each once, in order per monitor, whatever happens to connections.

Streams are the truth. Pub/Sub only says "look now": what a message names is read from the monitor's stream of
incidents, from the last entry on that was read. After a disconnect every stream is looked at, once the
subscription stands.
"""
