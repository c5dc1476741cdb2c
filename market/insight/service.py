"""The board: the ledger's sums against the plan, exact for the bureau, guarded for the public."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlmodel import Session

from market.accounts import repository as accounts
from market.accounts.policy import Action, Relation, Role
from market.accounts.work import Work
from market.insight import repository
from market.insight import repository_reports as reported
from market.insight.pace import month_end, pace
from market.insight.public import (
    BOTH,
    EARLIER,
    IN,
    OUT,
    PublicFigures,
    field_name,
    largest_first,
    type_name,
)
from market.insight.told import Told, told
from market.insight.views import (
    Board,
    Figure,
    HomeFigures,
    Line,
    Lines,
    PublicContract,
    Seller,
    figure,
)
from market.kit.errors import NotFound
from market.kit.ids import OrganisationId, PublicId, TransactionId
from market.kit.memo import Memo, Value
from market.ledger import periods
from market.ledger import service as ledger
from market.ledger.models import Kind, Transaction
from market.ledger.schemas import By, Slice, Sum
from market.ledger.tally import Part as TalliedPart
from market.ledger.tally import Tally
from market.ledger.tally import at_head as tally_at_head
from market.rules import service as rules
from market.rules.models import Plan

PAGE_SIZE = 50
RECENT_DAYS = 90


def board(work: Work) -> Board | None:
    """Return the board as the actor may see it; None where the bureau has set no plan."""
    plan = rules.current_plan(work.session)
    if plan is None:
        return None
    if work.may(Action.BOARD_CONTRACTS, Relation.OTHER):
        found = once(work, "exact board", mark_of(work, plan), lambda: _exact_board(work, plan))
    else:
        found = _kept_public_board(work, plan)
    return replace(found, plan=plan)


def _exact_board(work: Work, plan: Plan) -> Board:
    book = tally(work, plan)
    outgoing = figure(book.total())
    months = tuple(figure(row) for row in book.sums(By.MONTH))
    year_ago = book.total_between(work.today - timedelta(days=364), work.today)
    return Board(
        plan=plan,
        as_of=work.today,
        exact=True,
        outgoing=outgoing,
        incoming=figure(book.total_incoming()),
        both=figure(book.total_both()),
        pace=pace(plan, outgoing.technical_fen or 0, work.today),
        years=tuple(figure(row) for row in book.sums(By.YEAR)),
        months=months,
        types=tuple(figure(row, type_name(row.key)) for row in book.sums(By.TYPE)),
        fields=tuple(figure(row, field_name(row.key)) for row in book.sums(By.FIELD)),
        sellers=_sellers(work, book.sums(By.SELLER)),
        points=tuple(_curve(months, work.today)),
        recent_monthly_fen=year_ago.technical_fen // 12,
        earlier=tuple(
            figure(row)
            for row in book.years_before()
            if row.count or row.technical_fen  # a year of which all was taken back is none
        ),
    )


def tally(work: Work, plan: Plan) -> Tally:
    """Return the sums of the plan's part of the book, kept by the process for the next reader."""
    session, part = work.session, TalliedPart(plan.region, plan.from_on, plan.to_on)
    memo: Memo[Tally] = work.parts.memos.of("tally")
    mark = (part, *ledger.head(session))
    return once(work, "tally", mark, lambda: tally_at_head(session, part, memo.newest))


def _plan_part(plan: Plan) -> Slice:
    return Slice(since=plan.from_on, until=plan.to_on, seller_region=plan.region)


def _incoming_part(plan: Plan) -> Slice:
    return Slice(since=plan.from_on, until=plan.to_on, buyer_region=plan.region)


def _before(plan: Plan) -> Slice:
    return Slice(until=plan.from_on - timedelta(days=1), seller_region=plan.region)


def _sellers(work: Work, rows: Sequence[Sum]) -> tuple[Seller, ...]:
    ids = {OrganisationId(int(row.key)) for row in rows if row.key}
    known = accounts.organisations(work.session, ids)
    return tuple(
        Seller(known[OrganisationId(int(row.key))].public_id if row.key else None, figure(row))
        for row in rows
    )


def _curve(months: Sequence[Figure], today: date) -> Iterator[tuple[date, int]]:
    reached = 0
    for month in months:
        reached += month.technical_fen or 0
        yield min(month_end(month.key), today), reached


def mark_of(work: Work, plan: Plan | None) -> Hashable:
    """Return what a board depends on: the book, what of it is closed, what may be shown, the plan,
    the day.
    """
    session = work.session
    shown = None if plan is None else plan.public_id
    closed = periods.closed_through(session)
    return (*ledger.head(session), closed, repository.disclosures(session), shown, work.today)


