"""Batches to the gateway: a request each, under a key that keeps a retry from being counted twice."""

from __future__ import annotations

import json
import uuid

from ..errors import BusyError, EddylineError, UnknownMonitorError, UnreachableError, of_answer
from ..http.connection import Gateway
from ..operation import Answer, Call
from ..values import json_value, text
from .delivery import Batch, Creation, Outcome
from .stats import REFUSED


class ToGateway:
    """The gateway."""

    def __init__(self, gateway: Gateway, creation: Creation) -> None:
        self._gateway = gateway
        self._creation = creation
        self._keys: dict[int, str] = {}

    def deliver(self, batches: list[Batch]) -> list[Outcome]:
        """Send them in order; from the first on that has to wait, all wait."""
        outcomes: list[Outcome] = []
        for batch in batches:
            waiting = outcomes[-1] if outcomes else None
            if waiting is not None and waiting.retry is not None and waiting.error is not None:
                outcomes.append(Outcome(retry=batch, wait=waiting.wait, error=waiting.error))
            else:
                outcomes.append(self._one(batch))
        return outcomes

    def after_fork(self) -> None:
        """In a child: the connection is the parent's."""
        self._gateway.after_fork()
        self._keys.clear()

    def close(self) -> None:
        """Close the connection."""
        self._gateway.close()

    def _one(self, batch: Batch) -> Outcome:
        rows = [{name: json_value(text(value)) for name, value in row.items()} for row in batch.rows]
        once = self._keys.setdefault(id(batch), uuid.uuid4().hex)
        body = json.dumps(rows).encode()
        query = (("monitor", batch.monitor),)
        try:
            outcome = self._gateway.ask(Call("POST", "/v1/events", _read, query, body, once=once))
        except (UnreachableError, BusyError) as error:
            wait = error.retry_after if isinstance(error, BusyError) else 0.0
            return Outcome(retry=batch, wait=wait, error=error)
        except UnknownMonitorError as error:
            outcome = Outcome(error=error)
        except EddylineError as error:
            outcome = Outcome(dropped=len(batch.rows), reason=REFUSED, error=error)
        self._keys.pop(id(batch), None)
        if isinstance(outcome.error, UnknownMonitorError) and not outcome.sent:
            return self._made(batch, outcome.error)
        return outcome

    def _made(self, batch: Batch, unknown: EddylineError) -> Outcome:
        try:
            self._gateway.ask(_call_of(self._creation, batch))
        except (UnreachableError, BusyError) as error:
            return Outcome(retry=batch, error=error)
        except EddylineError:
            # a key that only writes makes no monitors: what is told is what was wrong before
            return Outcome(dropped=len(batch.rows), reason=REFUSED, error=unknown)
        return Outcome(retry=batch)


def _call_of(creation: Creation, batch: Batch) -> Call[bool]:
    call = creation(batch.monitor).call
    assert call is not None
    return call


def _read(answer: Answer) -> Outcome:
    sent, rejected = int(answer.json["accepted"]), int(answer.json.get("rejected") or 0)
    errors = answer.json.get("errors") or []
    if not rejected:
        return Outcome(sent=sent)
    told = errors[0] if errors else {}
    error = of_answer(422, str(told.get("code", "")), str(told.get("message", "")), None)
    return Outcome(sent=sent, dropped=rejected, reason=REFUSED, error=error)
