"""Comparable deals: what like contracts were registered for, in bands that reveal no single price.

Every quarter that is over, registered contracts whose sums are not public are put into groups of
one type and field that say much the same. A contract enters one group, once; a group and its bands
never change; each band holds at least FLOOR contracts on edges that are the same for everyone. An
answer is a choice of whole groups by their texts alone. So whatever two answers differ by is whole
groups again, and no arithmetic on answers, of one listing or many, today or later, isolates fewer
than FLOOR prices (docs/decisions/0015-comparable-deals.md). A group of which a contract was changed
or taken out of the ledger, or became public so that a band has fewer than FLOOR private ones left,
is not shown any more; its contracts do not enter another.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import pairwise
from typing import Final

from sqlmodel import Session

from market.access import service as access
from market.accounts.policy import Action, Relation
from market.accounts.work import Work
from market.catalog import views as catalog
from market.catalog.texts import Text as ListingText
from market.catalog.vocabulary import Mode
from market.deals.vocabulary import ContractType
from market.discovery.likeness import Likeness
from market.kit.clock import SHANGHAI, local_date
from market.kit.errors import NotFound
from market.kit.ids import PublicId
from market.registry import repository_comparables as repository
from market.registry.models_comparables import ComparableGroup
from market.registry.repository_comparables import Candidate, Told

FLOOR: Final = 5
GROUP: Final = 15
"""Contracts that a group grows to, enough for two or three bands; it may need more for two."""
POOL: Final = 300
"""Contracts that are grouped together at most; more are taken in the order they were counted."""
GROUPS: Final = 3
LOOKED_THROUGH: Final = 200
PUBLIC: Final = 5
_WAN: Final = 1_000_000
EDGES: Final = tuple(
    step * 10**power * _WAN for power in range(6) for step in (1, 2, 5)
)  # 1万, 2万, 5万, 10万 … 50亿元
MONTHS: Final = 3

TYPES: Final[Mapping[Mode, ContractType]] = {
    Mode.PATENT_ASSIGNMENT: ContractType.TRF,
    Mode.APPLICATION_ASSIGNMENT: ContractType.TRF,
    Mode.EQUITY: ContractType.TRF,
    Mode.SOLE: ContractType.LIC,
    Mode.EXCLUSIVE: ContractType.LIC,
    Mode.PLAIN: ContractType.LIC,
    Mode.JOINT: ContractType.DEV,
}
"""The type of contract by which a mode of cooperation is registered; 技术入股 registers as TRF."""


@dataclass(frozen=True, slots=True)
class Band:
    """Prices from `low` up to below `high`, in fen; None where a band is open on that side."""

    low: int | None
    high: int | None
    count: int


@dataclass(frozen=True, slots=True)
class Group:
    """One group of like contracts as it is shown; `until` is the first day it does not reach."""

    id: int
    contract_type: ContractType
    field: int
    until: date
    bands: tuple[Band, ...]


@dataclass(frozen=True, slots=True)
class Open:
    """One contract whose sides agreed that names and sum are public."""

    project_name: str
    seller_name: str
    buyer_name: str
    total_fen: int
    registered_on: date


@dataclass(frozen=True, slots=True)
class Comparables:
    groups: tuple[Group, ...]
    public: tuple[Open, ...]


def quarter_start(today: date) -> date:
    """Return the first day of the quarter that is not over yet."""
    return date(today.year, (today.month - 1) // MONTHS * MONTHS + 1, 1)


def form(session: Session, now: datetime, limit: int = 500) -> int:
    """Group what was counted before the present quarter and is in no group yet, until `limit`
    groups are formed. Return how many were; 0 when what is left makes none.
    """
    until = quarter_start(local_date(now))
    before = datetime.combine(until, time(), SHANGHAI).astimezone(UTC)
    formed = 0
    for contract_type, field in repository.kinds_waiting(session, before, 2 * FLOOR):
        pool = repository.waiting(session, contract_type, field, before, POOL)
        for members in grouped(pool):
            bands = bands_of(members)
            repository.add_group(session, contract_type, field, until, bands, members)
            formed += 1
        if formed >= limit:
            break
    return formed


def grouped(pool: Sequence[Candidate]) -> list[list[Candidate]]:
    """Return disjoint groups of like contracts, each with at least two bands; the rest waits."""
    likeness = Likeness({one.transaction_id: one.project_name for one in pool})
    left, found = list(pool), []
    while len(left) >= 2 * FLOOR:
        seed = left[0].transaction_id
        scores = {
            one.transaction_id: likeness.between(seed, one.transaction_id) for one in left[1:]
        }
        alike = sorted(left[1:], key=lambda one: -scores[one.transaction_id])
        members = [left[0], *alike[: GROUP - 1]]
        for one in alike[GROUP - 1 :]:
            if len(bands_of(members)) > 1:
                break
            members.append(one)
        if len(bands_of(members)) < 2:
            break
        found.append(members)
        taken = {one.transaction_id for one in members}
        left = [one for one in left if one.transaction_id not in taken]
    return found


def bands_of(members: Iterable[Candidate]) -> tuple[Band, ...]:
    """Return bands of at least FLOOR contracts each, between EDGES, the outermost open; nothing
    for fewer than FLOOR.
    """
    cells = Counter(sum(one.total_fen >= edge for edge in EDGES) for one in members)
    ends: list[int] = []
    counts: list[int] = []
    waiting = 0
    for cell in sorted(cells):
        waiting += cells[cell]
        if waiting >= FLOOR:
            ends.append(cell)
            counts.append(waiting)
            waiting = 0
    if not counts:
        return ()
    counts[-1] += waiting
    edges = [None, *(EDGES[cell] for cell in ends[:-1]), None]
    return tuple(
        Band(low, high, count) for (low, high), count in zip(pairwise(edges), counts, strict=True)
    )


def of_listing(work: Work, public_id: PublicId) -> Comparables:
    """Return what was paid for the like of a listing that the actor sees.

    Raises NotFound, Forbidden.
    """
    listing = access.visible_listing(work, public_id)
    own = listing.organisation_id == work.actor.organisation_id
    work.require(Action.COMPARABLE_VIEW, Relation.OWN if own else Relation.OTHER)
    source = catalog.document_source(work.session, [listing.id]).get(listing.id)
    if source is None:
        raise NotFound
    types = {TYPES[Mode(one)] for one in source.text.modes if Mode(one) in TYPES}
    return Comparables(
        groups=_like_groups(work.session, source.text, types),
        public=_like_public(work.session, source.text, types),
    )


def _like_groups(
    session: Session, wanted: ListingText, types: set[ContractType]
) -> tuple[Group, ...]:
    found = repository.groups(session, wanted.field, types or set(ContractType), LOOKED_THROUGH)
    rows = {row.id: row for row in _still_shown(session, found)}
    names = repository.names_in(session, rows)
    scores = Likeness({key: "；".join(names[key]) for key in rows}).to(wanted)
    best = sorted(scores, key=lambda key: (-scores[key], key))
    return tuple(_group(rows[key]) for key in best[:GROUPS])


def _still_shown(session: Session, rows: Sequence[ComparableGroup]) -> list[ComparableGroup]:
    """Return the groups that are whole: nothing changed since or taken out, FLOOR private sums in
    every band.
    """
    private = repository.private_counts(session, [row.id for row in rows])
    broken = repository.moved_on(session, [row.id for row in rows])
    return [
        row
        for row in rows
        if row.id not in broken
        and all(private.get((row.id, place), 0) >= FLOOR for place in range(len(row.bands)))
    ]


def _group(row: ComparableGroup) -> Group:
    return Group(
        id=row.id,
        contract_type=ContractType(row.contract_type),
        field=row.field,
        until=row.until,
        bands=tuple(Band(*one) for one in row.bands),
    )


def _like_public(
    session: Session, wanted: ListingText, types: set[ContractType]
) -> tuple[Open, ...]:
    found = repository.public_contracts(
        session, wanted.field, types or set(ContractType), LOOKED_THROUGH
    )
    rows = {int(row.transaction.id): row for row in found}
    names = {key: row.transaction.project_name for key, row in rows.items()}
    scores = Likeness(names).to(wanted)
    best = [rows[key] for key in sorted(scores, key=lambda key: (-scores[key], key))[:PUBLIC]]
    return tuple(_open(row) for row in best)


def _open(row: Told) -> Open:
    told = row.transaction
    return Open(
        told.project_name, told.seller_name, told.buyer_name, told.total_fen, row.registered_on
    )
