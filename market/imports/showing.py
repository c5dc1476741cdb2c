"""What a run shows of its rows: what an update changes, and what is wrong with many alike."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from market.imports.flow import storable
from market.imports.models import RunProblem
from market.kit.intake import Outcome

UPDATES = 100  # of which a dry run shows what they change
PLACES = 8  # that are listed of rows with the same reason
NAME = 120  # characters of a name
VALUE = 60  # characters of a value
_LEAD = 10  # characters before the first that differs


@dataclass(frozen=True, slots=True)
class Alike:
    """The rows in which the same is wrong with the same column."""

    rows: tuple[int, ...]
    column: str
    reason: str


def update(one: Outcome, *, whole: bool) -> dict[str, Any]:
    """Return what a dry run keeps of an update as JSON; `whole` with the columns that change."""
    kept: dict[str, Any] = {"was": storable(one.was, NAME), "now": storable(one.now, NAME)}
    if whole:
        kept["changes"] = [
            (change.label, *excerpts(change.was, change.now)) for change in one.changes
        ]
    return kept


def excerpts(was: str, now: str) -> tuple[str, str]:
    """Return two texts that differ, cut so that the first difference is seen in both."""
    same = next(
        (place for place, (a, b) in enumerate(zip(was, now, strict=False)) if a != b),
        min(len(was), len(now)),
    )
    start = max(same - _LEAD, 0) if max(len(was), len(now)) > VALUE else 0
    return _cut(was, start), _cut(now, start)


def _cut(text: str, start: int) -> str:
    part = text[start : start + VALUE]
    before = "…" if start else ""
    return storable(f"{before}{part}{'…' if start + VALUE < len(text) else ''}", VALUE + 2)


def rows_named(rows: Sequence[int]) -> str:
    """Return rows in words: `第3、7～9行`, of many the first places and how many there are."""
    runs: list[list[int]] = []
    for row in rows:
        if runs and row == runs[-1][-1] + 1:
            runs[-1][1:] = [row]
        else:
            runs.append([row])
    listed = "、".join("～".join(map(str, one)) for one in runs[:PLACES])
    more = "…" if len(runs) > PLACES else ""
    return f"第{listed}{more}行" + (f"，共{len(rows)}行" if len(rows) > 2 else "")


def alike(problems: Iterable[RunProblem]) -> tuple[Alike, ...]:
    """Return problems with the same column and reason as one, in the order of their first row."""
    found: dict[tuple[str, str], list[int]] = {}
    for one in problems:
        found.setdefault((one.column, one.reason), []).append(one.row)
    return tuple(Alike(tuple(rows), *key) for key, rows in found.items())
