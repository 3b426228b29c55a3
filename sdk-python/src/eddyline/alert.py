"""The message about an incident: `docs/alerts.md` explains every field, the fixture `alert.json` is the sample."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Literal, cast

from .errors import EddylineError

Event = Literal["opened", "updated", "resolved"]
Severity = Literal["warning", "critical"]
Direction = Literal["up", "down"]


class UnreadableAlertError(EddylineError):
    """The JSON isn't an alert of this release."""


@dataclass(frozen=True)
class CauseItem:
    """An item behind a cause."""

    item: str
    count: int
    """Its observations in the window."""


@dataclass(frozen=True)
class Cause:
    """One reason for the score."""

    kind: str
    """`latency`, `error burst`, `vanished`, `new item`, `traffic drop`, `silence`, …"""
    feature: str
    what: str
    """The feature in words, with the item's name where it is known."""
    direction: Direction
    expected: float
    """In the feature's unit: calls for buckets, the measure's unit for quantiles; `low`, `high`, `observed` too."""
    low: float
    high: float
    observed: float
    share: float
    """Of the score, 0 to 1."""
    items: tuple[CauseItem, ...]
    """Largest first."""


@dataclass(frozen=True)
class Marker:
    """What somebody did shortly before."""

    at: str
    """RFC 3339 in UTC."""
    text: str


@dataclass(frozen=True)
class Alert:
    """The message."""

    event: Event
    incident: str
    """16 hex digits: the same in all messages about one incident."""
    monitor: str
    deployment: str
    db: int
    severity: Severity
    """By the peak so far: from score 0.5, from 0.75."""
    score: float
    """The peak so far; 0.5 is the alert boundary, 1 the most."""
    p: float
    """The estimated chance that an ordinary recent window scores as high."""
    rarity: str
    """The same in words, such as `about once in 33 hours`."""
    summary: str
    """One sentence for a person."""
    since_ms: int
    """Start of the first anomalous window, ms since the epoch."""
    window_end_ms: int
    """End of the window that this message is about, ms since the epoch."""
    window_ms: int
    windows: int
    """From the first to this one."""
    causes: tuple[Cause, ...]
    """Largest share first."""
    markers: tuple[Marker, ...]
    reason: str | None
    """Why it was resolved; only with `resolved`."""
    entry: str
    """Id of this message in the monitor's stream of incidents."""
    raw: Mapping[str, Any]
    """The whole message, with the fields that this release doesn't know."""

    @property
    def is_open(self) -> bool:
        """Whether its incident is open after it."""
        return self.event != "resolved"

    @property
    def since(self) -> datetime:
        """Start of the first anomalous window."""
        return datetime.fromtimestamp(self.since_ms / 1000, timezone.utc)

    @classmethod
    def from_json(cls, message: str | bytes) -> Alert:
        """Read a message. Fields that are new are kept in `raw`.

        >>> import pathlib
        >>> message = pathlib.Path("crates/wire/fixtures/alert.json").read_text()
        >>> Alert.from_json(message).summary
        'latency of pay is above usual'
        """
        try:
            raw = json.loads(message)
            if raw["v"] != 1:
                raise UnreadableAlertError(f"an alert of version {raw['v']}: this release of the SDK reads version 1")
            return cls._of(raw)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UnreadableAlertError(f"a message that is no alert: {error!r}") from error

    @classmethod
    def _of(cls, raw: Mapping[str, Any]) -> Alert:
        reason = raw.get("reason")
        return cls(
            event=_one_of(raw["event"], "opened", "updated", "resolved"),
            incident=str(raw["incident"]),
            monitor=str(raw["monitor"]),
            deployment=str(raw["deployment"]),
            db=int(raw["db"]),
            severity=_one_of(raw["severity"], "warning", "critical"),
            score=float(raw["score"]),
            p=float(raw["p"]),
            rarity=str(raw["rarity"]),
            summary=str(raw["summary"]),
            since_ms=int(raw["since_ms"]),
            window_end_ms=int(raw["window_end_ms"]),
            window_ms=int(raw["window_ms"]),
            windows=int(raw["windows"]),
            causes=tuple(_cause(cause) for cause in raw["causes"]),
            markers=tuple(Marker(str(marker["at"]), str(marker["text"])) for marker in raw.get("markers", ())),
            reason=None if reason is None else str(reason),
            entry=str(raw["entry"]),
            raw=raw,
        )


def _cause(raw: Mapping[str, Any]) -> Cause:
    return Cause(
        kind=str(raw["kind"]),
        feature=str(raw["feature"]),
        what=str(raw["what"]),
        direction=_one_of(raw["direction"], "up", "down"),
        expected=_number(raw["expected"]),
        low=_number(raw["low"]),
        high=_number(raw["high"]),
        observed=_number(raw["observed"]),
        share=_number(raw["share"]),
        items=tuple(CauseItem(str(item["item"]), int(item["count"])) for item in raw["items"]),
    )


def _number(value: Any) -> float:
    # what isn't finite has no JSON and comes as null
    return float("nan") if value is None else float(value)


def _one_of(word: Any, *allowed: str) -> Any:
    if word not in allowed:
        raise ValueError(f"{word!r} isn't one of {', '.join(allowed)}")
    return cast(Any, word)
