"""`EDDY.CREATE`: a monitor, what to watch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

from ..errors import EddylineError, InvalidValueError, MonitorExistsError
from ..keys import stem
from ..operation import Answer, Call, Operation, Word, monitor_path, single


def create(
    monitor: str,
    *,
    sources: Sequence[str] = (),
    since: str | None = None,
    clock: Literal["server", "stream"] | None = None,
    window_ms: int | None = None,
    buckets: int | None = None,
    retention: int | None = None,
    memory: int | None = None,
    dimensions: Sequence[str] = (),
    crosses: Sequence[str] = (),
    measures: Sequence[str] = (),
    uniques: Sequence[str] = (),
    hashed: Sequence[str] = (),
    salt: str | None = None,
    exist_ok: bool = True,
) -> Operation[bool]:
    """Make a monitor; whether there was none before."""
    stem(monitor)
    lists = {
        "DIMENSIONS": _names("dimensions", dimensions),
        "CROSSES": _names("crosses", crosses),
        "MEASURES": _names("measures", measures),
        "UNIQUES": _names("uniques", uniques),
        "HASHED": _names("hashed", hashed),
    }
    numbers = {"WINDOW": window_ms, "BUCKETS": buckets, "RETENTION": retention, "MEMORY": memory}
    words: list[Word] = ["EDDY.CREATE", monitor]
    words += _listed("SOURCES", _names("sources", sources))
    words += ["FROM", since] if since is not None else []
    words += ["CLOCK", clock] if clock is not None else []
    for option, number in numbers.items():
        words += [option, number] if number is not None else []
    for option, names in lists.items():
        words += _listed(option, names)
    words += ["SALT", salt] if salt is not None else []
    words += ["NX"] if exist_ok else []

    definition: dict[str, Any] = {
        "sources": list(sources),
        "from": since,
        "clock": clock,
        "window_ms": window_ms,
        "buckets": buckets,
        "retention": retention,
        "memory": memory,
        **{option.lower(): list(names) for option, names in lists.items()},
        "salt": salt,
    }
    told = {name: value for name, value in definition.items() if value not in (None, [])}

    def read(answer: Answer) -> bool:
        made = answer.status == 201
        if not made and not exist_ok:
            raise MonitorExistsError(f"monitor '{monitor}' exists already: exist_ok=True leaves it as it is")
        return made

    def otherwise(error: EddylineError) -> bool:
        # it is there with another definition, as which it is left
        if exist_ok and isinstance(error, MonitorExistsError):
            return False
        raise error

    call = Call("PUT", monitor_path(monitor), read, body=json.dumps(told).encode(), otherwise=otherwise)
    return single("create", tuple(words), lambda reply: reply is not None, call)


def _names(argument: str, names: Sequence[str]) -> Sequence[str]:
    # one name given as text would be taken letter by letter
    if isinstance(names, (str, bytes)):
        raise InvalidValueError(f"{argument} is a list of names, such as [{names!r}]")
    return names


def _listed(option: str, names: Sequence[str]) -> list[Word]:
    return [option, len(names), *names] if names else []
