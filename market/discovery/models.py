"""Which achievements fit which demand, and what its owner decided about each."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Float, Index, UniqueConstraint
from sqlalchemy.types import JSON
from sqlmodel import Field

from market.kit.columns import BIG, Table, big, choice, fk, moment, one_of, pk, public_id, words
from market.kit.ids import ListingId, PersonId, PublicId


class MatchChoice(StrEnum):
    """What the demand's owner made of a match."""

    NEW = "new"
    SUITABLE = "suitable"
    UNSUITABLE = "unsuitable"
    ASKED = "asked"


class UnsuitableReason(StrEnum):
    ROUTE = "route"
    IMMATURE = "immature"
    PRICE = "price"
    SOLVED = "solved"
    OTHER = "other"


EDGES: Final[dict[MatchChoice, frozenset[MatchChoice]]] = {
    MatchChoice.NEW: frozenset({MatchChoice.SUITABLE, MatchChoice.UNSUITABLE, MatchChoice.ASKED}),
    MatchChoice.SUITABLE: frozenset({MatchChoice.NEW, MatchChoice.UNSUITABLE, MatchChoice.ASKED}),
    MatchChoice.UNSUITABLE: frozenset(MatchChoice),  # itself: for another reason
    MatchChoice.ASKED: frozenset({MatchChoice.SUITABLE, MatchChoice.UNSUITABLE}),
}


class Match(Table, table=True):
    """One achievement that fits one demand.

    `score` (0 … 1) only orders the matches of one demand; it is shown to nobody. `explanation` is
    `reasons.Reasons` as JSON. The versions are those of the documents that were compared. What was
    decided outlives every new comparison; what was not goes when the pair no longer holds. `band`
    says how often people found such pairs relevant (`bands`), "" where it is not known. `dealt_at`
    is when a contract about the two was signed.
    """

    __tablename__ = "match"
    __table_args__ = (
        one_of("state", MatchChoice),
        one_of("reason", UnsuitableReason, nullable=True),
        UniqueConstraint("demand_id", "achievement_id"),
        Index("ix_match_achievement", "achievement_id", "state"),
    )

    id: int = pk()
    public_id: PublicId = public_id()
    demand_id: ListingId = fk("listing.id", index=False)
    achievement_id: ListingId = fk("listing.id", index=False)
    score: float = Field(sa_type=Float)
    band: str = words(20, default="")
    explanation: dict[str, Any] = Field(sa_type=JSON)
    demand_version: int = big()
    achievement_version: int = big()
    state: str = choice(default=MatchChoice.NEW)
    reason: str | None = choice(nullable=True)
    note: str = words(300, default="")
    decided_by: PersonId | None = fk("person.id", nullable=True, index=False)
    decided_at: datetime | None = moment(nullable=True)
    dealt_at: datetime | None = moment(nullable=True)
    found_at: datetime = moment()


class MatchState(Table, table=True):
    """That a demand was compared: with how many achievements, when, and what came nearest.

    `bar` is the score above which another achievement would change what is shown. `nearest` is kept
    where nothing was good enough: [{"achievement_id", "missing": [word, …]}].
    """

    __tablename__ = "match_state"

    demand_id: ListingId = Field(primary_key=True, sa_type=BIG, foreign_key="listing.id")
    version: int = big()
    compared: int = big()
    bar: float = Field(sa_type=Float)
    nearest: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    matched_at: datetime = moment()


class MatchDue(Table, table=True):
    """A demand to be compared anew though its text did not change.

    `judged`: because of a decision, of which nearly equal demands learn as well.
    """

    __tablename__ = "match_due"

    demand_id: ListingId = Field(primary_key=True, sa_type=BIG, foreign_key="listing.id")
    judged: bool
    since: datetime = moment()


class MatchShown(Table, table=True):
    """At which rank (1 …) and in which band a pair last stood when its demand's owner, or the
    owner's broker, looked at what waited. Nobody is named.
    """

    __tablename__ = "match_shown"

    demand_id: ListingId = Field(primary_key=True, sa_type=BIG, foreign_key="listing.id")
    achievement_id: ListingId = Field(primary_key=True, sa_type=BIG, foreign_key="listing.id")
    rank: int
    band: str = words(20)
    shown_at: datetime = moment(index=True)
