"""What a measurement is, kept as a list of flat objects that other programs read too."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One piece of work: our figure, the peer's for the same work, and the limit that was promised.

    `ratio` is ours / peer, so that more is worse for times and better for rates. `ok` is None where
    nothing was promised, `peer` where there is nothing to compare with.
    """

    work: str
    unit: str
    ours: float
    peer: float | None = None
    limit: float | None = None
    at_least: bool = False

    def row(self) -> dict[str, Any]:
        kept = self.ours >= (self.limit or 0) if self.at_least else self.ours <= (self.limit or 0)
        given = asdict(self)
        del given["at_least"]
        return given | {
            "ratio": round(self.ours / self.peer, 2) if self.peer else None,
            "ok": None if self.limit is None else kept,
        }


def rounded(value: float) -> float:
    """Return a figure with three digits that count."""
    return float(f"{value:.3g}")


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1))]


def save(path: Path, figures: Iterable[Figure]) -> None:
    order = ("work", "unit", "ours", "peer", "ratio", "limit", "ok")
    rows = [{name: figure.row()[name] for name in order} for figure in figures]
    text = ",\n  ".join(json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text(f"[\n  {text}\n]\n", encoding="utf-8")
