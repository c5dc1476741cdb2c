"""The board as anyone may see it: sums of standing contracts, those of few left out."""

from collections.abc import Callable, Iterable

from market.catalog.vocabulary import FIELDS
from market.deals.vocabulary import CONTRACT_TYPES, ContractType
from market.insight.repository import Alike
from market.insight.suppression import Table, Weight, publishable
from market.insight.views import Figure

OUT, IN, BOTH, EARLIER = "out", "in", "both", "earlier"


class PublicFigures:
    """Figures by name; those that may not be public have neither count nor sum.

    `too_few` is asked for one that may not be told for what was told before.
    """

    def __init__(
        self, rows: list[Alike], too_few: Callable[[frozenset[str]], str | None] | None = None
    ) -> None:
        self._rows = rows
        self._members: dict[str, list[int]] = {OUT: [], IN: [], BOTH: []}
        for place, row in enumerate(rows):
            for name in names_of(row):
                self._members.setdefault(name, []).append(place)
        self._shown = publishable(
            [Weight(row.count, 0 if row.public else row.count) for row in rows],
            {name: sum(1 << place for place in found) for name, found in self._members.items()},
            tables_of(rows),
            headline=OUT,
            further=too_few,
        )
        self.hidden = frozenset(self._members.keys() - self._shown)

    def named(self, prefix: str) -> list[str]:
        return sorted(name for name in self._members if name.startswith(prefix))

    def has(self, name: str) -> bool:
        return name in self._members

    def figure(self, name: str, label: str = "") -> Figure:
        key = name.partition(":")[2]
        if name not in self._shown:
            return Figure(key, label, None, None, None)
        rows = [self._rows[place] for place in self._members[name]]
        return Figure(
            key,
            label,
            sum(row.count for row in rows),
            sum(row.technical_fen for row in rows),
            sum(row.total_fen for row in rows),
        )

    def figures(self, prefix: str, label: Callable[[str], str] = str) -> tuple[Figure, ...]:
        return tuple(
            self.figure(name, label(name.partition(":")[2])) for name in self.named(prefix)
        )


def tables_of(rows: Iterable[Alike]) -> list[Table]:
    """Return the tables of the board: which figures add up to which."""
    found = sorted({name for row in rows for name in names_of(row)})

    def named(prefix: str) -> tuple[str, ...]:
        return tuple(name for name in found if name.startswith(prefix))

    return [
        *(Table(OUT, named(prefix)) for prefix in ("year:", "type:", "field:")),
        *(Table(year, named(f"month:{year[5:]}")) for year in named("year:")),
    ]


def names_of(row: Alike) -> Iterable[str]:
    """Return the totals that a group of contracts is part of."""
    if row.earlier:
        if row.seller_here:
            yield f"earlier:{row.year}"
        return
    if row.buyer_here:
        yield IN
    if not row.seller_here:
        return
    yield OUT
    if row.buyer_here:
        yield BOTH
    yield f"year:{row.year}"
    yield f"month:{row.year}-{row.month:02d}"
    yield f"type:{row.contract_type}"
    yield f"field:{row.field}"


def type_name(code: str) -> str:
    return CONTRACT_TYPES[ContractType(code)]


def field_name(code: str) -> str:
    return FIELDS[int(code)]


def largest_first(rows: Iterable[Figure]) -> tuple[Figure, ...]:
    """Return shown figures with the largest first, those left out after them in their order."""
    return tuple(sorted(rows, key=lambda row: -(row.technical_fen or -1)))
