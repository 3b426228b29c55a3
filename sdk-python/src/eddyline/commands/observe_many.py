"""`EDDY.MOBSERVE`: many observations, a command for those that share their list of fields."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ..keys import stem
from ..operation import Answer, Call, Command, Conversation, Operation
from ..values import json_value, present
from .observe import observe, rejected

MAX_ROWS: Final = 1000
"""Most observations of one command."""
MAX_COLUMNS: Final = 64
"""Most fields of one; an observation of more is sent by itself."""


def observe_many(monitor: str, observations: Iterable[Mapping[str, Any]]) -> Operation[int]:
    """Count observations in the open window; how many there were."""
    stem(monitor)
    rows = [present(fields) for fields in observations]

    def converse() -> Conversation[int]:
        groups: dict[tuple[str, ...], list[dict[str, str | bytes]]] = {}
        for row in rows:
            groups.setdefault(tuple(row), []).append(row)
        for columns, group in groups.items():
            if len(columns) > MAX_COLUMNS:
                for row in group:
                    yield from observe(monitor, row).converse()
                continue
            for at in range(0, len(group), MAX_ROWS):
                values = (value for row in group[at : at + MAX_ROWS] for value in row.values())
                yield Command(("EDDY.MOBSERVE", monitor, len(columns), *columns, *values))
        return len(rows)

    def read(answer: Answer) -> int:
        rejected(answer)
        return int(answer.json["accepted"])

    told = [{name: json_value(value) for name, value in row.items()} for row in rows]
    call = Call("POST", "/v1/events", read, (("monitor", monitor),), json.dumps(told).encode())
    return Operation(converse, call, "observe_many")
