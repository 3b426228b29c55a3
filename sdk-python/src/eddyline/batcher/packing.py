"""Observations as the bytes of `EDDY.MOBSERVE`. Columns are packed one by one, since their values are much alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, Final, TypeAlias

from ..commands.observe_many import MAX_COLUMNS
from ..errors import InvalidValueError
from ..values import text

Fields: TypeAlias = Mapping[str, Any]

_REMEMBERED: Final = 4096


def word(value: str | bytes) -> bytes:
    """One word of a command."""
    data = value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")
    return b"$%d\r\n%b\r\n" % (len(data), data)


class _Words(dict[Any, bytes]):
    """Words that were packed before, of values of one type."""

    def __missing__(self, value: Any) -> bytes:
        packed = word(text(value))
        if len(self) < _REMEMBERED:
            self[value] = packed
        return packed


class Packer:
    """Packs commands for one thread."""

    def __init__(self) -> None:
        # apart, since 1, 1.0 and True are one key of a dict
        self._remembered: Final[dict[type, Callable[[Any], bytes]]] = {
            str: _Words().__getitem__,
            int: _Words().__getitem__,
        }

    def mobserve(self, monitor: str, columns: Sequence[str], rows: Sequence[Fields]) -> bytes:
        """The command for rows that all have these columns, in this order."""
        if not 1 <= len(columns) <= MAX_COLUMNS:
            raise InvalidValueError(f"an observation has 1 to {MAX_COLUMNS} fields, got {len(columns)}")
        packed = [self._column(column) for column in zip(*(row.values() for row in rows), strict=True)]
        count = 3 + len(columns) * (1 + len(rows))
        head = b"*%d\r\n$13\r\nEDDY.MOBSERVE\r\n%b%b" % (count, word(monitor), word(str(len(columns))))
        return b"".join(chain((head,), map(word, columns), chain.from_iterable(zip(*packed, strict=True))))

    def _column(self, values: Sequence[Any]) -> Iterable[bytes]:
        kinds = set(map(type, values))
        kind = kinds.pop()
        if kinds:
            return [word(text(value)) for value in values]
        if kind in self._remembered:
            return map(self._remembered[kind], values)
        if kind is float:
            return [b"$%d\r\n%b\r\n" % (len(digits), digits) for digits in (repr(v).encode() for v in values)]
        return [word(text(value)) for value in values]
