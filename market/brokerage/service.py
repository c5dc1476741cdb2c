"""What brokers are owed: seen by who pays and who gets, divided and settled by the broker; flags of
跳单 contested by the sides and decided by the bureau.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from market.access import service as access
from market.accounts import repository as accounts
from market.accounts.models import Organisation, Verification
from market.accounts.policy import Action, OrganisationKind, Relation, Role
from market.accounts.work import Work
from market.brokerage import repository, repository_costs, waiting, working
from market.brokerage.models import (
    Bypass,
    BypassState,
    Commission,
    CommissionPart,
    CommissionState,
    PartRole,
)
from market.brokerage.rule import Ground
from market.brokerage.schemas import (
    BrokerWeight,
    BypassDecisionIn,
    ContestIn,
    SettleIn,
    SharesIn,
)
from market.catalog import views as catalog
from market.catalog.vocabulary import MASKED_NAME
from market.kit.errors import Conflict, Forbidden, Invalid, NotFound
from market.kit.ids import CommissionId, OrganisationId, PublicId
from market.kit.shares import split

PAGE = 50


@dataclass(frozen=True, slots=True)
class Part:
    organisation: Organisation
    weight: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class CommissionView:
    """A commission as one who pays or gets of it reads it. `credited_fen` of it was paid before, as
    the necessary cost of a mandate that seemed to have failed.
    """

    row: Commission
    payers: tuple[Part, ...]
    brokers: tuple[Part, ...]
    bypass: Bypass | None
    relation: Relation
    leads: bool
    credited_fen: int = 0


@dataclass(frozen=True, slots=True)
class BypassView:
    """A flag as one of its sides, its broker or the bureau reads it."""

    row: Bypass
    evidence: dict[str, Any]
    amount_fen: int | None
    relation: Relation
    may_contest: bool
    may_decide: bool


def _views(work: Work, rows: Sequence[Commission]) -> list[CommissionView]:
    parts = repository.parts(work.session, [row.id for row in rows])
    names = accounts.organisations(work.session, {part.organisation_id for part in parts})
    credited = repository_costs.credited(work.session, [row.id for row in rows])
    flags = repository.bypasses_of(work.session, [row.id for row in rows])
    found: dict[tuple[CommissionId, str], list[Part]] = {}
    for one in parts:
        place = found.setdefault((one.commission_id, one.role), [])
        place.append(Part(names[one.organisation_id], one.weight, one.amount_fen))
    views = []
    for row in rows:
        payers = tuple(found.get((row.id, PartRole.PAYER), ()))
        brokers = tuple(found.get((row.id, PartRole.BROKER), ()))
        here = work.actor.organisation_id
        pays = any(part.organisation.id == here for part in payers)
        views.append(
            CommissionView(
                row,
                payers,
                brokers,
                flags.get(row.id),
                Relation.OWN if pays else Relation.MANDATED,
                leads=bool(brokers) and brokers[0].organisation.id == here,
                credited_fen=credited.get(row.id, 0),
            )
        )
    return views


def commissions(work: Work, page: int = 1) -> tuple[int, list[CommissionView]]:
    """Return (how many, a page of PAGE) of what the acting organisation pays or gets, newest
    first. What came to nothing has no part in it.
    """
    agency = work.actor.kind is OrganisationKind.AGENCY
    work.require(Action.COMMISSION_VIEW, Relation.MANDATED if agency else Relation.OWN)
    total, rows = repository.commissions_of(
        work.session, work.actor.organisation, offset=(page - 1) * PAGE, limit=PAGE
    )
    return total, _views(work, rows)


def commission(work: Work, public_id: PublicId) -> CommissionView:
    """Return one commission to who pays or gets of it. Raises NotFound."""
    row = repository.commission_by_public_id(work.session, public_id)
    if row is None:
        raise NotFound
    view = _views(work, [row])[0]
    sides = {part.organisation.id for part in (*view.payers, *view.brokers)}
    if work.actor.organisation_id not in sides:
        raise NotFound
    work.require(Action.COMMISSION_VIEW, view.relation)
    work.touched("commission", row.public_id)
    return view


def brokers_of(work: Work, chosen: Sequence[BrokerWeight]) -> list[tuple[OrganisationId, int]]:
    """Return the agencies that were named. Raises Invalid at `brokers`."""
    found: dict[OrganisationId, int] = {}
    for one in chosen:
        row = accounts.organisation_by_public_id(work.session, PublicId(one.organisation))
        if (
            row is None
            or row.kind != OrganisationKind.AGENCY
            or row.verification != Verification.VERIFIED
        ):
            raise Invalid(fields={"brokers": "请从已核验的技术转移机构里选"})
        if row.id in found:
            raise Invalid(fields={"brokers": f"“{row.name}”写了两次，请合成一行"})
        found[row.id] = one.weight
    return list(found.items())


def share(work: Work, public_id: PublicId, form: SharesIn) -> CommissionView:
    """Divide a commission anew among brokers, by the one that leads; payers pay as before.

    Raises NotFound, Forbidden, Invalid at `brokers`, Conflict once it is paid, and for a fee that a
    clause divides.
    """
    view = _led(work, public_id)
    if view.row.ground == Ground.CLAUSE:
        raise Conflict("合同条款已经写明怎样分，不能另分")
    brokers = brokers_of(work, form.brokers)
    if brokers[0][0] != work.actor.organisation:
        raise Invalid(fields={"brokers": "第一家应是贵单位"})
    repository.lock_commission(work.session, view.row.id)
    _divide(work, view.row, PartRole.BROKER, brokers, view.row.amount_fen or 0)
    return commission(work, public_id)


def _led(work: Work, public_id: PublicId) -> CommissionView:
    view = commission(work, public_id)
    work.require(Action.COMMISSION_SETTLE, view.relation)
    if not view.leads:
        raise Forbidden("这笔报酬由牵头的机构办理")
    return view


def _divide(
    work: Work,
    row: Commission,
    role: PartRole,
    among: Sequence[tuple[OrganisationId, int]],
    amount: int,
) -> None:
    parts = split(amount, [weight for _, weight in among])
    repository.replace_parts(
        work.session,
        row.id,
        role,
        [
            CommissionPart(
                commission_id=row.id,
                role=role,
                organisation_id=who,
                weight=weight,
                amount_fen=part,
            )
            for (who, weight), part in zip(among, parts, strict=True)
        ],
    )


def settle(work: Work, public_id: PublicId, form: SettleIn) -> CommissionView:
    """Note that a commission came in, by the broker that leads.

    Raises NotFound, Forbidden, Invalid at `amount_fen`, Conflict where it is paid or void.
    """
    view = _led(work, public_id)
    row = view.row
    if (row.amount_fen is None) == (form.amount_fen is None):
        said = (
            "没有约定数额，请填双方商定的金额"
            if row.amount_fen is None
            else "数额已经约定，这里请留空"
        )
        raise Invalid(fields={"amount_fen": said})
    repository.move_commission(
        work.session,
        row.id,
        CommissionState.DUE,
        CommissionState.PAID,
        settled_at=work.now,
        settled_by=work.actor.person,
        amount_fen=form.amount_fen if row.amount_fen is None else row.amount_fen,
    )
    if form.amount_fen is not None:
        # Read after the row moved: a division that was saved meanwhile is the one that counts.
        parts = repository.parts(work.session, [row.id])
        for role in PartRole:
            among = [(one.organisation_id, one.weight) for one in parts if one.role == role]
            _divide(work, row, role, among, form.amount_fen)
    work.session.refresh(row)
    return commission(work, public_id)


def bypasses(work: Work, page: int = 1) -> tuple[int, list[BypassView]]:
    """Return (how many, a page of PAGE) of the flags: all for the bureau, one's own for others."""
    bureau = work.actor.role is Role.OFFICER
    if bureau:
        work.require(Action.BYPASS_VIEW, Relation.OTHER)
    else:
        agency = work.actor.kind is OrganisationKind.AGENCY
        work.require(Action.BYPASS_VIEW, Relation.MANDATED if agency else Relation.OWN)
    total, rows = repository.bypasses(
        work.session,
        None if bureau else work.actor.organisation,
        offset=(page - 1) * PAGE,
        limit=PAGE,
    )
    return total, _bypass_views(work, rows)


