"""How alike short texts are to one another and to a listing, for nouns that do not call search."""

from collections.abc import Mapping

from market.catalog.texts import Text as ListingText
from market.discovery.documents import ranked_text
from search.ranking import Ranker, TermStatistics, Text


class Likeness:
    """Some texts by key; what is common among them counts little."""

    def __init__(self, texts: Mapping[int, str]) -> None:
        made = {key: Text(text) for key, text in texts.items()}
        self._ranker = Ranker(TermStatistics.of(made.values()))
        self._prepared = {key: self._ranker.prepare(text) for key, text in made.items()}

    def between(self, one: int, other: int) -> float:
        """Return how alike two of the texts are, 0 for nothing in common."""
        return self._ranker.score(self._prepared[one], self._prepared[other])

    def to(self, listing: ListingText) -> dict[int, float]:
        """Return how alike each text is to a listing, those with nothing in common left out."""
        wanted = self._ranker.prepare(ranked_text(listing))
        scores = {key: self._ranker.score(wanted, text) for key, text in self._prepared.items()}
        return {key: score for key, score in scores.items() if score > 0}
