"""A number of the business: one value a period, a vector monitor (`docs/vectors.md`)."""

from __future__ import annotations

import math
from typing import Final

from ..errors import InvalidValueError
from ..keys import CLOSED, fingerprints, settings
from ..operation import Command, Conversation, Operation

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

    def converse() -> Conversation[None]:
        # what an operator chose for the period stays; a range in the code is the one that counts
        yield Command(("HSETNX", settings(name), "period_ms", period_ms))
        if limits is not None:
            yield Command(("HSET", settings(name), f"expect:{FEATURE}", limits))
        stream = fingerprints(name)
        yield Command(("XADD", stream, "MAXLEN", "~", _RETENTION, "*", FEATURE, number))
        yield Command(("PUBLISH", CLOSED, name))

    return Operation(converse, None, "business_metric")


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