def _relation(work: Work, row: Bypass) -> Relation:
    """Return what the actor is to a flag: own the seller's side, counterpart the buyer's, mandated
    its broker, other the bureau. Raises NotFound for everyone else.
    """
    if work.actor.role is Role.OFFICER:
        return Relation.OTHER
    related = {
        row.seller_id: Relation.OWN,
        row.buyer_id: Relation.COUNTERPART,
        row.broker_id: Relation.MANDATED,
    }.get(work.actor.organisation)
    if related is None:
        raise NotFound
    return related


def _bypass_views(work: Work, rows: Sequence[Bypass]) -> list[BypassView]:
    related = [_relation(work, row) for row in rows]
    fees = repository.commissions(work.session, [row.commission_id for row in rows])
    masked = _masked(
        work, [row for row, to in zip(rows, related, strict=True) if to is Relation.MANDATED]
    )
    return [
        BypassView(
            row,
            {**row.evidence, **masked.get(row.id, {})},
            fees[row.commission_id].amount_fen,
            to,
            may_contest=row.state == BypassState.FLAGGED and work.may(Action.BYPASS_CONTEST, to),
            may_decide=row.state == BypassState.CONTESTED and work.may(Action.BYPASS_DECIDE, to),
        )
        for row, to in zip(rows, related, strict=True)
    ]


