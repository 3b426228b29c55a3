"""From observations one by one to batches that share a monitor and a list of fields."""

from __future__ import annotations

from collections.abc import Iterable

from ..commands.observe_many import MAX_ROWS
from .delivery import Batch
from .packing import Fields


def grouped(observations: Iterable[tuple[str, Fields]]) -> list[Batch]:
    """Batches in the order of their first observation."""
    batches: dict[tuple[str, tuple[str, ...]], list[Fields]] = {}
    for monitor, told in observations:
        fields = told
        if None in fields.values():
            fields = {name: value for name, value in fields.items() if value is not None}
        batches.setdefault((monitor, tuple(fields)), []).append(fields)
    return [
        Batch(monitor, columns, rows[at : at + MAX_ROWS])
        for (monitor, columns), rows in batches.items()
        for at in range(0, len(rows), MAX_ROWS)
    ]
