"""Values of observations as the text that Redis takes."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, TypeAlias

from .errors import InvalidValueError

Value: TypeAlias = "str | bytes | int | float | bool | Decimal | None"
"""What a field of an observation can be. None: the field is absent."""

MAX_FIELDS: Final = 256
"""Most fields of one observation."""


def text(value: Any) -> str | bytes:
    """The value as it is counted: `true` and `false`, numbers in their shortest form, text and bytes as they are."""
    # the base classes' own, since subclasses (enumerations, numpy's floats) print otherwise
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return float.__repr__(value)
    if isinstance(value, bytes):
        return value
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, numbers.Integral):
        return str(int(value))
    if isinstance(value, numbers.Real):
        return float.__repr__(float(value))
    raise InvalidValueError(f"a value is text, bytes, a number, a boolean or None, got {type(value).__name__}")


def present(fields: Mapping[str, Any]) -> dict[str, str | bytes]:
    """The fields that have a value."""
    told = {}
    for name, value in fields.items():
        if value is not None:
            try:
                told[name] = text(value)
            except InvalidValueError as error:
                raise InvalidValueError(f"field {name!r}: {error}") from None
    if not 1 <= len(told) <= MAX_FIELDS:
        raise InvalidValueError(f"an observation has 1 to {MAX_FIELDS} fields with a value, got {len(told)}")
    return told


def json_value(value: str | bytes) -> str:
    """The same for a body in JSON, where bytes that aren't UTF-8 show as `\\xNN`."""
    return value if isinstance(value, str) else value.decode("utf-8", "backslashreplace")
