"""Feedback on an incident: what the like of it opens from now on (`docs/controls.md`)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Final, Literal
from urllib.parse import quote

from ..alert import Alert
from ..errors import BusyError, InvalidValueError, RefusedError, UnknownIncidentError
from ..feedback_record import Record, Said, said_of
from ..keys import AUDIT, incidents, settings
from ..operation import Answer, Call, Command, Conversation, FindIncidents, Operation
from ..replies import entries, text

Verdict = Literal["normal", "anomaly", "snooze", "undo"]

_FIELD: Final = "feedback"
_AUDITED: Final = 10_000
_TRIES: Final = 20
_PAGE: Final = 250
# As worker/src/feedback/give.lua: what stands in the settings, and the line that says who changed it; both, or neither.
_SCRIPT: Final = """\
if (redis.call('HGET', KEYS[1], ARGV[3]) or '') ~= ARGV[1] then
  return redis.status_reply('CHANGED')
end
if KEYS[2] then
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[4], '*', unpack(ARGV, 5))
end
if ARGV[2] == '' then
  redis.call('HDEL', KEYS[1], ARGV[3])
else
  redis.call('HSET', KEYS[1], ARGV[3], ARGV[2])
end
return redis.status_reply('OK')
"""


@dataclass(frozen=True)
class Feedback:
    """Feedback that was given or taken back."""

    incident: str
    word: Verdict
    monitor: str | None
    """Of the incident; None over HTTP."""


def feedback(
    incident: str, word: Verdict, for_seconds: float | None, by: str, monitor: str | None
) -> Operation[Feedback]:
    """Say that an incident is normal or an anomaly, not for a while, or take back what was said."""
    if not re.fullmatch(r"[\x21-\x7e]{1,64}", incident):
        raise InvalidValueError(f"incident is the id that stands in every alert, got {incident!r}")
    if word not in ("normal", "anomaly", "snooze", "undo"):
        raise InvalidValueError(f"word must be normal, anomaly, snooze or undo, got {word!r}")
    if not 1 <= len(by.encode()) <= 128 or not by.isprintable():
        raise InvalidValueError("by is who says so, in 1 to 128 bytes of text")
    if (word == "snooze") != (for_seconds is not None):
        raise InvalidValueError("for_seconds goes with snooze, and with nothing else")
    if for_seconds is not None and not 1 <= for_seconds <= 366 * 86_400:
        raise InvalidValueError(f"for_seconds must be 1 to {366 * 86_400}, got {for_seconds}")

    def converse() -> Conversation[Feedback]:
        monitors = [monitor] if monitor is not None else (yield FindIncidents())
        for name in monitors:
            if word == "undo":
                given = yield from _take_back(name, incident, by)
            else:
                given = yield from _say(name, incident, word, for_seconds, by)
            if given is not None:
                return Feedback(incident, word, name)
        if word == "undo":
            raise UnknownIncidentError(f"nothing is in force that was said of incident '{incident}'")
        raise UnknownIncidentError(
            f"no monitor of this database has an incident '{incident}': the id stands in every alert"
        )

    body: dict[str, Any] = {"word": word, "by": by}
    if for_seconds is not None:
        body["for"] = f"{round(for_seconds)}s"
    path = f"/v1/incidents/{quote(incident, safe='')}/feedback"
    call = Call("POST", path, lambda answer: _told(answer, word), body=json.dumps(body).encode())
    return Operation(converse, call, "feedback")


def _told(answer: Answer, word: Verdict) -> Feedback:
    return Feedback(str(answer.json["incident"]), word, None)


def _say(monitor: str, incident: str, word: Verdict, for_seconds: float | None, by: str) -> Conversation[Said | None]:
    alert = yield from _last_message(monitor, incident)
    if alert is None:
        return None
    for _ in range(_TRIES):
        seconds, micros = yield Command(("TIME",))
        now_ms = int(seconds) * 1000 + int(micros) // 1000
        what: dict[str, Any] = {"what": word}
        if for_seconds is not None:
            what["until_ms"] = now_ms + round(for_seconds * 1000)
        before, record = yield from _read(monitor)
        said = said_of(alert, what, by, now_ms)
        if not record.add(said, now_ms):
            raise BusyError(f"monitor '{monitor}' has 64 pieces of feedback in force: take some back with 'undo'")
        if (yield from _write(monitor, before, record, said, by, "")):
            return said
    raise BusyError("others gave feedback at the same moment: try again")


def _take_back(monitor: str, incident: str, by: str) -> Conversation[Said | None]:
    for _ in range(_TRIES):
        before, record = yield from _read(monitor)
        said = record.take_back(incident)
        if said is None or (yield from _write(monitor, before, record, said, by, "undo ")):
            return said
    raise BusyError("others gave feedback at the same moment: try again")


def _last_message(monitor: str, incident: str) -> Conversation[Alert | None]:
    end = "+"
    while True:
        reply = yield Command(("XREVRANGE", incidents(monitor), end, "-", "COUNT", _PAGE))
        page = entries(reply)
        for _, fields in page:
            if fields.get(b"incident") == incident.encode():
                return Alert.from_json(fields[b"alert"])
        if len(page) < _PAGE:
            return None
        end = f"({page[-1][0]}"


def _read(monitor: str) -> Conversation[tuple[bytes, Record]]:
    held = yield Command(("HGET", settings(monitor), _FIELD))
    before = b"" if held is None else bytes(held)
    return before, Record.parse(before, settings(monitor))


def _write(monitor: str, before: bytes, record: Record, said: Said, by: str, undo: str) -> Conversation[bool]:
    until = ""
    if said["what"] == "snooze":
        moment = datetime.fromtimestamp(int(said["until_ms"]) / 1000, timezone.utc)
        until = f" until {moment.isoformat(timespec='milliseconds').replace('+00:00', 'Z')}"
    audit = ("monitor", monitor, "incident", said["incident"], "what", f"{undo}{said['what']}{until}", "by", by)
    values = (before, record.to_json(), _FIELD, _AUDITED, *audit)
    try:
        reply = yield Command(("EVAL", _SCRIPT, 2, settings(monitor), AUDIT, *values))
        return text(reply) == "OK"
    except RefusedError as error:
        # a cluster: they are in different slots, and no script reaches into two
        if "slot" not in str(error).lower():
            raise
    reply = yield Command(("EVAL", _SCRIPT, 1, settings(monitor), *values))
    if text(reply) != "OK":
        return False
    yield Command(("XADD", AUDIT, "MAXLEN", "~", _AUDITED, "*", *audit))
    return True
