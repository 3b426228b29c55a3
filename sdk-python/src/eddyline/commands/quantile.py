"""`EDDY.QUANTILE`: quantiles of a measure."""

from __future__ import annotations

from typing import Any

from ..keys import stem
from ..operation import Answer, Call, Operation, monitor_path, single
from ..replies import number


def quantile(monitor: str, measure: str, ranks: tuple[float, ...]) -> Operation[list[float | None]]:
    """Estimate quantiles in the last closed window, in the measure's unit."""
    stem(monitor)
    asked = [float.__repr__(float(rank)) for rank in ranks]

    def read(reply: Any) -> list[float | None]:
        return [None if value is None else number(value) for value in reply]

    def of(answer: Answer) -> list[float | None]:
        return read(told["value"] for told in answer.json["quantiles"])

    call = Call("GET", monitor_path(monitor, "/quantiles"), of, (("measure", measure), ("q", ",".join(asked))))
    return single("quantile", ("EDDY.QUANTILE", monitor, measure, *asked), read, call)
