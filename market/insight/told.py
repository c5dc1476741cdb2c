"""The public's board over time: what it tells of a closed month, and what it goes on telling of an
earlier one, so that no two of its states reveal the sum of few private contracts.

The closed months are walked from the first. A state of the board is published where the total moved
by nothing private, or by FLOOR private contracts and more, against every state published before.
In it, a figure that moved by fewer is left as it was told last (`as_of`), and with it one by which
its table would add up to it. A contract has moved a figure where what it adds to it is not what it
added then: newly registered, changed, or taken out.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from market.insight.pace import month_end
from market.insight.public import OUT, PublicFigures, names_of, tables_of
from market.insight.repository import Alike, Span
from market.insight.suppression import FLOOR, Table
from market.insight.views import Figure

Amounts = tuple[int, int]
Month = str  # "2026-11"
NEVER = "9999-12"


@dataclass(frozen=True, slots=True)
class _Version:
    """What a private contract says of itself between two months: the figures it is part of."""

    entered: Month
    left: Month
    names: frozenset[str]
    amounts: Amounts


class _Moves:
    """By how many private contracts figures moved between two months, up to FLOOR."""

    def __init__(self, spans: Sequence[Span]) -> None:
        entered: dict[str, Counter[Month]] = {}
        self._others: dict[int, list[_Version]] = {}
        self._of: dict[str, set[int]] = {}
        self._known: dict[tuple[frozenset[str], Month, Month], int] = {}
        for one in spans:
            if one.row.public:
                continue
            names = frozenset(names_of(one.row))
            if one.contract is None:
                for name in names:
                    entered.setdefault(name, Counter())[one.entered] += one.row.count
                continue
            amounts = one.row.technical_fen, one.row.total_fen
            version = _Version(one.entered, one.left or NEVER, names, amounts)
            self._others.setdefault(one.contract, []).append(version)
            for name in names:
                self._of.setdefault(name, set()).add(one.contract)
        self._sums = {name: _summed(found) for name, found in entered.items()}

    def months(self) -> set[Month]:
        """Return the months in which anything private moved."""
        found = {month for months, _ in self._sums.values() for month in months}
        for versions in self._others.values():
            found |= {one.entered for one in versions}
            found |= {one.left for one in versions if one.left != NEVER}
        return found

    def count(self, names: Iterable[str], before: Month, now: Month) -> int:
        """Return how many contracts moved the sum of these figures; FLOOR stands for more. No
        contract is part of two of them at once.
        """
        key = frozenset(names), before, now
        if key not in self._known:
            self._known[key] = self._count(*key)
        return self._known[key]

    def _count(self, names: frozenset[str], before: Month, now: Month) -> int:
        found = 0
        for name in names & self._sums.keys():
            months, sums = self._sums[name]
            found += sums[bisect_right(months, now)] - sums[bisect_right(months, before)]
        # Those that were changed or taken out are few: one by one, where it matters.
        others: set[int] = set()
        if found < FLOOR:
            others = others.union(*(self._of[name] for name in names & self._of.keys()))
        for number in others:
            versions = self._others[number]
            if _added(versions, before, names) != _added(versions, now, names):
                found += 1
                if found >= FLOOR:
                    break
        return min(found, FLOOR)


def _summed(counts: Counter[Month]) -> tuple[list[Month], list[int]]:
    """Return the months in order, and the sums before the first, after the first, and so on."""
    months, sums = sorted(counts), [0]
    for month in months:
        sums.append(sums[-1] + counts[month])
    return months, sums


def _added(versions: Sequence[_Version], month: Month, names: frozenset[str]) -> Amounts | None:
    """Return what a contract added to the sum of some figures at the end of a month."""
    for one in versions:
        if one.entered <= month < one.left:
            return one.amounts if names & one.names else None
    return None


@dataclass(frozen=True, slots=True)
class State:
    """The board as it was published at the end of a month; `hidden` it does not tell anew."""

    month: Month
    figures: PublicFigures
    hidden: frozenset[str]

    def tells(self, table: Table, cells: frozenset[str]) -> bool:
        """Return whether a reader of this state knows the sum of some cells of a table: it is told,
        or what is told leaves it over.
        """
        unknown = self.hidden.intersection(table.cells)
        return not unknown & cells or (table.whole not in self.hidden and unknown <= cells)


class Told:
    """The board as it is published now: each figure as of the newest state that tells it."""

    def __init__(self, states: Sequence[State]) -> None:
        self._states = states
        self.as_of = month_end(states[-1].month)

    def figure(self, name: str, label: str = "") -> Figure:
        found = self._states[-1].figures.figure(name, label)
        if found.shown:
            return found
        for state in reversed(self._states[:-1]):
            earlier = state.figures.figure(name, label)
            if earlier.shown and state.figures.has(name):
                return replace(earlier, as_of=month_end(state.month))
        return found

    def figures(self, prefix: str, label: Callable[[str], str] = str) -> tuple[Figure, ...]:
        names = sorted({name for one in self._states for name in one.figures.named(prefix)})
        return tuple(self.figure(name, label(name.partition(":")[2])) for name in names)


def told(spans: Sequence[Span], first: date, closed: date) -> Told:
    """Return what is published of the closed months from that of `first` to that of `closed`."""
    return Told(list(states(spans, first, closed)))


def states(spans: Sequence[Span], first: date, closed: date) -> Iterator[State]:
    """Yield the states of the board as they were published, the oldest first."""
    moves, book, last = _Moves(spans), _Book(spans), f"{closed:%Y-%m}"
    months = {one for one in moves.months() if f"{first:%Y-%m}" <= one <= last} | {last}
    published: list[State] = []
    for month in sorted(months):
        if any(
            OUT not in one.hidden and 0 < moves.count([OUT], one.month, month) < FLOOR
            for one in published
        ):
            continue
        state = _state(book.at(month), month, moves, published)
        published.append(state)
        yield state


def _state(rows: list[Alike], month: Month, moves: _Moves, published: Sequence[State]) -> State:
    tables = tables_of(rows)

    def too_few(shown: frozenset[str]) -> str | None:
        return _too_few(tables, shown, month, moves, published)

    figures = PublicFigures(rows, too_few)
    return State(month, figures, figures.hidden)


class _Book:
    """What took effect, by what is public of it."""

    def __init__(self, spans: Sequence[Span]) -> None:
        places: dict[Alike, int] = {}
        self._spans = [
            (one, places.setdefault(_without_sums(one.row), len(places))) for one in spans
        ]
        self._kinds = list(places)

    def at(self, month: Month) -> list[Alike]:
        """Return the contracts in force at the end of a month."""
        sums = [[0, 0, 0] for _ in self._kinds]
        for one, place in self._spans:
            if one.entered <= month and (one.left is None or month < one.left):
                found, row = sums[place], one.row
                found[0] += row.count
                found[1] += row.technical_fen
                found[2] += row.total_fen
        return [
            replace(kind, count=n, technical_fen=technical, total_fen=total)
            for kind, (n, technical, total) in zip(self._kinds, sums, strict=True)
            if n
        ]


def _without_sums(row: Alike) -> Alike:
    return replace(row, count=0, technical_fen=0, total_fen=0)


def _too_few(
    tables: Sequence[Table],
    shown: frozenset[str],
    month: Month,
    moves: _Moves,
    published: Sequence[State],
) -> str | None:
    """Return a figure that may not be told anew, for what it or its table would tell of few."""
    for one in published:
        for name in sorted(shown):
            if name not in one.hidden and 0 < moves.count([name], one.month, month) < FLOOR:
                return name
    for table in tables:
        if table.whole not in shown:
            continue
        cells = frozenset(table.cells)
        rest = cells - shown
        for one in published:
            asked = {rest, cells & one.hidden, *(frozenset({cell}) for cell in rest)}
            for some in sorted(asked, key=sorted):
                known_now = not some & rest or rest <= some
                if not some or not known_now or not one.tells(table, some):
                    continue
                if 0 < moves.count(some, one.month, month) < FLOOR:
                    return _beside(table, shown, one.month, month, moves)
    return None


def _beside(table: Table, shown: frozenset[str], before: Month, now: Month, moves: _Moves) -> str:
    """Return the shown cell of a table that is left as it was too, the least moved of those that
    moved; the whole where no cell is shown.
    """
    moved = [
        (count, name)
        for name in table.cells
        if name in shown and (count := moves.count([name], before, now))
    ]
    if moved:
        return min(moved)[1]
    return min((name for name in table.cells if name in shown), default=table.whole)
