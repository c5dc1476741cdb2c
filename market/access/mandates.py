"""Mandates (委托): granted by the principal, accepted by the agency, ended by either."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from market.access import repository, waiting
from market.access.models import Mandate, MandateState
from market.access.schemas import FeeIn, MandateDecisionIn, MandateIn, fee_problems
from market.accounts import repository as accounts
from market.accounts.models import Organisation, Verification
from market.accounts.policy import Action, OrganisationKind, Relation
from market.accounts.work import Work
from market.kit.errors import Conflict, Invalid, NotFound
from market.kit.ids import OrganisationId, PublicId, new_public_id

PAGE = 50
OPEN_ALREADY = "已有一份给这家机构的委托在等待接受或仍然有效，请先终止再重新委托"


def relation(work: Work, mandate: Mandate) -> Relation:
    """Return what the actor is to a mandate: own is the principal, counterpart the agency.

    Raises NotFound for everyone else.
    """
    if work.actor.organisation_id == mandate.principal_id:
        return Relation.OWN
    if work.actor.organisation_id == mandate.agency_id:
        return Relation.COUNTERPART
    raise NotFound


def in_force(work: Work, mandate: Mandate) -> bool:
    return (
        mandate.state == MandateState.LIVE
        and mandate.valid_from <= work.today <= mandate.valid_until
    )


def mandates_of_actor(work: Work, page: int = 1) -> tuple[int, Sequence[Mandate]]:
    """Return (how many, a page of PAGE) mandates that the acting organisation gave or got, newest
    first.
    """
    work.require(Action.MANDATE_VIEW)
    return repository.mandates_of(
        work.session, work.actor.organisation, offset=(page - 1) * PAGE, limit=PAGE
    )


def any_of_actor(work: Work) -> bool:
    """Return whether the acting organisation gave or got any mandate, whatever became of it."""
    return repository.any_mandate(work.session, work.actor.organisation)


def mandate(work: Work, public_id: PublicId) -> Mandate:
    """Return one mandate to the principal or the agency. Raises NotFound."""
    row = repository.mandate_by_public_id(work.session, public_id)
    if row is None:
        raise NotFound
    work.require(Action.MANDATE_VIEW, relation(work, row))
    return row


@dataclass(frozen=True, slots=True)
class Served:
    """Whom an agency may act for today, by side, each with its newest mandate."""

    sellers: dict[OrganisationId, Mandate] = field(default_factory=dict)
    buyers: dict[OrganisationId, Mandate] = field(default_factory=dict)


def served(work: Work) -> Served:
    """Return whom the acting organisation may act for today; nobody where it is no agency."""
    found = Served()
    if work.actor.kind is not OrganisationKind.AGENCY:
        return found
    for row in repository.mandates_in_force(work.session, work.actor.organisation, work.today):
        if row.as_seller:
            found.sellers.setdefault(row.principal_id, row)
        if row.as_buyer:
            found.buyers.setdefault(row.principal_id, row)
    return found


def brokers(work: Work, principal_ids: Iterable[OrganisationId]) -> Sequence[Mandate]:
    """Return the mandates in force today that these organisations have given."""
    return repository.agencies_in_force(work.session, principal_ids, work.today)


def grant(work: Work, form: MandateIn) -> Mandate:
    """Offer an agency a mandate of the acting organisation.

    Raises Invalid at `agency`, `as_seller`, `valid_until`, `exclusive`.
    """
    work.require(Action.MANDATE_GRANT)
    agency = accounts.organisation_by_public_id(work.session, PublicId(form.agency))
    _check(work, form, agency)
    assert agency is not None
    accounts.lock_organisation(work.session, work.actor.organisation)
    for over in repository.end_expired(work.session, work.actor.organisation, work.today, work.now):
        waiting.moved(work, over)
    open_now = repository.open_mandates_of_principal(work.session, work.actor.organisation)
    if any(row.agency_id == agency.id for row in open_now):
        raise Invalid(fields={"agency": OPEN_ALREADY})
    _check_exclusive(work, form, open_now)
    row = Mandate(
        public_id=new_public_id(),
        agency_id=agency.id,
        principal_id=work.actor.organisation,
        as_seller=form.as_seller,
        as_buyer=form.as_buyer,
        scope=form.scope,
        fee=form.fee,
        **form.model_dump(include=set(FeeIn.model_fields)),
        exclusive=form.exclusive,
        valid_from=form.valid_from,
        valid_until=form.valid_until,
        created_by=work.actor.person,
        created_at=work.now,
    )
    work.session.add(row)
    work.session.flush()
    waiting.moved(work, row)
    work.touched("mandate", row.public_id)
    return row


def _check(work: Work, form: MandateIn, agency: Organisation | None) -> None:
    wrong = fee_problems(form)
    if (
        agency is None
        or agency.kind != OrganisationKind.AGENCY
        or agency.verification != Verification.VERIFIED
    ):
        wrong["agency"] = "请从已核验的技术转移机构里选一家"
    if not (form.as_seller or form.as_buyer):
        wrong["as_seller"] = "至少选一项：代理贵单位卖出，或代理贵单位买入"
    if form.valid_until < form.valid_from:
        wrong["valid_until"] = f"截止日应不早于开始日{form.valid_from}，现在是{form.valid_until}"
    elif form.valid_until < work.today:
        wrong["valid_until"] = f"截止日应不早于今天{work.today}，现在是{form.valid_until}"
    if wrong:
        raise Invalid(fields=wrong)


def _check_exclusive(work: Work, form: MandateIn, open_now: Sequence[Mandate]) -> None:
    """Keep a principal from promising one side twice while one of the promises is exclusive."""
    for row in open_now:
        same_side = (form.as_seller and row.as_seller) or (form.as_buyer and row.as_buyer)
        overlap = form.valid_from <= row.valid_until and row.valid_from <= form.valid_until
        if same_side and overlap and (form.exclusive or row.exclusive):
            other = accounts.organisation(work.session, row.agency_id).name
            what = "独家委托" if row.exclusive else "委托"
            raise Invalid(
                fields={
                    "exclusive": f"与给{other}的{what}（至{row.valid_until}）冲突：同一方向在独家"
                    "委托期内只能有一家，请先终止那一份或改期限"
                }
            )


def decide(work: Work, public_id: PublicId, form: MandateDecisionIn) -> Mandate:
    """Accept or refuse an offered mandate, by the agency. Raises NotFound, Conflict, Invalid."""
    row = mandate(work, public_id)
    work.require(Action.MANDATE_ACCEPT, relation(work, row))
    if row.state != MandateState.OFFERED:
        raise Conflict("这份委托已经处理过了，请刷新后再看")
    accepted = form.decision == "accept"
    if accepted and row.valid_until < work.today:
        raise Conflict(f"这份委托的期限已于{row.valid_until}结束，请委托方重新发出")
    repository.move_mandate(
        work.session,
        row.id,
        MandateState.OFFERED,
        MandateState.LIVE if accepted else MandateState.REFUSED,
        decided_at=work.now,
        refuse_reason="" if accepted else form.reason,
    )
    work.touched("mandate", row.public_id)
    work.session.refresh(row)
    waiting.moved(work, row)
    waiting.decided(work, row)
    return row


def end(work: Work, public_id: PublicId) -> Mandate:
    """End a live mandate, by either side; the principal may also take back an offer.

    Raises NotFound, Conflict.
    """
    row = mandate(work, public_id)
    side = relation(work, row)
    work.require(Action.MANDATE_END, side)
    state = MandateState(row.state)
    if state is MandateState.OFFERED and side is Relation.COUNTERPART:
        raise Conflict("这份委托还没有接受，请选择接受或不接受")
    if state not in (MandateState.OFFERED, MandateState.LIVE):
        raise Conflict("这份委托已经结束，请刷新后再看")
    repository.move_mandate(
        work.session,
        row.id,
        state,
        MandateState.ENDED,
        ended_at=work.now,
        ended_by_id=work.actor.organisation,
    )
    work.touched("mandate", row.public_id)
    work.session.refresh(row)
    waiting.moved(work, row)
    waiting.ended(work, row, row.agency_id if side is Relation.OWN else row.principal_id)
    return row