def _masked(work: Work, rows: Sequence[Bypass]) -> dict[int, dict[str, str]]:
    """Return, by flag, what stands in the evidence for names that its broker has not learnt."""
    introduced = repository.introductions(work.session, [row.introduction_id for row in rows])
    listings = {one for row in introduced.values() for one in (row.achievement_id, row.demand_id)}
    known = access.names_visible(work, list(catalog.headings(work.session, listings).values()))
    hidden: dict[int, dict[str, str]] = {}
    for row in rows:
        one = introduced[row.introduction_id]
        sides = {"seller": one.achievement_id, "buyer": one.demand_id}
        hidden[row.id] = {side: MASKED_NAME for side, what in sides.items() if what not in known}
    return hidden


def bypass(work: Work, public_id: PublicId) -> BypassView:
    """Return one flag to its sides, its broker and the bureau. Raises NotFound."""
    row = repository.bypass_by_public_id(work.session, public_id)
    if row is None:
        raise NotFound
    (view,) = _bypass_views(work, [row])
    work.require(Action.BYPASS_VIEW, view.relation)
    work.touched("bypass", row.public_id)
    return view


def contest(work: Work, public_id: PublicId, form: ContestIn) -> BypassView:
    """Say why it was no 跳单, by either side; the bureau decides. Raises NotFound, Forbidden,
    Conflict where it was contested already.
    """
    view = bypass(work, public_id)
    work.require(Action.BYPASS_CONTEST, view.relation)
    repository.move_bypass(
        work.session,
        view.row.id,
        BypassState.FLAGGED,
        BypassState.CONTESTED,
        contest_reason=form.reason,
        contested_by_id=work.actor.organisation,
        contested_at=work.now,
    )
    work.session.refresh(view.row)
    waiting.moved(work.session, view.row, work.now)
    return bypass(work, public_id)


def decide(work: Work, public_id: PublicId, form: BypassDecisionIn) -> BypassView:
    """Uphold or dismiss a contested flag, by the bureau; what is dismissed is owed no longer, and
    who came after that broker is judged again.

    Raises NotFound, Forbidden, Conflict.
    """
    view = bypass(work, public_id)
    work.require(Action.BYPASS_DECIDE, view.relation)
    upheld = form.decision == "uphold"
    repository.move_bypass(
        work.session,
        view.row.id,
        BypassState.CONTESTED,
        BypassState.UPHELD if upheld else BypassState.DISMISSED,
        decision_note=form.note,
        decided_by=work.actor.person,
        decided_at=work.now,
    )
    work.session.refresh(view.row)
    if not upheld:
        working.flag_dismissed(work.session, view.row, work.now)
    waiting.moved(work.session, view.row, work.now)
    waiting.decided(work.session, view.row, work.now)
    return bypass(work, public_id)
