"""Geometry of the charts that the server draws: plain figures in, coordinates out.

Shapes are one stretched SVG (its view box is WIDTH × HEIGHT), words are HTML placed in percent.
Money comes in fen and is drawn from zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil, log10

from frontend.formats import wan, yi
from market.kit.money import FEN_PER_WAN, FEN_PER_YI

WIDTH = 1000
HEIGHT = 400
STEPS = (1, 2, 2.5, 5, 10)
Y_TICKS = 5  # at most, above zero
IN_YI = 10 * FEN_PER_YI  # below, 万元 has fewer decimals to read


@dataclass(frozen=True, slots=True)
class Mark:
    """A word on the chart, in percent of its width and height."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar in view-box units; `soft` is a month that is not over."""

    x: float
    y: float
    width: float
    height: float
    soft: bool


@dataclass(frozen=True, slots=True)
class Cumulative:
    """A real line against a straight plan. `label` is the whole chart in words."""

    label: str
    unit: str
    grid: str
    real: str
    plan: str
    today: str
    goal: str
    y_marks: tuple[Mark, ...]
    x_marks: tuple[Mark, ...]
    real_mark: Mark
    real_mark_class: str
    plan_mark: Mark
    plan_mark_class: str
    goal_mark: Mark


@dataclass(frozen=True, slots=True)
class Months:
    """Bars by month; `need` is the path of the line each month should reach, "" for none."""

    label: str
    unit: str
    grid: str
    need: str
    bars: tuple[Bar, ...]
    y_marks: tuple[Mark, ...]
    x_marks: tuple[Mark, ...]


def cumulative(
    points: Sequence[tuple[date, int]],
    *,
    start: date,
    end: date,
    today: date,
    target: int,
    label: str,
) -> Cumulative:
    """Draw what had been counted by each day against an even plan from 0 at `start` to `end`.

    `points` are (day, fen so far) in order of days; the line runs on level to `today`.
    """
    counted = points[-1][1] if points else 0
    unit, unit_name = _unit(max(target, counted))
    ticks, top = _ticks(max(target, counted), unit)
    span = max((end - start).days, 1)

    def x_of(day: date) -> float:
        return min(max((day - start).days / span, 0.0), 1.0) * WIDTH

    def y_of(fen: int) -> float:
        return HEIGHT - fen / (top * unit) * HEIGHT

    corners = [(0.0, float(HEIGHT)), *((x_of(day), y_of(fen)) for day, fen in points)]
    now = x_of(today)
    corners.append((now, y_of(counted)))
    figure = yi if unit == FEN_PER_YI else wan
    left = now / WIDTH > 0.6
    at_plan = _percent(y_of(int(target * now / WIDTH)))
    ahead = _percent(y_of(counted)) >= at_plan
    beside = now / WIDTH * 100 + (-1.2 if left else 1.2)
    return Cumulative(
        label=label,
        unit=unit_name,
        grid=_grid(ticks, top),
        real="M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in corners),
        plan=f"M0 {HEIGHT}L{WIDTH} {y_of(target):.1f}",
        today=f"M{now:.1f} {HEIGHT}V{y_of(counted):.1f}",
        goal=f"M{WIDTH - 60} {y_of(target):.1f}H{WIDTH}",
        y_marks=_y_marks(ticks, top),
        x_marks=_year_marks(start, end, span),
        real_mark=Mark(beside, _real_at(_percent(y_of(counted)), ahead=ahead), figure(counted)),
        real_mark_class="chip-bg l" if left else "chip-bg",
        plan_mark=Mark(33, _percent(y_of(target // 3)) + (-9 if ahead else 4), ""),
        plan_mark_class="" if ahead else "l",
        goal_mark=Mark(100, min(_percent(y_of(target)) + 2, 101), figure(target)),
    )


def _real_at(y: float, *, ahead: bool) -> float:
    """Return where the real line's word stands: on the side away from the plan."""
    return min(y + 3, 92) if ahead else max(y - 9, 7)


def months(bars: Sequence[tuple[str, int, bool]], *, need: int | None, label: str) -> Months:
    """Draw (short label, fen, whether the month is over) as bars; a negative month below 0."""
    largest = max([need or 0, *(fen for _, fen, _ in bars)], default=0)
    lowest = min([0, *(fen for _, fen, _ in bars)])
    unit, unit_name = _unit(max(largest, -lowest))
    ticks, top = _ticks(largest, unit)
    low = 0.0
    if lowest < 0:
        ticks, top, low = _both_ways(largest, lowest, unit)
    slot = WIDTH / max(len(bars), 1)
    drawn = []
    for place, (_, fen, over) in enumerate(bars):
        height = abs(fen) / unit / (top - low) * HEIGHT
        x = (place + 0.18) * slot
        y = _height(max(fen / unit, 0.0), top, low)
        drawn.append(Bar(round(x, 1), round(y, 1), slot * 0.64, height, not over))
    middle = [(place + 0.5) * 100 / max(len(bars), 1) for place in range(len(bars))]
    line = _height((need or 0) / unit, top, low)
    return Months(
        label=label,
        unit=unit_name,
        grid=_grid(ticks, top, low),
        need="" if need is None else f"M0 {line:.1f}H{WIDTH}",
        bars=tuple(drawn),
        y_marks=_y_marks(ticks, top, low),
        x_marks=tuple(Mark(x, 0, name) for x, (name, _, _) in zip(middle, bars, strict=True)),
    )


def _unit(fen: int) -> tuple[int, str]:
    return (FEN_PER_YI, "亿元") if fen >= IN_YI else (FEN_PER_WAN, "万元")


def _ticks(largest: int, unit: int) -> tuple[list[float], float]:
    """Return round values from 0 and the axis' upper end, in units, a little above the largest."""
    needed = max(largest / unit, 1.0) * 1.06
    rough = needed / Y_TICKS
    scale = 10.0 ** ceil(log10(rough) - 1)
    step = next(s * scale for s in STEPS if s * scale >= rough)
    count = int(needed // step)
    return [step * place for place in range(count + 1)], needed


def _percent(y: float) -> float:
    return (HEIGHT - y) / HEIGHT * 100


def _both_ways(largest: int, lowest: int, unit: int) -> tuple[list[float], float, float]:
    """Return round values on both sides of zero, and the axis' upper and lower end, in units."""
    wider, _ = _ticks(max(largest, -lowest), unit)
    step = wider[1]
    above, below = ceil(largest / unit / step), ceil(-lowest / unit / step)
    return [step * place for place in range(-below, above + 1)], step * max(above, 1), -step * below


def _height(value: float, top: float, low: float) -> float:
    """Return where a value stands in the view box, from its upper edge."""
    return (top - value) / (top - low) * HEIGHT


def _grid(ticks: list[float], top: float, low: float = 0.0) -> str:
    return "".join(f"M0 {_height(tick, top, low):.1f}H{WIDTH}" for tick in ticks)


def _y_marks(ticks: list[float], top: float, low: float = 0.0) -> tuple[Mark, ...]:
    return tuple(Mark(-1, (tick - low) / (top - low) * 100, f"{tick:,g}") for tick in ticks)


def _year_marks(start: date, end: date, span: int) -> tuple[Mark, ...]:
    """Place each year's number in the middle of the part of it that the plan covers."""
    marks = []
    for year in range(start.year, end.year + 1):
        first = max(date(year, 1, 1), start)
        last = min(date(year, 12, 31), end)
        middle = ((first - start).days + (last - start).days + 1) / 2
        marks.append(Mark(min(middle / span, 1) * 100, 0, str(year)))
    return tuple(marks)
