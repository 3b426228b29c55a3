"""Names of keys and channels, as `crates/wire/src/keys.rs` builds them; the fixture `keys.json` holds both equal."""

from __future__ import annotations

from typing import Final

from .errors import InvalidValueError

ALERTS: Final = "eddyline:alerts"
"""Channel on which every alert of the deployment is published."""
CLOSED: Final = "eddyline:closed"
"""Channel that wakes workers; carries the name of a monitor."""
AUDIT: Final = "{eddyline}:audit"
"""Stream of who changed what fires."""
_MAX_NAME: Final = 1024


def stem(monitor: str) -> str:
    """What companions begin with: `{checkout}:` of `checkout`, `{shop}:checkout:` of `{shop}:checkout`."""
    if not isinstance(monitor, str) or not 1 <= len(monitor.encode("utf-8", "surrogateescape")) <= _MAX_NAME:
        raise InvalidValueError("a monitor's name is text of 1 to 1024 bytes")
    opened, closed = monitor.find("{"), monitor.find("}")
    if opened < 0 and closed < 0:
        return f"{{{monitor}}}:"
    is_one_pair = monitor.count("{") == 1 and monitor.count("}") == 1
    if is_one_pair and closed > opened + 1 and closed - opened + 1 < len(monitor):
        return f"{monitor}:"
    raise InvalidValueError(
        "braces in a monitor's name must be one non-empty {tag} plus more text, as in {shop}:checkout"
    )


def fingerprints(monitor: str) -> str:
    """Stream of fingerprints, id = window end."""
    return stem(monitor) + "fingerprints"


def incidents(monitor: str) -> str:
    """Stream of messages about incidents."""
    return stem(monitor) + "incidents"


def settings(monitor: str) -> str:
    """Hash of what is chosen for this monitor alone."""
    return stem(monitor) + "settings"


def alerts(monitor: str) -> str:
    """Channel with this monitor's alerts only."""
    return f"{ALERTS}:{monitor}"


def owner_of_incidents(key: bytes) -> str | None:
    """The monitor whose stream of incidents this key would be."""
    name, ending, rest = key.decode("utf-8", "surrogateescape").rpartition(":incidents")
    if not ending or rest:
        return None
    bare = name[1:-1] if name.startswith("{") and name.endswith("}") else name
    for monitor in (bare, name):
        try:
            if incidents(monitor) == f"{name}:incidents":
                return monitor
        except InvalidValueError:
            continue
    return None
