"""Feedback, as `eddyline feedback` gives it."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from servers import Server, worker
from writing import message, write_alert

from eddyline import AsyncEddyline, BusyError, Eddyline, InvalidValueError, RefusedError, UnknownIncidentError
from eddyline.feedback_record import size

INCIDENT = "5b1f2c9a7e3d4860"


def said(client: Any, monitor: str = "shop") -> list[dict[str, Any]]:
    field = client.hget(f"{{{monitor}}}:settings", "feedback")
    return [] if field is None else list(json.loads(field)["said"])


def cli(server: Server, *words: str) -> None:
    command = [str(worker()), "feedback", "--redis", server.url, *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_it_writes_what_the_command_line_writes(server: Server, eddyline: Eddyline, plain: Any) -> None:
    causes = message("shop", 0)["causes"] * 6
    causes[1] = {**causes[1], "items": [], "expected": 0.0, "low": 0.0, "high": 0.0, "kind": "vanished"}
    write_alert(plain, "other", 0, incident="0000000000000000")
    write_alert(plain, "shop", 0, causes=causes, summary="é" * 300)
    for word, options, flags in [
        ("normal", {}, ["normal"]),
        ("anomaly", {}, ["anomaly"]),
        ("snooze", {"for_seconds": 7200}, ["snooze", "2h"]),
    ]:
        plain.delete("{shop}:settings")
        given = eddyline.feedback(INCIDENT, word, by="ann", **options)  # type: ignore[arg-type]
        assert (given.monitor, given.word) == ("shop", word)
        [ours] = said(plain)
        plain.delete("{shop}:settings")
        cli(server, INCIDENT, *flags, "--by", "ann")
        [theirs] = said(plain)
        assert list(ours) == list(theirs)
        for one in (ours, theirs):
            one["took_ms"] = one.pop("until_ms", 0) - one["at_ms"] if "until_ms" in one else None
            del one["at_ms"]
        assert ours == theirs
    audit = [fields for _, fields in plain.xrange("{eddyline}:audit")]
    for ours, theirs in zip(audit[::2], audit[1::2], strict=True):
        ours[b"what"], theirs[b"what"] = ours[b"what"].split(b" ")[0], theirs[b"what"].split(b" ")[0]
        assert ours == theirs


def test_what_was_said_last_is_taken_back(server: Server, eddyline: Eddyline, plain: Any) -> None:
    write_alert(plain, "shop", 0)
    cli(server, INCIDENT, "normal")
    eddyline.feedback(INCIDENT, "anomaly", monitor="shop")
    eddyline.feedback(INCIDENT, "undo")
    assert [one["what"] for one in said(plain)] == ["normal"]
    cli(server, INCIDENT, "undo")
    assert plain.hget("{shop}:settings", "feedback") is None
    with pytest.raises(UnknownIncidentError, match="nothing is in force"):
        eddyline.feedback(INCIDENT, "undo")


def test_there_is_room_for_64_and_nothing_unreadable_is_overwritten(eddyline: Eddyline, plain: Any) -> None:
    for n in range(65):
        write_alert(plain, "shop", n, incident=f"{n:016x}")
    eddyline.feedback(f"{0:016x}", "snooze", for_seconds=1, monitor="shop")
    for n in range(1, 64):
        eddyline.feedback(f"{n:016x}", "normal", monitor="shop")
    record = json.loads(plain.hget("{shop}:settings", "feedback"))
    record["said"][0]["until_ms"] += 3_600_000
    plain.hset("{shop}:settings", "feedback", json.dumps(record))
    with pytest.raises(BusyError, match="64 pieces"):
        eddyline.feedback(f"{64:016x}", "normal", monitor="shop")
    record["said"][0]["until_ms"] = 1
    plain.hset("{shop}:settings", "feedback", json.dumps(record))
    eddyline.feedback(f"{64:016x}", "normal", monitor="shop")
    assert said(plain)[0]["incident"] == f"{1:016x}"
    plain.hset("{shop}:settings", "feedback", '{"v":2}')
    with pytest.raises(RefusedError, match="isn't overwritten"):
        eddyline.feedback(f"{64:016x}", "anomaly", monitor="shop")


def test_what_makes_no_sense_is_refused(eddyline: Eddyline) -> None:
    with pytest.raises(UnknownIncidentError, match="stands in every alert"):
        eddyline.feedback(INCIDENT, "normal")
    wrong: list[tuple[Any, ...]] = [("", "normal", {}), (INCIDENT, "fine", {}), (INCIDENT, "snooze", {})]
    wrong += [(INCIDENT, "normal", {"for_seconds": 5}), (INCIDENT, "normal", {"by": "\n"})]
    for incident, word, options in wrong:
        with pytest.raises(InvalidValueError):
            eddyline.feedback(incident, word, **options)


def test_asyncio_gives_it_too(asynchronous: Callable[[], Any], plain: Any) -> None:
    write_alert(plain, "shop", 0)

    async def give() -> None:
        async with asynchronous() as client:
            await AsyncEddyline(client).feedback(INCIDENT, "normal", by="bob")

    asyncio.run(give())
    assert [(one["what"], one["by"]) for one in said(plain)] == [("normal", "bob")]


def test_sizes_are_numbers_whatever_comes() -> None:
    nan, inf = float("nan"), float("inf")
    assert size(41.0, 0.25, 0.0, 2.0) == (40.75, 20.375)
    for observed in (0.0, nan, inf, -1.7e308, 1.7e308):
        for expected in (0.0, nan, -inf, 1.7e308):
            deviation, relative = size(observed, expected, expected, observed)
            assert 0 <= deviation < inf
            assert 0 <= relative < inf
