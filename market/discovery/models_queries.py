"""What people searched for with success, kept without anybody's name.

A text is written down only once several organisations have typed it; until then there are two
digests, from which neither the text nor who typed it can be read.
"""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field

from market.kit.columns import Table, moment, pk, words

LONGEST_TEXT, LONGEST_SPELLING = 40, 240


class QuerySighting(Table, table=True):
    """That somebody of one organisation searched for something and found it: keyed digests."""

    __tablename__ = "query_sighting"

    text_digest: str = Field(primary_key=True, max_length=32)
    visitor_digest: str = Field(primary_key=True, max_length=32)
    seen_at: datetime = moment(index=True)


class PastQuery(Table, table=True):
    """A text to suggest. `folded` tells texts apart; `syllables` and `initials` are its pinyin."""

    __tablename__ = "past_query"
    __table_args__ = (Index("ix_past_query_used", "used_at"),)

    id: int = pk()
    folded: str = Field(max_length=LONGEST_TEXT, unique=True)
    text: str = words(LONGEST_TEXT)
    syllables: str = words(LONGEST_SPELLING)
    initials: str = words(LONGEST_TEXT)
    uses: int = 1
    used_at: datetime = moment()
