"""`EDDY.COUNT`: how often items were counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..keys import stem
from ..operation import Answer, Call, Operation, monitor_path, single
from ..replies import number


@dataclass(frozen=True)
class Count:
    """Estimates for an item: never too low, rarely too high."""

    item: str
    open: int
    """Observations in the open window."""
    last: int
    """In the last closed one."""
    usual: float
    """A window in the long run."""


def count(monitor: str, dimension: str, items: tuple[str, ...]) -> Operation[list[Count]]:
    """Estimate how often each of the items was counted."""
    stem(monitor)

    def read(reply: Any) -> list[Count]:
        triples = zip(items, reply, strict=True)
        return [Count(item, int(opened), int(last), number(usual)) for item, (opened, last, usual) in triples]

    def of(answer: Answer) -> list[Count]:
        told = answer.json["items"]
        return [Count(str(c["item"]), int(c["open"]), int(c["last"]), float(c["usual"])) for c in told]

    query = (("dimension", dimension), *(("item", item) for item in items))
    call = Call("GET", monitor_path(monitor, "/count"), of, query)
    return single("count", ("EDDY.COUNT", monitor, dimension, *items), read, call)
