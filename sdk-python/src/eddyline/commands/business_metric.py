"""A number of the business: one value a period, a vector monitor (`docs/vectors.md`)."""

from __future__ import annotations

import json
import math
import uuid
from typing import Any, Final

from ..errors import InvalidValueError
from ..keys import CLOSED, fingerprints, settings
from ..operation import Call, Command, Conversation, Operation, monitor_path

FEATURE: Final = "value"
"""The feature's name in the vector."""
_RETENTION: Final = 20_000


def business_metric(
    name: str, value: float, expected_range: tuple[float | None, float | None] | None, period_ms: int
) -> Operation[None]:
    """Add a value, and say what is chosen for it."""
    number = _finite("value", value)
    if not 100 <= period_ms <= 86_400_000:
        raise InvalidValueError(f"period_ms must be 100 to 86400000, got {period_ms}")
    limits = None if expected_range is None else _limits(expected_range)
    stream = fingerprints(name)

    def converse() -> Conversation[None]:
        # what an operator chose for the period stays; a range in the code is the one that counts
        yield Command(("HSETNX", settings(name), "period_ms", period_ms))
        if limits is not None:
            yield Command(("HSET", settings(name), f"expect:{FEATURE}", limits))
        yield Command(("XADD", stream, "MAXLEN", "~", _RETENTION, "*", FEATURE, number))
        yield Command(("PUBLISH", CLOSED, name))

    vector: dict[str, Any] = {"values": {FEATURE: float(number)}, "period_ms": period_ms}
    if limits is not None:
        vector["expect"] = {FEATURE: limits}
    path = monitor_path(name, "/vectors")
    call = Call("POST", path, lambda _: None, body=json.dumps(vector).encode(), once=uuid.uuid4().hex)
    return Operation(converse, call, "business_metric")


def _limits(expected_range: tuple[float | None, float | None]) -> str:
    low, high = expected_range
    if low is None and high is None:
        raise InvalidValueError("expected_range needs at least one end: (10, None), (None, 500) or (10, 500)")
    if low is not None and high is not None and low > high:
        raise InvalidValueError(f"expected_range must begin with the lower end, got ({low}, {high})")
    ends = ["" if end is None else _finite("expected_range", end) for end in (low, high)]
    return "..".join(ends)


def _finite(argument: str, value: float) -> str:
    number = float(value)
    if not math.isfinite(number):
        raise InvalidValueError(f"{argument} must be a finite number, got {value!r}")
    return float.__repr__(number)
