"""What was said of incidents: the field `feedback` of a monitor's settings, as `worker/src/feedback/record.rs` has it.

A test holds what the SDK writes equal to what `eddyline feedback` writes.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from .alert import Alert, Cause
from .errors import RefusedError

Said: TypeAlias = dict[str, Any]
"""What somebody said of an incident."""

VERSION: Final = 1
MAX: Final = 64
"""Most pieces of feedback that a monitor has."""
_MAX_SUMMARY: Final = 256
_CAUSES: Final = 5


class Record:
    """All that was said, oldest first."""

    def __init__(self, said: list[Said]) -> None:
        self.said = said

    @classmethod
    def parse(cls, message: bytes, key: str) -> Record:
        """Read the field; empty where nothing was said."""
        if not message:
            return cls([])
        try:
            read = json.loads(message)
            if read["v"] == VERSION and all(isinstance(one["incident"], str) for one in read["said"]):
                return cls(list(read["said"]))
        except (ValueError, KeyError, TypeError):
            pass
        raise RefusedError(
            f"what was said before can't be read and isn't overwritten; 'HDEL {key} feedback' removes it"
        )

    def to_json(self) -> str:
        """The text of the field; empty where nothing is left."""
        if not self.said:
            return ""
        return json.dumps({"v": VERSION, "said": self.said}, ensure_ascii=False, separators=(",", ":"))

    def add(self, said: Said, now_ms: int) -> bool:
        """Add it in place of the same said before, or of what isn't in force any more; whether there was room."""
        same = (said["incident"], said["what"])
        self.said = [one for one in self.said if (one["incident"], one["what"]) != same]
        if len(self.said) >= MAX:
            over = next((one for one in self.said if not _is_in_force(one, now_ms)), None)
            if over is None:
                return False
            self.said.remove(over)
        self.said.append(said)
        return True

    def take_back(self, incident: str) -> Said | None:
        """Take back what was said last of the incident."""
        for at in reversed(range(len(self.said))):
            if self.said[at]["incident"] == incident:
                return self.said.pop(at)
        return None


def said_of(alert: Alert, what: Mapping[str, Any], by: str, at_ms: int) -> Said:
    """What `by` says of the incident that the alert is about."""
    return {
        "incident": alert.incident,
        **what,
        "by": by,
        "at_ms": at_ms,
        "summary": alert.summary[:_MAX_SUMMARY],
        "opened_end_ms": alert.since_ms + alert.window_ms,
        "causes": [_like(cause) for cause in alert.causes[:_CAUSES]],
    }


def _like(cause: Cause) -> dict[str, Any]:
    deviation, relative = size(cause.observed, cause.expected, cause.low, cause.high)
    item = {"item": cause.items[0].item} if cause.items else {}
    return {
        "kind": cause.kind,
        "feature": cause.feature,
        **item,
        "direction": cause.direction,
        "deviation": deviation,
        "relative": relative,
    }


def size(observed: float, expected: float, low: float, high: float) -> tuple[float, float]:
    """How far from what was expected: in the feature's unit, and as a part of that or of its band, if wider."""
    most = sys.float_info.max
    deviation = abs(observed - expected)
    if math.isnan(deviation):
        return 0.0, 0.0
    deviation = min(deviation, most)
    band = high - low
    unit = max(abs(expected), band if math.isfinite(band) else 0.0)
    relative = deviation / unit if unit > 0 else most
    return deviation, min(max(relative, 0.0), most)


def _is_in_force(said: Said, now_ms: int) -> bool:
    return not (said["what"] == "snooze" and now_ms >= int(said["until_ms"]))
