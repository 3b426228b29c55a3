"""The batcher: a bounded queue and one thread that empties it."""

from __future__ import annotations

import atexit
import contextlib
import logging
import queue
import threading
import time
from collections import deque
from typing import Any, Final

import redis
import redis.asyncio

from ..alerts.pace import Backoff
from ..commands.create import create
from ..errors import EddylineError, InvalidValueError
from ..http.connection import Gateway
from ..operation import Operation
from ..transport import connect
from ..values import Value
from .delivery import Batch, Delivery, Outcome, sendable
from .forks import renew_after_fork
from .grouping import grouped
from .packing import Fields
from .stats import CLOSED, FULL, INVALID, LOST, BatcherStats, Drops
from .to_gateway import ToGateway
from .to_redis import ToRedis

_log = logging.getLogger("eddyline")
_AT_ONCE: Final = 8
"""Full batches that are taken in one go."""
_IDLE: Final = 1.0


class Batcher:
    """Sends observations in the background. `observe` never waits, never raises and never grows without bound.

    Many threads may share one. In a child process it begins anew with an empty queue. At the end of the process it
    sends what is left, for two seconds at most. A monitor that doesn't exist is made: as `define` says, or with
    fields inferred.
    """

    def __init__(
        self,
        client_or_url: redis.Redis | redis.RedisCluster | str,
        *,
        key: str | None = None,
        max_queue: int = 100_000,
        batch_size: int = 1000,
        interval: float = 0.1,
    ) -> None:
        """Take the application's Redis client, an address of Redis, or one of the gateway (with its `key`).

        At most `max_queue` observations wait; more are dropped and counted. They are sent when `batch_size` of them
        wait, or the first has waited for `interval` seconds.
        """
        if max_queue < 1 or batch_size < 1 or not 0 <= interval <= 60:
            raise InvalidValueError("max_queue and batch_size are at least 1, interval is 0 to 60 seconds")
        self._max_queue = max_queue
        self._batch_size = min(batch_size, max_queue)
        self._interval = interval
        self._definitions: dict[str, Operation[bool]] = {}
        self._delivery = _delivery(client_or_url, key, self._creation)
        self._closed = False
        self._begin()
        renew_after_fork(self)
        atexit.register(self._at_exit)

    def observe(self, monitor: str, /, **fields: Value) -> None:
        """Count one observation, soon. Fields that are None are absent.

        >>> batcher.observe("checkout", endpoint="/charge", status=500, latency_ms=812.5)
        """
        waiting = len(self._queue)
        if waiting + self._under_way >= self._max_queue or self._closed:
            self._drops.count(CLOSED if self._closed else FULL, 1)
            return
        # an append is one step for every thread, signal handler and finaliser; a lock would not be
        self._queue.append((monitor, fields))
        if waiting in (0, self._batch_size):
            self._wake.put(None)
        if self._thread is None:
            self._start()

    def define(self, monitor: str, /, **definition: Any) -> None:
        """Say how the monitor is made, should it not exist: the arguments of `Eddyline.create`.

        >>> batcher.define("checkout", dimensions=["endpoint", "status"], measures=["latency_ms"])
        """
        self._definitions[monitor] = create(monitor, **{**definition, "exist_ok": True})

    def defines(self, monitor: str) -> bool:
        """Whether `define` was called for this monitor."""
        return monitor in self._definitions

    @property
    def stats(self) -> BatcherStats:
        """What became of the observations.

        >>> batcher.stats.dropped
        {}
        """
        return BatcherStats(len(self._queue) + self._under_way, self._sent, self._drops.read())

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until all that was observed so far is sent or dropped; False after `timeout` seconds.

        >>> batcher.flush()
        True
        """
        self._hurry = True
        self._wake.put(None)
        with self._round:
            # the queue first: what leaves it is under way before
            return self._round.wait_for(lambda: not self._queue and not self._under_way, timeout)

    def close(self, timeout: float = 5.0) -> None:
        """Send what is left, for `timeout` seconds at most; what comes later is dropped and counted.

        >>> batcher.close()
        """
        if not self._closed:
            # before the thread can see that it is closed
            self._deadline = time.monotonic() + timeout
            self._closed = True
            self._wake.put(None)
            atexit.unregister(self._at_exit)
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout + 0.1)
        if thread is None:
            self._delivery.close()
        self._drops.count(CLOSED, self._take_all())

    def __enter__(self) -> Batcher:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def after_fork(self) -> None:
        """In a child: what waits is the parent's, which sends it."""
        self._begin()
        self._delivery.after_fork()

    def _begin(self) -> None:
        self._queue: deque[tuple[str, Fields]] = deque()
        self._pending: list[Batch] = []
        self._under_way = 0
        self._sent = 0
        self._drops = Drops()
        # its put may be called by a signal handler, or a finaliser, in the middle of a put
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._round = threading.Condition(threading.RLock())
        self._starting = threading.RLock()
        self._thread: threading.Thread | None = None
        self._hurry = False
        self._deadline = 0.0

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="eddyline-batcher", daemon=True)
                try:
                    thread.start()
                except RuntimeError:
                    # the interpreter is about to end; the next observation tries again
                    return
                self._thread = thread

    def _creation(self, monitor: str) -> Operation[bool]:
        return self._definitions.get(monitor) or create(monitor)

    def _at_exit(self) -> None:
        self.close(2.0)

    def _take_all(self) -> int:
        taken = 0
        while self._queue:
            self._queue.popleft()
            taken += 1
        return taken

    def _run(self) -> None:
        try:
            self._empty_again_and_again()
        finally:
            self._delivery.close()

    def _empty_again_and_again(self) -> None:
        backoff = Backoff()
        while self._wait():
            self._take()
            delay = self._send(backoff)
            with self._round:
                self._round.notify_all()
            if self._closed and self._is_late(delay):
                self._drops.count(CLOSED, self._under_way)
                self._pending, self._under_way = [], 0
                return
            self._rest(delay)

    def _is_late(self, delay: float) -> bool:
        return bool(self._pending) and time.monotonic() + delay > self._deadline

    def _wait(self) -> bool:
        """Until there is enough to send; False when all was sent and no more comes."""
        until = None
        while not self._pending and not self._closed and not self._hurry:
            waiting = len(self._queue)
            now = time.monotonic()
            if waiting and until is None:
                until = now + self._interval
            if waiting >= self._batch_size or (until is not None and now >= until):
                break
            try:
                self._wake.get(timeout=_IDLE if until is None else until - now)
            except queue.Empty:
                continue
        self._hurry = False
        return not self._closed or bool(self._queue) or bool(self._pending)

    def _rest(self, delay: float) -> None:
        until = time.monotonic() + delay
        while not self._closed and (left := until - time.monotonic()) > 0:
            try:
                self._wake.get(timeout=left)
            except queue.Empty:
                return
        if self._closed:
            time.sleep(min(delay, 0.05))

    def _take(self) -> None:
        if self._pending:
            return
        size = min(len(self._queue), _AT_ONCE * 1000)
        # before they leave the queue, so that they are never in neither
        self._under_way = size
        taken = []
        with contextlib.suppress(IndexError):
            # a close() that waited long enough empties it too
            for _ in range(size):
                taken.append(self._queue.popleft())
        self._under_way = len(taken)
        try:
            self._pending = grouped(taken)
        except (TypeError, AttributeError) as error:
            self._drops.count(INVALID, len(taken), str(error))
            self._pending, self._under_way = [], 0

    def _send(self, backoff: Backoff) -> float:
        """Send what is under way; seconds to wait before what is left is sent."""
        if not self._pending:
            return 0.0
        batches, self._pending = self._pending, []
        try:
            outcomes = self._delivery.deliver(batches)
        except (InvalidValueError, UnicodeError, TypeError, AttributeError):
            outcomes = self._deliver_one_by_one(batches)
        except Exception as error:
            # whatever it is, the thread has to go on
            _log.exception("eddyline: a batch couldn't be sent")
            outcomes = [
                Outcome(dropped=len(batch.rows), reason=LOST, error=EddylineError(str(error))) for batch in batches
            ]
        for outcome in outcomes:
            self._sent += outcome.sent
            self._drops.count(outcome.reason, outcome.dropped, str(outcome.error or ""))
        self._pending = [outcome.retry for outcome in outcomes if outcome.retry is not None]
        self._under_way = sum(len(batch.rows) for batch in self._pending)
        if any(outcome.sent for outcome in outcomes):
            backoff.reset()
        if not self._pending:
            return 0.0
        return max(backoff.delay(), *(outcome.wait for outcome in outcomes))

    def _deliver_one_by_one(self, batches: list[Batch]) -> list[Outcome]:
        """Something in them can't be sent: the rest is."""
        outcomes = []
        for batch in batches:
            rows, why = sendable(batch)
            if why is not None:
                outcomes.append(Outcome(dropped=len(batch.rows) - len(rows), reason=INVALID, error=why))
            if rows:
                outcomes += self._delivery.deliver([Batch(batch.monitor, batch.columns, rows)])
        return outcomes


def _delivery(client_or_url: Any, key: str | None, creation: Any) -> Delivery:
    if isinstance(client_or_url, str):
        if client_or_url.startswith(("http://", "https://")):
            return ToGateway(Gateway(client_or_url, key, timeout=10.0), creation)
        return ToRedis(connect(client_or_url, 5.0), creation, is_ours=True)
    if not hasattr(client_or_url, "execute_command") or isinstance(
        client_or_url, (redis.asyncio.Redis, redis.asyncio.RedisCluster)
    ):
        raise InvalidValueError(
            "Batcher takes a redis.Redis, a redis.RedisCluster or an address: it has a thread of its own, "
            "so that it serves asyncio too"
        )
    return ToRedis(client_or_url, creation, is_ours=False)
