"""A region's part of the book folded once, and then only with what was posted since.

The book is append-only and its numbers have no gap: what it came to at one head, with the entries
after that head, is what it comes to at the next. So a figure costs what is new, not all there is.
A tally is a value: going on returns another one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Self, TypeVar

from sqlmodel import Session

from market.ledger import repository, repository_sums
from market.ledger.models import Book
from market.ledger.repository_sums import Counted
from market.ledger.schemas import OUTSIDE, By, Sum, region_prefix

Figures = tuple[int, int, int]
"""Contracts, 技术交易额 and 成交额 in fen."""
_Key = tuple[Any, ...]
K = TypeVar("K")
_NOTHING: Figures = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of the book: a region, and the days of its plan, both included."""

    region: str
    since: date
    until: date


@dataclass(slots=True)
class Tally:
    """What the statistics come to at the head `at`: (seq, key) of the newest transaction.

    `outgoing` are sellers in the region, `incoming` buyers in it, `both` what stands in the two;
    each by its day, whatever the plan's days. `groups` are the outgoing within the plan's days.
    """

    part: Part
    at: tuple[int, str] = (0, "")
    outgoing: dict[date, Figures] = field(default_factory=dict)
    incoming: dict[date, Figures] = field(default_factory=dict)
    both: dict[date, Figures] = field(default_factory=dict)
    groups: dict[By, dict[_Key, Figures]] = field(default_factory=dict)
    labels: dict[tuple[By, _Key], str] = field(default_factory=dict)

    def _copy(self) -> Self:
        return type(self)(
            self.part,
            self.at,
            dict(self.outgoing),
            dict(self.incoming),
            dict(self.both),
            {by: dict(sums) for by, sums in self.groups.items()},
            dict(self.labels),
        )

    def after(self, session: Session, head: tuple[int, str]) -> Self:
        """Return the tally at a head that is not before this one's."""
        found = self._copy()
        found.fold(repository_sums.counted_between(session, Book.STATISTICS, self.at[0], head[0]))
        found.at = head
        return found

    def fold(self, rows: Iterable[Counted]) -> None:
        """Add what counts."""
        prefix, since, until = region_prefix(self.part.region), self.part.since, self.part.until
        for row in rows:
            sells = row.seller_region.startswith(prefix)
            buys = row.buyer_region.startswith(prefix)
            moved = row.sign, row.amount_fen, row.sign * row.total_fen
            if sells:
                _add(self.outgoing, row.day, moved)
            if buys:
                _add(self.incoming, row.day, moved)
            if sells and buys:
                _add(self.both, row.day, moved)
            if sells and since <= row.day <= until:
                self._group(By.TYPE, (row.contract_type,), moved)
                self._group(By.FIELD, (row.field,), moved)
                self._party(By.SELLER, row.seller_id, row.seller_name, moved)
                self._party(By.BUYER, row.buyer_id, row.buyer_name, moved)

    def _group(self, by: By, key: _Key, moved: Figures) -> None:
        _add(self.groups.setdefault(by, {}), key, moved)

    def _party(self, by: By, organisation: int, name: str, moved: Figures) -> None:
        key: _Key = (organisation, name if organisation == OUTSIDE else "")
        self._group(by, key, moved)
        self.labels[by, key] = max(name, self.labels.get((by, key), ""))

    # what it comes to

    def total(self) -> Sum:
        """Return the outgoing within the plan's days."""
        return _sum(_within(self.outgoing, self.part.since, self.part.until))

    def total_incoming(self) -> Sum:
        return _sum(_within(self.incoming, self.part.since, self.part.until))

    def total_both(self) -> Sum:
        return _sum(_within(self.both, self.part.since, self.part.until))

    def total_between(self, since: date, until: date) -> Sum:
        """Return the outgoing of some days, within the plan's or not."""
        return _sum(_within(self.outgoing, since, until))

    def sums(self, by: By) -> list[Sum]:
        """Return the outgoing within the plan's days as `service.sums` does."""
        if by in (By.YEAR, By.MONTH):
            days = {
                day: moved
                for day, moved in self.outgoing.items()
                if self.part.since <= day <= self.part.until
            }
            return _by_period(days, "%Y" if by is By.YEAR else "%Y-%m")
        found = [
            Sum(_name(by, key), self.labels.get((by, key), ""), *moved)
            for key, moved in sorted(self.groups.get(by, {}).items())
        ]
        return sorted(found, key=lambda row: -row.technical_fen)

    def years_before(self) -> list[Sum]:
        """Return the outgoing of the years before the plan's days."""
        early = {day: moved for day, moved in self.outgoing.items() if day < self.part.since}
        return _by_period(early, "%Y")


def at_head(session: Session, part: Part, kept: Tally | None) -> Tally:
    """Return the tally of the statistics as they are in this snapshot, going on from `kept` where
    that is of the same part and of the same book at an earlier head.
    """
    last = repository.head_transaction(session, Book.STATISTICS)
    head = (0, "") if last is None else (last.seq, last.idempotency_key)
    if kept is None or kept.part != part or not _leads_to(session, kept.at, head):
        kept = Tally(part)
    return kept.after(session, head)


def _leads_to(session: Session, at: tuple[int, str], head: tuple[int, str]) -> bool:
    """Tell whether a head is an earlier one of this very book: an older copy may have been put in
    its place.
    """
    seq, key = at
    return seq <= head[0] and (seq == 0 or repository.key_at(session, Book.STATISTICS, seq) == key)


def _add(sums: dict[K, Figures], key: K, moved: Figures) -> None:
    one = sums.get(key, _NOTHING)
    sums[key] = one[0] + moved[0], one[1] + moved[1], one[2] + moved[2]


def _within(days: dict[date, Figures], since: date, until: date) -> Iterable[Figures]:
    return (moved for day, moved in days.items() if since <= day <= until)


def _sum(some: Iterable[Figures], key: str = "") -> Sum:
    count = technical = total = 0
    for one in some:
        count, technical, total = count + one[0], technical + one[1], total + one[2]
    return Sum(key, "", count, technical, total)


def _by_period(days: dict[date, Figures], written: str) -> list[Sum]:
    found: dict[str, Figures] = {}
    for day in sorted(days):
        _add(found, day.strftime(written), days[day])
    return [Sum(key, "", *moved) for key, moved in found.items()]


def _name(by: By, key: _Key) -> str:
    return "" if by in (By.SELLER, By.BUYER) and key[0] == OUTSIDE else str(key[0])
