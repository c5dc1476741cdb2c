"""What the open deals may bring by a day, as a range that says how little is known.

Each stage is left at a rate that depends on how long a deal has stood in it, by cause (onward or
lost), learned from how long all deals stood there: those still open count with the days they have
stood, so that quick losses do not crowd out slow successes. What is not known of the rates
themselves (a gamma distribution for each) is drawn again for every course of events, so that few
deals give a wide range. Below ENOUGH closed deals there is no range at all: 资料不足.

Only the deals open today are looked at; deals still to come are not. A module of plain values: no
table, no clock, no chance that is not seeded.
"""

import bisect
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final

ENOUGH: Final = 30
"""Closed deals below which nothing is told."""
DRAWS: Final = 240
"""Courses of events that the range is read from."""
LOW, HIGH = 0.10, 0.90
_EDGES: Final = (14, 45, 120)
"""Days in a stage at which its rates may change."""
_PRIOR: Final = 2.0
"""How many events' worth of weight the stage as a whole has in the rate of each of its spans."""


@dataclass(frozen=True, slots=True)
class Step:
    """A stage that a deal entered on a day."""

    stage: str
    on: date


@dataclass(frozen=True, slots=True)
class Course:
    """One deal: its stages in order, and how it ended, if it did.

    `amount_fen` is what it was worth when last named (None: never named); of a won deal
    `final_fen` is what it came to.
    """

    steps: tuple[Step, ...]
    ended_on: date | None = None
    won: bool = False
    amount_fen: int | None = None
    final_fen: int | None = None


@dataclass(frozen=True, slots=True)
class Forecast:
    """Fen by the horizon from the deals open now. None throughout where too little is known."""

    closed: int
    open: int
    low_fen: int | None = None
    middle_fen: int | None = None
    high_fen: int | None = None

    @property
    def enough(self) -> bool:
        return self.low_fen is not None


@dataclass(frozen=True, slots=True)
class _Stay:
    """So many days in a stage from its entry, and what ended them: a stage's name, or None."""

    days: int
    next: str | None


WON, LOST = "#won", "#lost"


def forecast(courses: Sequence[Course], *, today: date, until: date, seed: int = 1) -> Forecast:
    """Return the 80% range of what the open deals come to from tomorrow up to and with `until`."""
    closed = [one for one in courses if one.ended_on is not None]
    running = [one for one in courses if one.ended_on is None and one.steps]
    if len(closed) < ENOUGH or not any(one.won for one in closed):
        return Forecast(len(closed), len(running))
    horizon = (until - today).days
    if horizon <= 0 or not running:
        return Forecast(len(closed), len(running), 0, 0, 0)
    chance = random.Random(seed)  # noqa: S311  courses of events, not secrets
    known = _Rates(courses, today)
    amounts = _Amounts(closed)
    sums = sorted(
        _one_course(running, known.draw(chance), amounts.draw(chance), today, horizon, chance)
        for _ in range(DRAWS)
    )
    return Forecast(len(closed), len(running), *(_at(sums, one) for one in (LOW, 0.5, HIGH)))


def _at(sums: Sequence[int], share: float) -> int:
    return sums[min(int(share * len(sums)), len(sums) - 1)]


def _stays(course: Course, today: date) -> list[tuple[str, _Stay]]:
    found = []
    for step, following in zip(course.steps, [*course.steps[1:], None], strict=True):
        if following is not None:
            found.append((step.stage, _Stay((following.on - step.on).days, following.stage)))
        elif course.ended_on is not None:
            days = (course.ended_on - step.on).days
            found.append((step.stage, _Stay(days, WON if course.won else LOST)))
        else:
            found.append((step.stage, _Stay((today - step.on).days, None)))
    return found


Cause = tuple[str, str]  # (stage, where it leads)


