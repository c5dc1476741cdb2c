"""What “相关程度” means: how well the text fits, and a little how new and how complete it is.

The engine finds and scores by text; of what it puts first, DEPTH are put in order here, so that any
engine gives the same. A page beyond follows in the engine's order: nothing is shown twice or left
out.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Final

from market.catalog.schemas import AchievementText, DemandText
from market.catalog.vocabulary import PriceForm
from market.kit.clock import SHANGHAI
from search.result import Hit

FRESHNESS: Final = 0.10
"""What a listing published just now gains on one of long ago, as a part of its text's score."""

COMPLETENESS: Final = 0.10
"""What a listing that says everything gains on one that has a title only."""

HALF_LIFE: Final = timedelta(days=180)
DEPTH: Final = 100

PUBLISHED: Final = "published_at"
COMPLETE: Final = "completeness"
MOST_COMPLETE: Final = 8
NUMBERS: Final = (PUBLISHED, COMPLETE)

_SAID: Final = 100  # characters from which on a text explains something


def completeness(text: AchievementText | DemandText) -> int:
    """Return how much of what people ask for a listing says, 0 … MOST_COMPLETE."""
    if isinstance(text, AchievementText):
        own: tuple[object, ...] = (text.application, text.advantage, text.maturity_level)
        prose = text.body
    else:
        own = (text.key_technology, text.expected_goal, text.deadline)
        prose = text.body + text.problem
    said = (
        text.summary,
        len(prose) >= _SAID,
        text.keywords,
        text.field,
        text.price.form is not PriceForm.NONE,
        *own,
    )
    return sum(1 for one in said if one)


def mixed(hit: Hit, today: date) -> float:
    """Return the score that orders: the text's, raised by at most FRESHNESS + COMPLETENESS.

    It stands for a day, so that a person who turns pages sees each listing once.
    """
    midnight = datetime.combine(today, time(), SHANGHAI).timestamp()
    age = max(0.0, midnight - hit.numbers.get(PUBLISHED, 0))
    fresh = math.exp2(-age / HALF_LIFE.total_seconds())
    complete = hit.numbers.get(COMPLETE, 0) / MOST_COMPLETE
    return hit.score * (1 + FRESHNESS * fresh + COMPLETENESS * complete)


def in_order(hits: Iterable[Hit], today: date) -> Sequence[Hit]:
    """Return hits best first; equal ones by id."""
    return sorted(hits, key=lambda hit: (-mixed(hit, today), hit.id))
