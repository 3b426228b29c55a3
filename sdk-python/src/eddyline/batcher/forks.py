"""What a child process must not inherit."""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Forkable(Protocol):
    """Something with a thread or a connection of its own."""

    def after_fork(self) -> None:
        """Begin anew in a child."""
        ...


_alive: weakref.WeakSet[Forkable] = weakref.WeakSet()


def renew_after_fork(one: Forkable) -> None:
    """Have it begin anew in every child, as long as it lives."""
    _alive.add(one)


def _after_fork() -> None:
    for one in list(_alive):
        one.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
