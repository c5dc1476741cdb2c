"""Working out what a signed contract, or a mandate that is over, means for brokers: run by jobs,
each cause once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from market.access import repository as access
from market.access.fees import Fee, FeeBase, FeeKind, Payer
from market.access.models import Mandate, MandateState
from market.accounts import repository as accounts
from market.brokerage import repository, repository_costs, waiting
from market.brokerage.models import BrokerClause, Bypass, CommissionPart, PartRole
from market.brokerage.rule import (
    Claim,
    Clause,
    IntroductionFact,
    MandateFact,
    Signed,
    judge,
    without_success,
)
from market.catalog import views as catalog
from market.deals import repository_negotiation as negotiation
from market.deals.models import Contract, Deal, Introduction
from market.deals.vocabulary import Side
from market.kit.clock import local_date, local_text
from market.kit.ids import (
    CommissionId,
    ContractId,
    IntroductionId,
    MandateId,
    OrganisationId,
    new_public_id,
)
from market.rules import transfer


@dataclass(frozen=True, slots=True)
class _Judged:
    """What a signed contract comes to, and what that was judged by."""

    contract: Contract
    deal: Deal
    signed: Signed
    introductions: dict[IntroductionId, Introduction]
    mandates: dict[MandateId, Mandate]
    days: int
    claims: list[Claim]


def _judge(session: Session, contract_id: ContractId) -> _Judged:
    """Hold the mandates concerned and judge a contract, without what the bureau has dismissed."""
    contract, deal = repository.signed(session, contract_id)
    assert contract.signed_on is not None
    signed = _signed(session, contract, deal)
    sides = [set(map(OrganisationId, side)) for side in (signed.sellers, signed.buyers)]
    rows = repository.introductions_between(session, *sides)
    repository_costs.lock_mandates(session, {row.mandate_id for row in rows})
    mandates = access.mandates(session, {row.mandate_id for row in rows})
    gone = repository.dismissed(session, contract_id)
    days = transfer.at(session, contract.signed_on).bypass_days
    facts = [_fact(row, mandates[row.mandate_id]) for row in rows if row.id not in gone]
    claims = judge(signed, facts, bypass_days=days)
    return _Judged(contract, deal, signed, {row.id: row for row in rows}, mandates, days, claims)


def contract_signed(session: Session, contract_id: ContractId, at: datetime) -> list[Claim]:
    """Write what each introduction of a contract's sides comes to, and flag those gone around.

    Doing it twice writes nothing more.
    """
    found = _judge(session, contract_id)
    for claim in found.claims:
        row = _introduction(found, claim)
        cause = f"introduction:{row.id}" if row and claim.ground != "clause" else "clause"
        values = {
            "key": f"contract:{contract_id}:{cause}",
            "contract_id": contract_id,
            "introduction_id": row.id if row else None,
            "mandate_id": row.mandate_id if row else None,
        }
        written = _write(session, claim, values, at)
        if written is not None and claim.bypassed and row is not None:
            _flag(session, written, found, row, at)
    _bear_costs(session, found)
    return found.claims


def flag_dismissed(session: Session, flag: Bypass, at: datetime) -> None:
    """Let a fee be owed no longer whose flag was dismissed, and what it had gone before be judged
    again. What was paid stays, and so does what it went before.
    """
    found = _judge(session, flag.contract_id)
    if not repository.void_if_due(session, flag.commission_id):
        return
    repository_costs.release_costs(session, flag.commission_id)
    before = repository.overtaken(session, flag.contract_id)
    principal = _principal(found, found.introductions[flag.introduction_id])
    for claim in found.claims:
        row = _introduction(found, claim)
        if row is None or row.id not in before or _principal(found, row) != principal:
            continue
        if not claim.ground.owed or claim.ground == "clause":
            continue
        fee = before[row.id]
        if repository.owe_after_all(session, fee, claim.ground, claim.amount_fen):
            _divide(session, fee, claim, at)
            if claim.bypassed:
                _flag(session, fee, found, row, at)
    _bear_costs(session, found)


def _principal(found: _Judged, row: Introduction) -> OrganisationId:
    return found.mandates[row.mandate_id].principal_id


def _introduction(found: _Judged, claim: Claim) -> Introduction | None:
    if claim.introduction is None:
        return None
    return found.introductions[IntroductionId(claim.introduction)]


def _bear_costs(session: Session, found: _Judged) -> None:
    for one in found.mandates:
        if fee := repository_costs.fee_of(session, one):
            repository_costs.bear_cost(session, one, fee)


def mandate_over(session: Session, mandate: Mandate, at: datetime) -> Claim | None:
    """Write the necessary cost that a mandate owes once it is over without success."""
    repository_costs.lock_mandates(session, {mandate.id})
    claim = without_success(
        mandate_fact(mandate),
        local_date(at),
        succeeded=repository_costs.fee_of(session, mandate.id) is not None,
        negotiating=repository_costs.negotiating(session, mandate.id),
    )
    if claim is not None:
        values = {"key": f"mandate:{mandate.id}:cost", "mandate_id": mandate.id}
        if _write(session, claim, values, at) is None:
            repository_costs.owe_cost_again(session, mandate.id)
    return claim


def mandate_fact(row: Mandate) -> MandateFact:
    over_on = row.valid_until
    if row.state == MandateState.ENDED and row.ended_at is not None:
        over_on = min(over_on, local_date(row.ended_at))
    return MandateFact(
        row.id, row.agency_id, row.principal_id, row.valid_from, over_on, row.agreed_fee
    )


def _fact(row: Introduction, mandate: Mandate) -> IntroductionFact:
    agreed = row.state == "accepted"
    return IntroductionFact(
        id=row.id,
        broker=row.broker_id,
        mandate=mandate_fact(mandate),
        seller=row.seller_id,
        buyer=row.buyer_id,
        achievement=row.achievement_id,
        demand=row.demand_id,
        proposed_at=row.created_at,
        proposed_on=local_date(row.created_at),
        consented_at=row.decided_at if agreed else None,
        deal=row.deal_id if agreed else None,
    )


def _signed(session: Session, contract: Contract, deal: Deal) -> Signed:
    further = negotiation.further_parties(session, deal.id)
    sellers = [one.organisation_id for one in further if one.side == Side.SELLER]
    buyers = [one.organisation_id for one in further if one.side == Side.BUYER]
    sellers, buyers = [contract.seller_id, *sellers], [contract.buyer_id, *buyers]
    more = (one.listing_id for one in negotiation.further_listings(session, deal.id))
    subjects = {one for one in (deal.achievement_id, deal.demand_id, *more) if one is not None}
    assert contract.signed_on is not None
    return Signed(
        deal=deal.id,
        sellers=tuple(sellers),
        buyers=tuple(buyers),
        subjects=frozenset(subjects),
        total_fen=contract.total_fen,
        technical_fen=contract.technical_fen,
        signed_on=contract.signed_on,
        met_at=repository.met_at(session, sellers, buyers, subjects),
        clause=clause_of(repository.clause(session, contract.id)),
    )


def clause_of(row: BrokerClause | None) -> Clause | None:
    """Return the clause that both sides have agreed to, None where there is none."""
    if row is None or not row.seller_agreed == row.buyer_agreed == row.version:
        return None
    return Clause(
        tuple((one["organisation"], one["weight"]) for one in row.brokers),
        Fee(
            FeeKind(row.fee_kind),
            row.fee_rate_bp,
            row.fee_fixed_fen,
            FeeBase(row.fee_base),
            Payer(row.fee_payer),
        ),
    )


def _write(
    session: Session, claim: Claim, values: dict[str, Any], at: datetime
) -> CommissionId | None:
    """Write a claim with its parts; return None where its cause was worked out before."""
    row = {
        "public_id": new_public_id(),
        "ground": claim.ground,
        "amount_fen": claim.amount_fen,
        "state": "due" if claim.ground.owed else "void",
        "created_at": at,
        **values,
    }
    written = repository.write_commission(session, row)
    if written is not None:
        _divide(session, written, claim, at)
    return written


def _divide(session: Session, written: CommissionId, claim: Claim, at: datetime) -> None:
    """Write who pays and who gets of a claim, and tell them."""
    for role, parts, weights in (
        (PartRole.PAYER, claim.payers, [1] * len(claim.payers)),
        (PartRole.BROKER, claim.brokers, claim.weights),
    ):
        session.add_all(
            CommissionPart(
                commission_id=written,
                role=role,
                organisation_id=OrganisationId(who),
                weight=weight,
                amount_fen=amount,
            )
            for (who, amount), weight in zip(parts, weights, strict=True)
        )
    session.flush()
    if claim.ground.owed:
        waiting.owed(session, repository.commission(session, written), claim, at)


def _flag(
    session: Session,
    commission: CommissionId,
    found: _Judged,
    introduction: Introduction,
    at: datetime,
) -> None:
    """Accuse the two that were introduced, on the sides on which they stand in the contract."""
    one, other = introduction.seller_id, introduction.buyer_id
    row = Bypass(
        public_id=new_public_id(),
        commission_id=commission,
        contract_id=found.contract.id,
        introduction_id=introduction.id,
        broker_id=introduction.broker_id,
        seller_id=one if one in found.signed.sellers else other,
        buyer_id=other if other in found.signed.buyers else one,
        evidence=_evidence(session, found, introduction),
        created_at=at,
    )
    session.add(row)
    session.flush()
    waiting.flagged(session, row, found.deal.title, at)


def _evidence(session: Session, found: _Judged, row: Introduction) -> dict[str, Any]:
    """Return what was known at the time: who was introduced, when, by whom, what was signed."""
    contract, mandate = found.contract, found.mandates[row.mandate_id]
    assert contract.signed_on is not None
    names = accounts.organisations(session, {row.broker_id, row.seller_id, row.buyer_id})
    listings = catalog.headings(session, [row.achievement_id, row.demand_id])
    proposed_on = local_date(row.created_at)

    def moment(value: datetime | None) -> str | None:
        return None if value is None else local_text(value)

    return {
        "introduction": row.public_id,
        "broker": names[row.broker_id].name,
        "seller": names[row.seller_id].name,
        "buyer": names[row.buyer_id].name,
        "achievement": listings[row.achievement_id].title,
        "demand": listings[row.demand_id].title,
        "proposed_at": moment(row.created_at),
        "seller_accepted_at": moment(row.seller_accepted_at),
        "buyer_accepted_at": moment(row.buyer_accepted_at),
        "introduction_state": row.state,
        "mandate": mandate.public_id,
        "mandate_from": mandate.valid_from.isoformat(),
        "mandate_until": mandate.valid_until.isoformat(),
        "contract": contract.public_id,
        "deal": found.deal.number,
        "project_name": contract.project_name,
        "signed_on": contract.signed_on.isoformat(),
        "total_fen": contract.total_fen,
        "technical_fen": contract.technical_fen,
        "days_between": (contract.signed_on - proposed_on).days,
        "last_day": (proposed_on + timedelta(days=found.days)).isoformat(),
    }


def overdue_mandates(
    session: Session, after: MandateId, at: datetime, limit: int
) -> Sequence[Mandate]:
    return repository_costs.overdue(session, local_date(at), after, limit)
