"""Server-sent events: from lines to events."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ServerEvent:
    """One event."""

    kind: str
    data: str


class EventReader:
    """Reads lines; gives an event at each empty one."""

    def __init__(self) -> None:
        self._kind = "message"
        self._data: list[str] = []
        self.id: str | None = None
        """The last id that was told, also by itself."""

    def line(self, line: str) -> ServerEvent | None:
        """Take a line without its end."""
        if line:
            self._field(line)
            return None
        data, kind = self._data, self._kind
        self._data, self._kind = [], "message"
        return ServerEvent(kind, "\n".join(data)) if data else None

    def _field(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._kind = value
        elif name == "id" and "\0" not in value:
            self.id = value
