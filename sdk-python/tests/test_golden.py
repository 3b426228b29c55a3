"""The fixtures of `crates/wire`: what changes there fails here."""

from __future__ import annotations

import json
from typing import Any

import pytest
from servers import FIXTURES

from eddyline import Alert, InvalidValueError, keys
from eddyline.alert import UnreadableAlertError
from eddyline.commands.count import count
from eddyline.commands.create import create
from eddyline.commands.fingerprint import fingerprint
from eddyline.commands.info import info
from eddyline.commands.observe import observe
from eddyline.commands.observe_many import observe_many
from eddyline.commands.quantile import quantile
from eddyline.commands.top import top
from eddyline.operation import Command, Operation


def fixture(name: str) -> Any:
    return json.loads((FIXTURES / name).read_text())


def test_the_golden_alert_is_read_whole() -> None:
    alert = Alert.from_json((FIXTURES / "alert.json").read_bytes())
    assert (alert.event, alert.severity, alert.score, alert.p) == ("opened", "critical", 0.875, 2.5e-8)
    assert (alert.since_ms, alert.window_end_ms, alert.window_ms) == (1_795_166_100_000, 1_795_166_105_000, 5000)
    assert alert.since.isoformat() == "2026-11-20T09:15:00+00:00"
    assert (alert.entry, alert.is_open, alert.reason, alert.markers) == ("1795166105000-0", True, None, ())
    [cause] = alert.causes
    assert (cause.kind, cause.feature, cause.direction) == ("latency", "peer*latency_ms", "up")
    assert (cause.expected, cause.low, cause.high, cause.observed, cause.share) == (0.25, 0.0, 2.0, 41.0, 0.75)
    assert [(item.item, item.count) for item in cause.items] == [("pay", 118)]

    def named(raw: Any, known: Any) -> None:
        unknown = set(raw) - {"v", "since"} - set(known.__dataclass_fields__)
        assert not unknown, f"the alert has fields that the SDK doesn't name: {unknown}"

    named(alert.raw, alert)
    named(alert.raw["causes"][0], cause)
    named(alert.raw["causes"][0]["items"][0], cause.items[0])


def test_new_fields_are_kept_and_what_is_no_alert_is_refused() -> None:
    golden = fixture("alert.json")
    resolved = {**golden, "event": "resolved", "reason": "over", "new": 1, "markers": [{"at": "x", "text": "pay v2"}]}
    alert = Alert.from_json(json.dumps(resolved))
    assert (alert.is_open, alert.reason, alert.raw["new"], alert.markers[0].text) == (False, "over", 1, "pay v2")
    text = json.dumps(golden)
    for bad in [text[:at] for at in range(0, len(text), 7)] + [
        "[]",
        "5",
        json.dumps({**golden, "v": 2}),
        json.dumps({**golden, "event": "closed"}),
        json.dumps({**golden, "score": None}),
        json.dumps({**golden, "causes": [1]}),
    ]:
        with pytest.raises(UnreadableAlertError):
            Alert.from_json(bad)


def test_keys_have_their_golden_names() -> None:
    golden = fixture("keys.json")
    assert (golden["alerts"], golden["closed"], golden["audit"]) == (keys.ALERTS, keys.CLOSED, keys.AUDIT)
    for names in golden["companions"]:
        monitor = names["monitor"]
        built = (keys.fingerprints(monitor), keys.incidents(monitor), keys.settings(monitor), keys.alerts(monitor))
        assert built == (names["fingerprints"], names["incidents"], names["settings"], names["alerts"])
        assert keys.owner_of_incidents(names["incidents"].encode()) == monitor
        assert keys.owner_of_incidents(names["settings"].encode()) is None
    for name in golden["refused"]:
        with pytest.raises(InvalidValueError):
            keys.stem(name)


EVERY: dict[str, list[Operation[Any]]] = {
    "EDDY.CREATE": [
        create("checkout", exist_ok=False),
        create("checkout"),
        create(
            "checkout",
            sources=["metrics", "more"],
            since="5-1",
            clock="stream",
            window_ms=1000,
            buckets=64,
            retention=500,
            memory=65536,
            dimensions=["service", "status"],
            crosses=["service*latency_ms"],
            measures=["latency_ms@0.25"],
            uniques=["user"],
            hashed=["user"],
            salt="000102030405060708090a0b0c0d0e0f",
        ),
    ],
    "EDDY.OBSERVE": [
        observe("checkout", {"endpoint": "/charge", "status": 500, "latency_ms": 812.5, "user": None, "cached": True})
    ],
    "EDDY.MOBSERVE": [
        observe_many("checkout", [{"endpoint": "/charge", "status": 200}, {"endpoint": "/refund", "status": 500}])
    ],
    "EDDY.COUNT": [count("checkout", "service*status", ("pay*500", "cart*200"))],
    "EDDY.TOP": [top("checkout", "endpoint", 10)],
    "EDDY.QUANTILE": [quantile("checkout", "latency_ms", (0.5, 0.99))],
    "EDDY.FINGERPRINT": [fingerprint("checkout", None), fingerprint("checkout", "1795166105000-0")],
    "EDDY.INFO": [info("checkout")],
}


def test_commands_are_the_golden_samples() -> None:
    golden = {entry["command"]: entry["samples"] for entry in fixture("commands.json")}
    assert golden.keys() == EVERY.keys()
    for name, operations in EVERY.items():
        sent = [next(operation.converse()) for operation in operations]
        words = [[str(word) for word in command.words] for command in sent if isinstance(command, Command)]
        assert words == [[name, *sample] for sample in golden[name]]
