"""What people decided about matches, as judgements that the scorer understands."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from market.catalog.views import Source
from market.discovery.models import Match, MatchChoice
from market.kit.ids import ListingId
from search.feedback import Feedback, Judgement
from search.ranking import Prepared, Ranker

LIKE: Final = 20
"""Demands looked at for nearly equal ones."""
MOST: Final = 100
"""Decisions of one demand that count, the newest: the time they cost is bounded."""
_LEVELS: Final = {
    MatchChoice.UNSUITABLE: 1,
    MatchChoice.SUITABLE: 3,
    MatchChoice.ASKED: 3,
}
_DEAL: Final = 4


@dataclass(frozen=True, slots=True)
class Compared:
    """A visible listing ready to be scored; `version` is its document's."""

    source: Source
    version: int
    prepared: Prepared


def level(row: Match) -> int:
    """Return the level of a decided match: 1 declined, 3 accepted or asked about, 4 a contract."""
    return _DEAL if row.dealt_at is not None else _LEVELS[MatchChoice(row.state)]


def newest(rows: Iterable[Match]) -> dict[ListingId, list[Match]]:
    """Return the newest MOST decisions of each demand; rows without a time are old."""
    found: dict[ListingId, list[Match]] = defaultdict(list)
    for row in sorted(rows, key=_decided_at, reverse=True):
        if len(found[row.demand_id]) < MOST:
            found[row.demand_id].append(row)
    return dict(found)


def _decided_at(row: Match) -> datetime:
    return row.decided_at or row.found_at


def feedback(
    ranker: Ranker,
    demand: Compared,
    decided: Mapping[ListingId, Sequence[Match]],
    listings: Mapping[ListingId, Compared],
) -> Feedback:
    """Return what decisions say of the demand's candidates; listings that nobody sees any more say
    nothing.
    """

    def judgements(of: Compared) -> Iterator[Judgement]:
        for row in decided.get(of.source.listing_id, ()):
            if (other := listings.get(row.achievement_id)) is not None:
                score = ranker.score(of.prepared, other.prepared)
                yield Judgement(row.achievement_id, other.prepared, level(row), score)

    own = demand.source.listing_id
    others = [listings[one] for one in decided if one != own and one in listings]
    return Feedback(
        demand.prepared,
        judgements(demand),
        [(one.prepared, judgements(one)) for one in others],
    )