def once(work: Work, name: str, mark: Hashable, make: Callable[[], Value]) -> Value:
    """Return what was kept for this state of the data, or make it. A writing transaction keeps
    nothing: what it sees may never be committed.
    """
    if work.session.get_bind() is not work.parts.database.reader:
        return make()
    memo: Memo[Value] = work.parts.memos.of(name)
    return memo.get(mark, make)


def _kept_public_board(work: Work, plan: Plan) -> Board:
    return once(work, "public board", mark_of(work, plan), lambda: _public_board(work, plan))


def _public_board(work: Work, plan: Plan) -> Board:
    found, day = _figures(work, plan)
    outgoing = found.figure(OUT)
    years = found.figures("year:")
    months = found.figures("month:")
    reached = outgoing.technical_fen
    return Board(
        plan=plan,
        as_of=day,
        exact=False,
        outgoing=outgoing,
        incoming=found.figure(IN),
        both=found.figure(BOTH),
        pace=None if reached is None else pace(plan, reached, day),
        years=years,
        months=months,
        types=largest_first(found.figures("type:", type_name)),
        fields=largest_first(found.figures("field:", field_name)),
        sellers=(),
        points=tuple(_public_curve(years, months, outgoing, day)),
        recent_monthly_fen=None,
        earlier=found.figures("earlier:"),
    )


def _figures(work: Work, plan: Plan) -> tuple[PublicFigures | Told, date]:
    """Return the figures that anyone may see, and of which day they are: of the newest closed month
    that may be told of, of today where no month was ever closed.
    """
    session, closed = work.session, periods.closed_through(work.session)
    if closed is None:
        rows = repository.alike(session, region=plan.region, since=plan.from_on, until=plan.to_on)
        return PublicFigures(rows), work.today

    def make() -> Told:
        spans = repository.spans(
            session, region=plan.region, since=plan.from_on, until=plan.to_on, closed=closed
        )
        return told(spans, plan.from_on, closed)

    # What is closed does not change, whatever is posted since.
    shown = plan.public_id, plan.region, plan.from_on, plan.to_on
    found = once(work, "told", (closed, repository.disclosures(session), *shown), make)
    return found, found.as_of


def _public_curve(
    years: Sequence[Figure], months: Sequence[Figure], outgoing: Figure, today: date
) -> Iterator[tuple[date, int]]:
    """Yield only points that the public tables add up to anyway, all of the same day."""
    if outgoing.technical_fen is None:
        return
    reached = 0
    for year in years:
        if year.technical_fen is None or year.as_of is not None:
            break
        so_far = reached
        for month in (row for row in months if row.key.startswith(year.key)):
            if month.technical_fen is None or month.as_of is not None:
                break
            so_far += month.technical_fen
            yield min(month_end(month.key), today), so_far
        reached += year.technical_fen
        if int(year.key) < today.year:
            yield date(int(year.key), 12, 31), reached
    yield today, outgoing.technical_fen


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which contracts a figure is made of.

    `side`: "out" sellers in the plan's region, "in" buyers in it, "" everyone. Where a side is
    chosen the plan's period bounds the days; "earlier" are sellers in the region before it.
    `outside` and `outside_buyer` name a side that is no organisation of the market; `agency` has
    what an agency brought about.
    """

    side: str = ""
    contract_type: str | None = None
    field: int | None = None
    year: int | None = None
    month: int | None = None
    seller: PublicId | None = None
    outside: str = ""
    buyer: PublicId | None = None
    outside_buyer: str = ""
    agency: PublicId | None = None


def contracts(work: Work, chosen: Chosen, page: int = 1) -> Lines:
    """Return the ledger's lines behind a figure: all for the bureau, one's own for a party.

    They add up to `sum`. Raises NotFound for an unknown seller; to a party for any agency, too.
    """
    bureau = work.actor.role is Role.OFFICER
    work.require(Action.BOARD_CONTRACTS, Relation.OTHER if bureau else Relation.OWN)
    if chosen.agency is not None and not bureau:
        raise NotFound
    part = _part(work, chosen, None if bureau else work.actor.organisation)
    found = ledger.lines(work.session, part, limit=PAGE_SIZE, offset=(page - 1) * PAGE_SIZE)
    number, total = once(  # over all of them: not again for each of its pages
        work,
        "lines",
        (part, *ledger.head(work.session)),
        lambda: (ledger.count_lines(work.session, part), ledger.total(work.session, part)),
    )
    behind = repository.origins(work.session, found)
    moved = ledger.moved(work.session, part, [row.id for row in found])
    said = _said(work.session, found, part.party_id)
    return Lines(
        rows=[Line(row, said[row.id], behind[row.id], moved[row.id]) for row in found],
        number=number,
        sum=figure(total),
        since=part.since,
        until=part.until,
        seller_id=part.seller_id,
    )


def _said(
    session: Session, found: Sequence[Transaction], party: OrganisationId | None
) -> dict[TransactionId, Transaction]:
    """Return what each line tells: to a party that left by a change, what was said before."""
    left = {
        row.previous_id: row
        for row in found
        if party is not None
        and row.previous_id is not None
        and party not in (row.seller_id, row.buyer_id)
    }
    before = ledger.by_ids(session, list(left)) if left else {}
    told = {row.id: row for row in found}
    return told | {row.id: before[previous] for previous, row in left.items()}


def _part(work: Work, chosen: Chosen, party: OrganisationId | None) -> Slice:
    agency = _id_of(work, chosen.agency)
    part = replace(
        _of_side(rules.current_plan(work.session), chosen.side),
        contract_type=chosen.contract_type,
        field=chosen.field,
        seller_id=_id_of(work, chosen.seller),
        buyer_id=_id_of(work, chosen.buyer),
        party_id=party,
        outside_seller=chosen.outside or None,
        outside_buyer=chosen.outside_buyer or None,
        registrations=None if agency is None else reported.brought_by(work.session, agency),
    )
    if chosen.year is None:
        return part
    first = date(chosen.year, chosen.month or 1, 1)
    last = month_end(f"{chosen.year}-{chosen.month or 12:02d}")
    return part.narrowed(since=first, until=last)


def _id_of(work: Work, named: PublicId | None) -> OrganisationId | None:
    if named is None:
        return None
    found = accounts.organisation_by_public_id(work.session, named)
    if found is None:
        raise NotFound
    return found.id


def _of_side(plan: Plan | None, side: str) -> Slice:
    if plan is None or not side:
        return Slice()
    if side == EARLIER:
        return _before(plan)
    return _plan_part(plan) if side == OUT else _incoming_part(plan)


def registered_contracts(work: Work, page: int = 1) -> tuple[list[PublicContract], int]:
    """Return a page of the contracts that count at present, as the actor may know them."""
    ids = _standing(work)
    first = (page - 1) * PAGE_SIZE
    return _shown(work, ids[first : first + PAGE_SIZE]), len(ids)


def public_ids(session: Session, keys: Sequence[str]) -> dict[str, str]:
    """Return the public id of each organisation that a sum's key names."""
    ids = {OrganisationId(int(key)) for key in keys}
    return {str(one): row.public_id for one, row in accounts.organisations(session, ids).items()}


