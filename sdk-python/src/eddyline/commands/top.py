"""`EDDY.TOP`: the heaviest items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..keys import stem
from ..operation import Answer, Call, Operation, monitor_path, single
from ..replies import mapping, text


@dataclass(frozen=True)
class Heavy:
    """A heavy item and its observations in the window."""

    item: str
    count: int


@dataclass(frozen=True)
class Top:
    """The heaviest items, largest first."""

    open: tuple[Heavy, ...]
    """Of the open window."""
    last: tuple[Heavy, ...]
    """Of the last closed one."""


def top(monitor: str, dimension: str, k: int) -> Operation[Top]:
    """Tell the `k` heaviest items."""
    stem(monitor)

    def read(reply: Any) -> Top:
        windows = mapping(reply)
        heavy = {name: tuple(Heavy(text(item), int(n)) for item, n in windows[name]) for name in ("open", "last")}
        return Top(heavy["open"], heavy["last"])

    def of(answer: Answer) -> Top:
        def window(name: str) -> tuple[Heavy, ...]:
            found = [Heavy(str(told["item"]), int(told[name])) for told in answer.json["items"] if told.get(name)]
            return tuple(sorted(found, key=lambda heavy: -heavy.count)[:k])

        return Top(window("open"), window("last"))

    call = Call("GET", monitor_path(monitor, "/top"), of, (("dimension", dimension), ("k", str(k))))
    return single("top", ("EDDY.TOP", monitor, dimension, k), read, call)
