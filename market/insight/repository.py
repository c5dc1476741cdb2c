"""The only SQL of insight. It reads every noun and writes nothing."""

from array import array
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, case, extract, false, func, not_, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from market.deals.models import Contract, DealEvent
from market.kit.ids import PublicId, TransactionId
from market.ledger.models import Book, Entry, Kind, Transaction
from market.ledger.repository import counted_entry
from market.ledger.schemas import region_prefix
from market.registry.models import PastRegistration, Registration


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


def _standing(until: date | None = None) -> ColumnElement[bool]:
    """Return the condition for what counts at present, or by what took effect until a day:
    registered or changed, and neither changed again nor taken out.
    """
    later = aliased(Transaction)
    followed = select(col(later.id)).where(col(later.previous_id) == col(Transaction.id))
    known: list[ColumnElement[bool]] = []
    if until is not None:
        followed = followed.where(col(later.effective_on) <= until)
        known = [col(Transaction.effective_on) <= until]
    return and_(
        col(Transaction.book) == Book.STATISTICS,
        col(Transaction.kind) != Kind.REVERSE,
        not_(followed.exists()),
        *known,
    )


def _counted_on() -> ColumnElement[date]:
    """Return the day on which a standing contract was counted first, whatever changed since."""
    changed = col(Transaction.kind) == Kind.CHANGE
    return case((changed, col(Transaction.original_on)), else_=col(Transaction.effective_on))


def _register() -> ColumnElement[int]:
    """Return the registration that a transaction is, changes or takes out."""
    return func.coalesce(col(Transaction.register_id), col(Transaction.id))


@dataclass(frozen=True, slots=True)
class Origin:
    """What a transaction counts: a registration of this market, or a past one brought in."""

    past: bool
    id: PublicId
    number: str | None


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


def alike(
    session: Session, *, region: str, since: date, until: date, told: date | None = None
) -> list[Alike]:
    """Return the contracts that count and touch the region, by what is public of them: at present,
    or by what took effect until the day `told`.

    Days are those of registration, both included; what was registered before `since` is marked.
    """
    day = _counted_on()
    year, month = extract("year", day), extract("month", day)
    seller = here(Transaction.seller_region, region)
    buyer = here(Transaction.buyer_region, region)
    keys = (
        year,
        month,
        (day < since).label("earlier"),
        col(Transaction.contract_type),
        col(Transaction.field),
        seller.label("seller_here"),
        buyer.label("buyer_here"),
        _agreed().label("public"),
    )
    sums = (func.count(), func.sum(col(Entry.amount_fen)), func.sum(col(Transaction.total_fen)))
    query = (
        _with_origin(select(*keys, *sums).select_from(Transaction).join(Entry, counted_entry()))
        .where(_standing(told), day <= until, seller | buyer)
        .group_by(*keys)
    )
    return [
        Alike(
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
        for y, m, e, kind, field, s, b, p, n, t, w in session.execute(query)
    ]


def standing(session: Session) -> Sequence[int]:
    """Return the transactions that count at present, the newest contract first: 8 bytes for one."""
    query = (
        select(col(Transaction.id))
        .where(_standing())
        .order_by(_counted_on().desc(), col(Transaction.seq).desc())
    )
    return array("q", session.scalars(query))


def as_shown(session: Session, ids: Sequence[int]) -> list[tuple[Transaction, bool]]:
    """Return these transactions in this order, each with whether both sides agreed to show names
    and sums.
    """
    query = _with_origin(select(Transaction, _agreed())).where(col(Transaction.id).in_(ids))
    found = {row[0].id: (row[0], bool(row[1])) for row in session.execute(query)}
    return [found[TransactionId(one)] for one in ids]


def private_by_month(
    session: Session, *, region: str, since: date, until: date
) -> list[tuple[date, int]]:
    """Return (first day of a month, registrations) of the months in which something took effect
    that moved the sums of sellers in the region by what is not public; the oldest month first.

    A month may have changes and no registration. Both days are included.
    """
    year = extract("year", col(Transaction.effective_on))
    month = extract("month", col(Transaction.effective_on))
    new = func.sum(case((col(Transaction.kind) == Kind.REGISTER, 1), else_=0))
    query = (
        _with_origin(select(year, month, new).select_from(Transaction))
        .where(
            col(Transaction.book) == Book.STATISTICS,
            col(Transaction.effective_on).between(since, until),
            here(Transaction.seller_region, region),
            not_(_agreed()),
        )
        .group_by(year, month)
        .order_by(year, month)
    )
    return [(date(int(y), int(m), 1), int(n)) for y, m, n in session.execute(query)]


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
        col(Registration.transaction_id), col(Registration.public_id), col(Registration.number)
    ).where(col(Registration.transaction_id).in_(ids))
    brought = select(
        col(PastRegistration.transaction_id),
        col(PastRegistration.public_id),
        col(PastRegistration.number),
    ).where(col(PastRegistration.transaction_id).in_(ids))
    found = {row[0]: Origin(False, row[1], row[2]) for row in session.execute(native)}
    found |= {row[0]: Origin(True, row[1], row[2]) for row in session.execute(brought)}
    return {row.id: found[row.register_id or row.id] for row in transactions}
