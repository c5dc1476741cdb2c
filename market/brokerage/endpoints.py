"""The JSON edge of brokerage."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Query

from market.access import repository as access
from market.access.fees import FeeBase, FeeKind, Payer
from market.access.schemas import OrganisationRef
from market.accounts.edge import api_router, opens
from market.accounts.policy import Action
from market.accounts.work import Work
from market.brokerage import clauses, repository, service
from market.brokerage.models import BrokerClause, BypassState, CommissionState
from market.brokerage.rule import Ground
from market.brokerage.schemas import (
    AgreeIn,
    BrokerWeight,
    BypassDecisionIn,
    BypassesOut,
    BypassOut,
    ClauseIn,
    ClauseOut,
    ClauseSlot,
    CommissionOut,
    CommissionsOut,
    ContestIn,
    PartOut,
    SettleIn,
    SharesIn,
)
from market.brokerage.service import BypassView, CommissionView, Part
from market.deals import repository_contracts as papers
from market.kit.ids import PublicId
from market.kit.wire import PathId

router = api_router("brokerage")

PageNumber = Annotated[int, Query(alias="page", ge=1, le=10_000)]


def _parts(parts: Sequence[Part]) -> list[PartOut]:
    return [
        PartOut(
            organisation=OrganisationRef(id=one.organisation.public_id, name=one.organisation.name),
            weight=one.weight,
            amount_fen=one.amount_fen,
        )
        for one in parts
    ]


def _out(work: Work, views: Sequence[CommissionView]) -> list[CommissionOut]:
    session = work.session
    rows = [view.row for view in views]
    contracts = papers.contracts(session, [one.contract_id for one in rows if one.contract_id])
    introductions = repository.introductions(
        session, [one.introduction_id for one in rows if one.introduction_id]
    )
    mandates = access.mandates(session, [one.mandate_id for one in rows if one.mandate_id])
    return [
        CommissionOut(
            id=view.row.public_id,
            ground=Ground(view.row.ground),
            state=CommissionState(view.row.state),
            amount_fen=view.row.amount_fen,
            credited_fen=view.credited_fen,
            contract=contracts[view.row.contract_id].public_id if view.row.contract_id else None,
            introduction=introductions[view.row.introduction_id].public_id
            if view.row.introduction_id
            else None,
            mandate=mandates[view.row.mandate_id].public_id if view.row.mandate_id else None,
            payers=_parts(view.payers),
            brokers=_parts(view.brokers),
            bypass=view.bypass.public_id if view.bypass else None,
            created_at=view.row.created_at,
            settled_at=view.row.settled_at,
        )
        for view in views
    ]


@router.get("/commissions")
def list_commissions(
    work: Annotated[Work, opens(Action.COMMISSION_VIEW)], number: PageNumber = 1
) -> CommissionsOut:
    """List what one's organisation pays or gets for bringing sides together, newest first."""
    total, views = service.commissions(work, number)
    return CommissionsOut(items=_out(work, views), total=total)


@router.get("/commissions/{commission_id}")
def show_commission(
    commission_id: PathId, work: Annotated[Work, opens(Action.COMMISSION_VIEW)]
) -> CommissionOut:
    return _out(work, [service.commission(work, PublicId(commission_id))])[0]


@router.put("/commissions/{commission_id}/shares")
def share_commission(
    commission_id: PathId,
    form: SharesIn,
    work: Annotated[Work, opens(Action.COMMISSION_SETTLE, write=True)],
) -> CommissionOut:
    """Divide a commission among brokers, by the one that leads."""
    return _out(work, [service.share(work, PublicId(commission_id), form)])[0]


@router.post("/commissions/{commission_id}/settlement")
def settle_commission(
    commission_id: PathId,
    form: SettleIn,
    work: Annotated[Work, opens(Action.COMMISSION_SETTLE, write=True)],
) -> CommissionOut:
    """Note that a commission came in, by the broker that leads."""
    return _out(work, [service.settle(work, PublicId(commission_id), form)])[0]


def _bypass(view: BypassView) -> BypassOut:
    row = view.row
    return BypassOut(
        id=row.public_id,
        state=BypassState(row.state),
        evidence=view.evidence,
        amount_fen=view.amount_fen,
        contest_reason=row.contest_reason,
        contested_at=row.contested_at,
        decision_note=row.decision_note,
        decided_at=row.decided_at,
        created_at=row.created_at,
    )


@router.get("/bypasses")
def list_bypasses(
    work: Annotated[Work, opens(Action.BYPASS_VIEW)], number: PageNumber = 1
) -> BypassesOut:
    """List the deals flagged as closed around an introduction: all for the bureau."""
    total, views = service.bypasses(work, number)
    return BypassesOut(items=[_bypass(view) for view in views], total=total)


@router.get("/bypasses/{bypass_id}")
def show_bypass(bypass_id: PathId, work: Annotated[Work, opens(Action.BYPASS_VIEW)]) -> BypassOut:
    return _bypass(service.bypass(work, PublicId(bypass_id)))


@router.post("/bypasses/{bypass_id}/contest")
def contest_bypass(
    bypass_id: PathId,
    form: ContestIn,
    work: Annotated[Work, opens(Action.BYPASS_CONTEST, write=True)],
) -> BypassOut:
    """Contest a flag, by either side of the contract."""
    return _bypass(service.contest(work, PublicId(bypass_id), form))


@router.post("/bypasses/{bypass_id}/decision")
def decide_bypass(
    bypass_id: PathId,
    form: BypassDecisionIn,
    work: Annotated[Work, opens(Action.BYPASS_DECIDE, write=True)],
) -> BypassOut:
    """Uphold or dismiss a contested flag, by the bureau."""
    return _bypass(service.decide(work, PublicId(bypass_id), form))


def _clause(work: Work, row: BrokerClause) -> ClauseOut:
    return ClauseOut(
        brokers=[
            BrokerWeight(organisation=who.public_id, weight=weight)
            for who, weight in clauses.named(work, row)
        ],
        fee_kind=FeeKind(row.fee_kind),
        fee_rate_bp=row.fee_rate_bp,
        fee_fixed_fen=row.fee_fixed_fen,
        fee_base=FeeBase(row.fee_base),
        fee_payer=Payer(row.fee_payer),
        version=row.version,
        agreed=row.seller_agreed == row.buyer_agreed == row.version,
        seller_agreed=row.seller_agreed == row.version,
        buyer_agreed=row.buyer_agreed == row.version,
    )


@router.get("/deals/{deal_id}/broker-clause")
def show_clause(deal_id: PathId, work: Annotated[Work, opens(Action.DEAL_VIEW)]) -> ClauseSlot:
    """Show the broker clause of the deal's present contract."""
    row = clauses.clause(work, PublicId(deal_id))
    return ClauseSlot(clause=None if row is None else _clause(work, row))


@router.put("/deals/{deal_id}/broker-clause")
def put_clause(
    deal_id: PathId,
    form: ClauseIn,
    work: Annotated[Work, opens(Action.CLAUSE_WRITE, write=True)],
) -> ClauseOut:
    """Write the broker clause of the present draft; who writes it agrees to it."""
    return _clause(work, clauses.write(work, PublicId(deal_id), form))


@router.post("/deals/{deal_id}/broker-clause/agreement")
def agree_clause(
    deal_id: PathId,
    form: AgreeIn,
    work: Annotated[Work, opens(Action.CLAUSE_WRITE, write=True)],
) -> ClauseOut:
    """Agree to the version of the clause that was read."""
    return _clause(work, clauses.agree(work, PublicId(deal_id), form.version))
