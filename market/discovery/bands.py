"""What a match's score means in words, as measured on judged pairs: `calibration.json`, which
`zhihe calibrate` writes.
"""

import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final, Self

from search.calibration import Band, Calibration

STORED: Final = Path(__file__).with_name("calibration.json")
ASKED: Final = {"strong": 0.55, "likely": 0.25}
"""Band → the rate of relevant pairs from which it is said, highest first."""
NAMES: Final = {"strong": "强", "likely": "可能"}
RELEVANT: Final = 3
"""The level of a judgement from which a pair counts as relevant."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A calibration, when it was made, on which public set, and how well the scorer ranked it."""

    on: date
    source: str
    ndcg: float
    calibration: Calibration

    def to_json(self) -> dict[str, Any]:
        bands = [_stored(band) for band in self.calibration.bands]
        return {
            "on": self.on.isoformat(),
            "source": self.source,
            "relevant_from_level": RELEVANT,
            "ndcg_at_10": round(self.ndcg, 4),
            "pairs": self.calibration.pairs,
            "groups": self.calibration.groups,
            "relevant": self.calibration.relevant,
            "folds": self.calibration.folds,
            "bands": bands,
            "below": _stored(self.calibration.below),
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        return cls(
            on=date.fromisoformat(stored["on"]),
            source=stored["source"],
            ndcg=stored["ndcg_at_10"],
            calibration=Calibration.from_json(stored),
        )


def _stored(band: Band) -> dict[str, Any]:
    return {
        "name": band.name,
        "asked": band.asked,
        "least": None if band.least is None else round(band.least, 4),
        "pairs": band.pairs,
        "relevant": band.relevant,
        "rate": round(band.rate, 4),
        "low": round(band.low, 4),
        "high": round(band.high, 4),
    }


@cache
def measured() -> Measured:
    return Measured.from_json(json.loads(STORED.read_text("utf-8")))


def band(score: float) -> str:
    """Return the band of a score, "" below all."""
    return measured().calibration.band(score)
