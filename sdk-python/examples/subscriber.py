"""Prints every alert, and goes on where it was when it is started again.

python subscriber.py redis://localhost:6379 [positions.json]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from eddyline import Eddyline


def main() -> None:
    """Print alerts until somebody stops it."""
    url = sys.argv[1] if len(sys.argv) > 1 else "redis://localhost:6379"
    kept = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    after = json.loads(kept.read_text()) if kept is not None and kept.exists() else None
    with Eddyline(url) as eddyline, eddyline.alerts(after=after) as alerts:
        print(f"listening to {url}", flush=True)
        for alert in alerts:
            print(f"{alert.event:<8} {alert.severity:<8} {alert.monitor}: {alert.summary} ({alert.rarity})", flush=True)
            for cause in alert.causes[:3]:
                print(f"    {cause.what}: {cause.observed:g}, {cause.expected:g} expected", flush=True)
            if kept is not None:
                kept.write_text(json.dumps(alerts.positions))


if __name__ == "__main__":
    main()
