"""What the demonstration market is made of, as written in `data/*.json`, and as the wire types."""

import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from market.catalog.schemas import AchievementIn, DemandIn

FOLDER = Path(__file__).parent / "data"

Row = dict[str, Any]


@cache
def read(name: str) -> Any:
    """Return one file of the content."""
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


def day(text: str) -> date:
    return date.fromisoformat(text)


def achievement(row: Row) -> AchievementIn:
    shared = _chosen(row, AchievementIn)
    return AchievementIn.model_validate(
        shared
        | {"maturity_level": row["maturity"]["level"], "ip_numbers": "、".join(row["ip_numbers"])}
    )


def demand(row: Row) -> DemandIn:
    return DemandIn.model_validate(_chosen(row, DemandIn) | {"price": row["budget"]})


def _chosen(row: Row, form: type[AchievementIn | DemandIn]) -> Row:
    return {name: value for name, value in row.items() if name in form.model_fields}


@dataclass(frozen=True, slots=True)
class Institution:
    """A real institution as a published document names it; no party to anything here."""

    name: str
    group: str
    builder: str | None
    place: str | None
    source: str
    source_published_on: date


def directory() -> list[Institution]:
    return [
        Institution(**row | {"source_published_on": day(row["source_published_on"])})
        for row in read("directory")
    ]
