"""`EDDY.OBSERVE`: one observation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..errors import of_answer
from ..keys import stem
from ..operation import Answer, Call, Operation, Word, single
from ..values import json_value, present


def observe(monitor: str, fields: Mapping[str, Any]) -> Operation[None]:
    """Count one observation in the open window."""
    stem(monitor)
    told = present(fields)
    words: tuple[Word, ...] = ("EDDY.OBSERVE", monitor, *(word for pair in told.items() for word in pair))
    body = json.dumps({name: json_value(value) for name, value in told.items()}).encode()
    call = Call("POST", "/v1/events", _accepted, (("monitor", monitor),), body)
    return single("observe", words, lambda _: None, call)


def _accepted(answer: Answer) -> None:
    rejected(answer)


def rejected(answer: Answer) -> None:
    """Raise for the first item that the gateway didn't take."""
    errors = answer.json.get("errors") or []
    if answer.json.get("rejected") and errors:
        raise of_answer(422, str(errors[0].get("code")), str(errors[0].get("message")), None)
