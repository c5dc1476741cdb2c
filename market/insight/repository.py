"""The only SQL of insight. It reads every noun and writes nothing."""

from array import array
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, case, extract, false, func, not_, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from market.deals.models import Contract, DealEvent
from market.kit.db import streamed
from market.kit.ids import PublicId, TransactionId
from market.ledger.models import Book, Entry, Kind, Transaction
from market.ledger.repository import counted_entry
from market.ledger.schemas import region_prefix
from market.registry.models import Cause, PastRegistration, Registration
from market.registry.states import ENDED, RegistrationState


@dataclass(frozen=True, slots=True)
class Alike:
    """Counted contracts alike in month, type, field, sides in the region, and publicity.

    `earlier`: registered before the plan's period. `public`: both sides agreed that names and sums
    are shown. Amounts in fen.
    """

    year: int
    month: int
    earlier: bool
    contract_type: str
    field: int
    seller_here: bool
    buyer_here: bool
    public: bool
    count: int
    technical_fen: int
    total_fen: int


@dataclass(frozen=True, slots=True)
class Span:
    """Contracts as in `row`, which entered the sums in a month ("2026-11") and left them in another
    one, None where they stand. `contract` tells one apart that was changed or taken out.
    """

    row: Alike
    entered: str
    left: str | None
    contract: int | None


def _standing() -> ColumnElement[bool]:
    """Return the condition for what counts at present: registered or changed, and neither changed
    again nor taken out.
    """
    later = aliased(Transaction)
    followed = select(col(later.id)).where(col(later.previous_id) == col(Transaction.id))
    return and_(
        col(Transaction.book) == Book.STATISTICS,
        col(Transaction.kind) != Kind.REVERSE,
        not_(followed.exists()),
    )


def _counted_on() -> ColumnElement[date]:
    """Return the day on which a standing contract was counted first, whatever changed since."""
    changed = col(Transaction.kind) == Kind.CHANGE
    return case((changed, col(Transaction.original_on)), else_=col(Transaction.effective_on))


def _register() -> ColumnElement[int]:
    """Return the registration that a transaction is, changes or takes out."""
    return func.coalesce(col(Transaction.register_id), col(Transaction.id))