def recent_contracts(work: Work, limit: int) -> list[PublicContract]:
    """Return the newest registered contracts, as the actor may know them."""
    head = ledger.head(work.session)
    ids = once(work, "newest", (limit, *head), lambda: repository.newest(work.session, limit))
    return _shown(work, ids)


def _standing(work: Work) -> Sequence[int]:
    """Return what counts at present, the newest first; looked for again only once the book moved,
    for that goes over the whole of it.
    """
    head = ledger.head(work.session)
    return once(work, "standing", head, lambda: repository.standing(work.session))


def _shown(work: Work, ids: Sequence[int]) -> list[PublicContract]:
    rows = repository.as_shown(work.session, ids)
    return [_public(row, agreed or _knows(work)) for row, agreed in rows]


def _knows(work: Work) -> bool:
    """Return whether the actor sees names and sums of contracts whose sides did not agree."""
    return work.may(Action.BOARD_CONTRACTS, Relation.OTHER)


def _counted_on(row: Transaction) -> date:
    """Return the day on which a contract was counted first, whatever changed since."""
    return row.original_on if row.kind == Kind.CHANGE and row.original_on else row.effective_on


def _public(row: Transaction, agreed: bool) -> PublicContract:
    return PublicContract(
        month=f"{_counted_on(row):%Y-%m}",
        contract_type=row.contract_type,
        field=row.field,
        project_name=row.project_name if agreed else None,
        seller_name=row.seller_name if agreed else None,
        buyer_name=row.buyer_name if agreed else None,
        technical_fen=row.technical_fen if agreed else None,
        total_fen=row.total_fen if agreed else None,
    )


def home_figures(work: Work) -> HomeFigures:
    """Return what the front page tells anyone of the target and of what was registered lately."""
    plan = rules.current_plan(work.session)
    found = once(work, "home", mark_of(work, plan), lambda: _make_home_figures(work, plan))
    return replace(found, plan=plan)


def _make_home_figures(work: Work, plan: Plan | None) -> HomeFigures:
    shown = None if plan is None else _kept_public_board(work, plan)
    since = work.today - timedelta(days=RECENT_DAYS - 1)
    return HomeFigures(
        plan=plan,
        as_of=shown.as_of if shown else work.today,
        outgoing=shown.outgoing if shown else None,
        pace=shown.pace if shown else None,
        recent_count=repository.count_standing(work.session, since),
        recent_days=RECENT_DAYS,
        registered=len(_standing(work)),
    )