class _Rates:
    """How often, a day, deals of each stage went where, by how long they had stood there."""

    def __init__(self, courses: Sequence[Course], today: date) -> None:
        spans = len(_EDGES) + 1
        self.days: dict[str, list[float]] = {}
        self.counts: dict[Cause, list[int]] = {}
        for course in courses:
            for stage, stay in _stays(course, today):
                exposed = self.days.setdefault(stage, [0.0] * spans)
                # What happens on the day of entry has stood half a day.
                left = max(float(stay.days), 0.5)
                for place, width in enumerate(_widths()):
                    inside = min(left, width)
                    exposed[place] += inside
                    left -= inside
                if stay.next is not None:
                    counts = self.counts.setdefault((stage, stay.next), [0] * spans)
                    counts[bisect.bisect_right(_EDGES, stay.days)] += 1

    def draw(self, chance: random.Random) -> "_Drawn":
        """Return the rates as they may be."""
        drawn = {stage: [_Span([]) for _ in days] for stage, days in self.days.items()}
        for (stage, to), counts in self.counts.items():
            days = self.days[stage]
            overall = chance.gammavariate(sum(counts) + 0.5, 1 / sum(days))
            for place, count in enumerate(counts):
                # The stage's own rate stands for _PRIOR events that each span has seen.
                seen = days[place] + _PRIOR / overall
                drawn[stage][place].ways.append((to, chance.gammavariate(count + _PRIOR, 1 / seen)))
        for spans in drawn.values():
            for span in spans:
                span.rate = sum(rate for _, rate in span.ways)
        return drawn


@dataclass(slots=True)
class _Span:
    """A span of days in a stage: where it may lead, each with its rate a day, and their sum."""

    ways: list[tuple[str, float]]
    rate: float = 0.0

    def way(self, chance: random.Random) -> str:
        point = chance.random() * self.rate
        for to, rate in self.ways:
            point -= rate
            if point < 0:
                return to
        return self.ways[-1][0]


_Drawn = dict[str, list[_Span]]


def _widths() -> list[float]:
    edges = [0, *_EDGES]
    return [
        *(float(end - begin) for begin, end in pairwise(edges)),
        float("inf"),
    ]


class _Amounts:
    """What won deals came to, against what was named, and what they came to at all."""

    def __init__(self, closed: Sequence[Course]) -> None:
        won = [one for one in closed if one.won and one.final_fen is not None]
        self._ratios = [one.final_fen / one.amount_fen for one in won if one.amount_fen] or [1.0]  # type: ignore[operator]
        self._finals = [one.final_fen or 0 for one in won] or [0]

    def draw(self, chance: random.Random) -> "_DrawnAmounts":
        """Return what was seen, seen once more: a sample of the same size with returns."""
        return _DrawnAmounts(
            chance.choices(self._ratios, k=len(self._ratios)),
            chance.choices(self._finals, k=len(self._finals)),
        )


@dataclass(frozen=True, slots=True)
class _DrawnAmounts:
    ratios: list[float]
    finals: list[int]

    def of(self, deal: Course, chance: random.Random) -> int:
        if deal.amount_fen is None:
            return chance.choice(self.finals)
        return round(deal.amount_fen * chance.choice(self.ratios))


def _one_course(
    running: Sequence[Course],
    rates: _Drawn,
    amounts: _DrawnAmounts,
    today: date,
    horizon: int,
    chance: random.Random,
) -> int:
    return sum(
        amounts.of(deal, chance)
        for deal in running
        if _wins(deal.steps[-1], today, rates, horizon, chance)
    )


def _wins(step: Step, today: date, rates: _Drawn, horizon: int, chance: random.Random) -> bool:
    """Let one deal run on from its last step until the horizon."""
    stage, age, left = step.stage, float((today - step.on).days), float(horizon)
    while stage in rates:  # of a stage that nobody ever left nothing is known
        wait, to = _leave(rates[stage], age, left, chance)
        if wait >= left or to == LOST:
            return False
        if to == WON:
            return True
        stage, age, left = to, 0.0, left - wait
    return False


def _leave(
    spans: Sequence[_Span], age: float, left: float, chance: random.Random
) -> tuple[float, str]:
    """Return after how many days a stage is left that has lasted `age`, and where to; `left` days
    where it lasts that long.
    """
    waited = 0.0
    for place in range(bisect.bisect_right(_EDGES, age), len(spans)):
        span = spans[place]
        room = _EDGES[place] - age - waited if place < len(_EDGES) else left
        wait = chance.expovariate(span.rate) if span.rate > 0 else left
        if wait < room:
            return waited + wait, span.way(chance)
        waited += room
        if waited >= left:
            break
    return left, LOST
