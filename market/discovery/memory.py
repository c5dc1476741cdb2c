"""What the matcher keeps between two comparisons: statistics of a sample, and vectors."""

from dataclasses import dataclass, field
from typing import Final

from market.discovery.judging import Compared
from market.kit.ids import ListingId
from search.ranking import Ranker, TermStatistics

REMEMBERED_GRAMS: Final = 1_000_000
"""Of the vectors kept between two comparisons: about 100 MB."""
_IMAGINED: Final = 50
"""Further texts in which no gram stands: in a market of two, what both say would else seem common.
Past a hundred listings they change no order (measured by the agreement with all statistics)."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Statistics of the listings counted, and of the texts imagined beside them."""

    counted: TermStatistics

    @property
    def texts(self) -> int:
        return self.counted.texts + _IMAGINED

    @property
    def mean_title(self) -> float:
        return self.counted.mean_title

    @property
    def mean_body(self) -> float:
        return self.counted.mean_body

    def frequency(self, gram: str) -> int:
        return self.counted.frequency(gram)


@dataclass(slots=True)
class Memory:
    """Vectors of one ranker, by listing and version; the oldest are forgotten first."""

    ranker: Ranker
    known: dict[ListingId, Compared] = field(default_factory=dict)
    grams: int = 0

    def add(self, listing: Compared) -> None:
        self.forget(listing.source.listing_id)
        self.known[listing.source.listing_id] = listing
        self.grams += len(listing.prepared.vector)
        while self.grams > REMEMBERED_GRAMS and len(self.known) > 1:
            self.forget(next(iter(self.known)))

    def forget(self, listing_id: ListingId) -> None:
        if (old := self.known.pop(listing_id, None)) is not None:
            self.grams -= len(old.prepared.vector)