_OUT: Final = frozenset({*ENDED, RegistrationState.WITHDRAWN})
_PAST_OUT: Final[Mapping[str | None, str]] = {
    Cause.MISTAKE: RegistrationState.WITHDRAWN,
    Cause.CANCELLED: RegistrationState.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class Origin:
    """What a transaction counts: a registration of this market, or a past one brought in.

    `ended`: what has become of it, "" while it stands: cancelled, revoked, or withdrawn as copied
    or brought in wrongly.
    """

    past: bool
    id: PublicId
    number: str | None
    ended: str


def _agreed() -> ColumnElement[bool]:
    """Return whether both sides agreed, where `_with_origin` has joined what was counted."""
    return func.coalesce(
        and_(col(Contract.seller_agrees_public), col(Contract.buyer_agrees_public)),
        col(PastRegistration.public),
        false(),
    )


def _with_origin(query: Any) -> Any:
    """Join each counting transaction to what it counted, whichever of the two it is."""
    return (
        query.outerjoin(Registration, col(Registration.transaction_id) == _register())
        .outerjoin(Contract, col(Contract.id) == col(Registration.contract_id))
        .outerjoin(PastRegistration, col(PastRegistration.transaction_id) == _register())
    )


def here(column: Any, region: str) -> ColumnElement[bool]:
    return col(column).startswith(region_prefix(region), autoescape=True)


def alike(session: Session, *, region: str, since: date, until: date) -> list[Alike]:
    """Return the contracts that count at present and touch the region, by what is public of them.

    Days are those of registration, both included; what was registered before `since` is marked.
    """
    day = _counted_on()
    keys = _keys(day, since, region)
    sums = (func.count(), func.sum(col(Entry.amount_fen)), func.sum(col(Transaction.total_fen)))
    query = (
        _with_origin(select(*keys, *sums).select_from(Transaction).join(Entry, counted_entry()))
        .where(_standing(), day <= until, _touches(region))
        .group_by(*keys)
    )
    return [_alike(row) for row in session.execute(query)]


def _touches(region: str) -> ColumnElement[bool]:
    return here(Transaction.seller_region, region) | here(Transaction.buyer_region, region)


def _keys(day: ColumnElement[date], since: date, region: str) -> tuple[Any, ...]:
    """Return by what contracts are alike to the public, in the order in which `_alike` takes it."""
    return (
        extract("year", day),
        extract("month", day),
        (day < since).label("earlier"),
        col(Transaction.contract_type),
        col(Transaction.field),
        here(Transaction.seller_region, region).label("seller_here"),
        here(Transaction.buyer_region, region).label("buyer_here"),
        _agreed().label("public"),
    )


def _alike(row: Sequence[Any]) -> Alike:
    """Return what stands in `_keys`, a number and two sums."""
    y, m, e, kind, field, s, b, p, n, t, w = row
    return Alike(
        year=int(y),
        month=int(m),
        earlier=bool(e),
        contract_type=kind,
        field=field,
        seller_here=bool(s),
        buyer_here=bool(b),
        public=bool(p),
        count=int(n),
        technical_fen=int(t),
        total_fen=int(w),
    )


def standing(session: Session) -> Sequence[int]:
    """Return the transactions that count at present, the newest contract first: 8 bytes for one."""
    query = (
        select(col(Transaction.id))
        .where(_standing())
        .order_by(_counted_on().desc(), col(Transaction.seq).desc())
    )
    return array("q", session.scalars(query))


def newest(session: Session, limit: int) -> list[int]:
    """Return the first so many of `standing`, without looking at the rest of the book.

    A contract was counted first no later than on the day on which what stands of it took effect:
    from the newest such day back, none comes any more once that day is before the last one found.
    """
    query = (
        select(
            _counted_on(),
            col(Transaction.seq),
            col(Transaction.id),
            col(Transaction.effective_on),
        )
        .where(_standing())
        .order_by(col(Transaction.effective_on).desc(), col(Transaction.seq).desc())
    )
    found: list[tuple[date, int, int]] = []
    for counted, seq, one, effective in streamed(session, query):
        if len(found) == limit and effective < found[-1][0]:
            break
        found = sorted([*found, (counted, seq, one)], reverse=True)[:limit]
    return [one for _, _, one in found]


def as_shown(session: Session, ids: Sequence[int]) -> list[tuple[Transaction, bool]]:
    """Return these transactions in this order, each with whether both sides agreed to show names
    and sums.
    """
    query = _with_origin(select(Transaction, _agreed())).where(col(Transaction.id).in_(ids))
    found = {row[0].id: (row[0], bool(row[1])) for row in session.execute(query)}
    return [found[TransactionId(one)] for one in ids]


def spans(session: Session, *, region: str, since: date, until: date, closed: date) -> list[Span]:
    """Return what touches the region and took effect in the closed months, be it in force or no
    more, by what is public of it and by the months in which it came and went.

    Days are those of registration, as `alike` has them; `closed` is the last day of what is closed.
    """
    later = aliased(Transaction)
    day = _counted_on()
    moved = or_(col(Transaction.kind) == Kind.CHANGE, col(later.id).is_not(None))
    keys = (
        *_keys(day, since, region),
        extract("year", col(Transaction.effective_on)).label("entered_year"),
        extract("month", col(Transaction.effective_on)).label("entered_month"),
        extract("year", col(later.effective_on)).label("left_year"),
        extract("month", col(later.effective_on)).label("left_month"),
        case((moved, _register()), else_=None).label("contract"),
    )
    sums = (func.count(), func.sum(col(Entry.amount_fen)), func.sum(col(Transaction.total_fen)))
    followed = and_(
        col(later.previous_id) == col(Transaction.id), col(later.effective_on) <= closed
    )
    query = (
        _with_origin(select(*keys, *sums).select_from(Transaction).join(Entry, counted_entry()))
        .outerjoin(later, followed)
        .where(
            col(Transaction.book) == Book.STATISTICS,
            col(Transaction.kind) != Kind.REVERSE,
            col(Transaction.effective_on) <= closed,
            day <= until,
            _touches(region),
        )
        .group_by(*keys)
    )
    return [_span(row) for row in session.execute(query)]


def _span(row: Any) -> Span:
    *keys, ey, em, ly, lm, contract, n, fen, whole = row
    entered = f"{int(ey)}-{int(em):02d}"
    left = None if ly is None else f"{int(ly)}-{int(lm):02d}"
    one = None if contract is None else int(contract)
    return Span(_alike((*keys, n, fen, whole)), entered, left, one)


def count_standing(session: Session, since: date) -> int:
    """Return how many contracts that count at present were counted first on a day or later."""
    query = select(func.count()).select_from(Transaction).where(_standing(), _counted_on() >= since)
    return int(session.execute(query).scalar_one())


def disclosures(session: Session) -> int:
    """Return how often a side has said whether its contract may be public; it only grows."""
    query = select(func.count()).select_from(DealEvent).where(col(DealEvent.kind) == "disclosure")
    return int(session.execute(query).scalar_one())


def origins(session: Session, transactions: Sequence[Transaction]) -> dict[TransactionId, Origin]:
    """Return what is behind each transaction, be it the counting, a change or the taking out."""
    ids: Collection[TransactionId] = {row.register_id or row.id for row in transactions}
    native = select(
        col(Registration.transaction_id),
        col(Registration.public_id),
        col(Registration.number),
        col(Registration.state),
    ).where(col(Registration.transaction_id).in_(ids))
    brought = select(
        col(PastRegistration.transaction_id),
        col(PastRegistration.public_id),
        col(PastRegistration.number),
        col(PastRegistration.cause),
    ).where(col(PastRegistration.transaction_id).in_(ids))
    found = {
        row[0]: Origin(False, row[1], row[2], row[3] if row[3] in _OUT else "")
        for row in session.execute(native)
    }
    found |= {
        row[0]: Origin(True, row[1], row[2], _PAST_OUT.get(row[3], ""))
        for row in session.execute(brought)
    }
    return {row.id: found[row.register_id or row.id] for row in transactions}
