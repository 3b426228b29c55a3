"""`EDDY.FINGERPRINT`: the numbers of a closed window."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..errors import InvalidValueError
from ..keys import stem
from ..operation import Answer, Call, Operation, Word, monitor_path, single
from ..replies import mapping, number, text


@dataclass(frozen=True)
class Fingerprint:
    """A closed window."""

    id: str
    """`<window end ms>-0`."""
    n: int
    """Observations in it."""
    gap_ms: int
    """Milliseconds before it in which nobody counted; 0: none."""
    partial: bool
    """Whether only a part of it was counted."""
    values: Mapping[str, float | None]
    """Every number by name, None where it is missing; buckets where they aren't 0 (HTTP: no buckets)."""
    top: Mapping[str, list[tuple[str, int]]]
    """Heaviest items by dimension (HTTP: none)."""

    @property
    def end_ms(self) -> int:
        """End of the window, ms since the epoch."""
        return int(self.id.partition("-")[0])


_OWN: Final = ("id", "n", "gap", "partial", "top")


def fingerprint(monitor: str, identity: str | None) -> Operation[Fingerprint | None]:
    """Tell the last fingerprint, or the one under an id."""
    stem(monitor)
    words: tuple[Word, ...] = ("EDDY.FINGERPRINT", monitor)
    query: tuple[tuple[str, str], ...] = (("limit", "1"),)
    if identity is not None:
        milliseconds = identity.partition("-")[0]
        if not (milliseconds.isascii() and milliseconds.isdigit()):
            raise InvalidValueError(f"the id of a fingerprint is <window end ms>-0, got {identity!r}")
        words += ("ID", identity)
        around = int(milliseconds)
        query = (("after", f"{max(around - 1, 0)}-0"), ("before", f"{around + 1}-0"), *query)

    call = Call("GET", monitor_path(monitor, "/fingerprints"), lambda answer: _told(answer, identity), query)
    return single("fingerprint", words, _read, call)


def _read(reply: Any) -> Fingerprint | None:
    if reply is None:
        return None
    told = mapping(reply)
    heavy = json.loads(told["top"])
    return Fingerprint(
        id=text(told["id"]),
        n=int(told["n"]),
        gap_ms=int(told["gap"]),
        partial=bool(int(told["partial"])),
        values={name: None if value is None else number(value) for name, value in told.items() if name not in _OWN},
        top={block: [(item[0], item[1]) for item in items] for block, items in heavy.items()},
    )


def _told(answer: Answer, identity: str | None) -> Fingerprint | None:
    found = [one for one in answer.json["fingerprints"] if identity in (None, one["id"])]
    if not found:
        return None
    told = found[-1]
    return Fingerprint(
        id=str(told["id"]),
        n=int(told["n"]),
        gap_ms=int(told.get("gap_ms") or 0),
        partial=bool(told.get("partial")),
        values={name: None if value is None else float(value) for name, value in told["values"].items()},
        top={},
    )
