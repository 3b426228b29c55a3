"""How a batch gets to the server: each way says what became of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ..commands.observe_many import MAX_COLUMNS
from ..errors import EddylineError, InvalidValueError
from ..keys import stem
from ..operation import Operation
from ..values import present
from .packing import Fields


@dataclass
class Batch:
    """Observations of one monitor with one list of fields."""

    monitor: str
    columns: tuple[str, ...]
    rows: list[Fields]


@dataclass(frozen=True)
class Outcome:
    """What became of a batch."""

    sent: int = 0
    retry: Batch | None = None
    """What the server counted nothing of and will take later."""
    wait: float = 0.0
    """Seconds until then."""
    error: EddylineError | None = None
    """Why the rest of the batch was refused."""
    reason: str = ""
    """And how that is counted."""
    dropped: int = 0


class Delivery(Protocol):
    """A way to the server. None of its methods raises anything but for a fault of ours."""

    def deliver(self, batches: list[Batch]) -> list[Outcome]:
        """Send batches; an outcome for each."""
        ...

    def after_fork(self) -> None:
        """In a child: connections are the parent's."""
        ...

    def close(self) -> None:
        """No more is sent."""
        ...


Creation = Callable[[str], Operation[bool]]
"""How a monitor that doesn't exist is made."""


def sendable(batch: Batch) -> tuple[list[Fields], InvalidValueError | None]:
    """The rows of a batch that can be sent, and why the others can't."""
    if len(batch.columns) > MAX_COLUMNS:
        return [], InvalidValueError(f"at most {MAX_COLUMNS} fields, got {len(batch.columns)}")
    try:
        stem(batch.monitor)
    except InvalidValueError as error:
        return [], error
    rows: list[Fields] = []
    why = None
    for row in batch.rows:
        try:
            rows.append(present(row))
        except (InvalidValueError, UnicodeError) as error:
            why = InvalidValueError(str(error))
    return rows, why
