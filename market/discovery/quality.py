"""How matches do in this market: what people decided about what was shown, by rank and band."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session

from market.discovery import bands
from market.discovery import repository_judged as repository

LIVE: Final = 200
"""Decisions from which the market's own acceptance is shown to everybody."""
RANKS: Final = ((1, 1), (2, 3), (4, 10), (11, 20))


@dataclass(frozen=True, slots=True)
class Row:
    """One line: shown pairs, how many of them were taken (合适, asked about) and declined."""

    label: str
    shown: int
    accepted: int
    declined: int

    @property
    def decided(self) -> int:
        return self.accepted + self.declined

    @property
    def rate(self) -> float | None:
        """The share taken of those decided on, None where none was."""
        return self.accepted / self.decided if self.decided else None


@dataclass(frozen=True, slots=True)
class Quality:
    ranks: tuple[Row, ...]
    bands: tuple[Row, ...]
    whole: Row


def quality(session: Session) -> Quality:
    """Return what became of everything that was shown and not yet forgotten."""
    found = repository.acceptance(session)
    by_band: dict[str, list[repository.Acceptance]] = defaultdict(list)
    for one in found:
        by_band[one.band].append(one)
    return Quality(
        ranks=tuple(
            _row(
                f"第{low}项" if low == high else f"第{low}至{high}项",
                (one for one in found if low <= one.rank <= high),
            )
            for low, high in RANKS
        ),
        bands=tuple(
            _row(bands.NAMES.get(name, "没有分档"), by_band[name])
            for name in (*bands.NAMES, "")
            if name in by_band
        ),
        whole=_row("全部", found),
    )


def live(session: Session) -> tuple[Row, ...]:
    """Return the acceptance by band for everybody to read, nothing before LIVE decisions.

    Counts are rounded down to tens and rates to hundredths, or each new decision would tell the
    next reader what it was; bands with fewer than fifty decisions are left out.
    """
    found = quality(session)
    if found.whole.decided < LIVE:
        return ()
    return tuple(_coarse(row) for row in found.bands if row.decided >= 50)


def _coarse(row: Row) -> Row:
    decided = row.decided // 10 * 10
    accepted = round(round(row.accepted / row.decided, 2) * decided)
    return Row(row.label, row.shown // 10 * 10, accepted, decided - accepted)


def _row(label: str, found: Iterable[repository.Acceptance]) -> Row:
    rows = list(found)
    return Row(
        label,
        sum(one.shown for one in rows),
        sum(one.accepted for one in rows),
        sum(one.declined for one in rows),
    )
