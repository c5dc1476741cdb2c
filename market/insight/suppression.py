"""Which totals may be public, so that neither one nor a difference of two reveals few contracts.

A total is left out where it stands for fewer than FLOOR contracts; a second one goes with it where
the rest of its table would tell the sum. The public list tells which contract has which field,
type and month, and the sums of contracts whose sides agreed; so what counts in a difference is the
number of contracts in it whose sums are not public.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

FLOOR = 5

Atoms = int  # a set of atoms as bits, the first atom the lowest


@dataclass(frozen=True, slots=True)
class Weight:
    """One atom: contracts alike in all that is public of them; `private` of them keep their sum."""

    contracts: int
    private: int


@dataclass(frozen=True, slots=True)
class Table:
    """A total and the totals that it is divided into."""

    whole: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """A sum that a reader has or can work out, and the totals of which one would have to go."""

    atoms: Atoms
    sources: tuple[str, ...]


class _Publication:
    def __init__(
        self,
        weights: Sequence[Weight],
        totals: Mapping[str, Atoms],
        tables: Sequence[Table],
        headline: str,
    ) -> None:
        self._weights = weights
        self._secret = sum(1 << place for place, one in enumerate(weights) if one.private)
        self._headline = headline
        self.totals = totals
        self.tables = tables
        self.sizes = {
            name: sum(weights[place].contracts for place in _places(atoms))
            for name, atoms in totals.items()
        }
        self.shown = {name for name, size in self.sizes.items() if size}

    def tells(self, atoms: Atoms) -> bool:
        """Tell whether a known sum over these atoms is one of too few private contracts."""
        secret = atoms & self._secret
        # Atoms that matter weigh at least 1 each: enough of them need no adding up.
        if secret == 0 or secret.bit_count() >= FLOOR:
            return False
        return sum(self._weights[place].private for place in _places(secret)) < FLOOR

    def hide(self, name: str) -> None:
        """Leave a total out, and what it is divided into, which would add up to it."""
        self.shown.discard(name)
        for table in self.tables:
            if table.whole == name:
                for cell in table.cells:
                    self.hide(cell)

    def known(self) -> list[_Known]:
        """Return the shown totals, and of each shown table what its shown cells leave over."""
        found = [_Known(self.totals[name], (name,)) for name in sorted(self.shown)]
        for table in self.tables:
            cells = [name for name in table.cells if name in self.shown]
            if table.whole not in self.shown or not cells:
                continue
            rest = self.totals[table.whole]
            for name in cells:
                rest &= ~self.totals[name]
            found.append(_Known(rest, (self.smallest(cells),)))
        return found

    def smallest(self, names: Sequence[str]) -> str:
        return min(names, key=lambda name: (name == self._headline, self.sizes[name], name))

    def next_to_hide(self) -> str | None:
        """Return the smallest total by whose leaving out something too small stays unknown."""
        known = self.known()
        for one in known:
            if self.tells(one.atoms):
                return one.sources[0]
        for one, other in combinations(known, 2):
            if self.tells(one.atoms ^ other.atoms):
                return self.smallest([*one.sources, *other.sources])
        return None


def publishable(
    weights: Sequence[Weight],
    totals: Mapping[str, Atoms],
    tables: Sequence[Table],
    *,
    headline: str,
    further: Callable[[frozenset[str]], str | None] | None = None,
) -> frozenset[str]:
    """Return the names of the totals that may be public together.

    `totals` gives each total its atoms; the headline goes last. A total without contracts is 0 and
    always public. No sum of 1 to FLOOR-1 contracts with private sums is a shown total, what a
    table's shown cells leave of its whole, or a difference of two of these. Combinations of three
    and more are not looked at. Hiding the smallest first, it may hide more than it must. `further`
    names one of the shown that may not be for another reason, None where there is none.
    """
    publication = _Publication(weights, totals, tables, headline)
    for name, size in publication.sizes.items():
        if 0 < size < FLOOR:
            publication.hide(name)
    while True:
        found = publication.next_to_hide()
        if found is None and further is not None:
            found = further(frozenset(publication.shown))
        if found is None:
            break
        publication.hide(found)
    empty = {name for name, size in publication.sizes.items() if size == 0}
    return frozenset(publication.shown | empty)


def _places(atoms: Atoms) -> list[int]:
    places = []
    while atoms:
        lowest = atoms & -atoms
        places.append(lowest.bit_length() - 1)
        atoms ^= lowest
    return places
