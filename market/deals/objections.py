"""Objections against a 公示: sent by anyone while it runs, handled by the seller.

While one is open no contract is signed. One that is upheld stops the 公示; one that is cleared
leaves it as it is. What was sent, the handling and its evidence stay.
"""

from collections.abc import Sequence
from typing import BinaryIO

from market.accounts.policy import Action, Relation
from market.accounts.work import Work
from market.deals import clearance, pricing, service, sharing, waiting
from market.deals import repository_contracts as papers
from market.deals import repository_objections as repository
from market.deals.models import Deal, PricingPath
from market.deals.models_negotiation import Objection
from market.deals.schemas import ObjectionHandlingIn, ObjectionIn
from market.deals.vocabulary import ObjectionState, PricingPathKind, PricingState, StopReason
from market.kit import files
from market.kit.errors import Conflict, NotFound, TooMany
from market.kit.files import StoredFile
from market.kit.ids import PublicId, new_public_id
from market.rules import service as rules

MOST = 200
"""Objections that one 公示 takes; more are a flood, and the first tell the seller enough."""


def send(work: Work, public_id: PublicId, form: ObjectionIn) -> Objection:
    """Object to a running 公示, by anyone. Raises NotFound, Conflict when it does not run."""
    work.require(Action.OBJECTION_SEND, Relation.OTHER)
    row = _publicity(work, public_id)
    deal = service.deal_of(work, row.deal_id)
    deal, row = _held(work, deal, row)
    term = clearance.term(row, rules.calendar(work.session))
    if row.state != PricingState.PUBLICISED or work.today > term.ends_on:
        raise Conflict("公示已经结束，异议请直接向持有单位提出")
    if repository.count(work.session, row.id) >= MOST:
        raise TooMany("这次公示收到的异议太多，请直接向持有单位提出")
    objection = Objection(
        public_id=new_public_id(),
        pricing_path_id=row.id,
        name=form.name,
        contact=form.contact,
        text=form.text,
        created_by=work.actor.person_id,
        created_at=work.now,
    )
    work.session.add(objection)
    work.session.flush()
    work.touched("publicity", row.public_id)
    waiting.deal_moved(work, deal)
    return objection


def _publicity(work: Work, public_id: PublicId) -> PricingPath:
    row = papers.pricing_by_public_id(work.session, public_id)
    if row is None or row.path != PricingPathKind.AGREEMENT:
        raise NotFound
    return row


def _held(work: Work, deal: Deal, row: PricingPath) -> tuple[Deal, PricingPath]:
    """Return both as they are now, the deal's row locked first, as by every step."""
    locked = service.locked(work, deal)
    work.session.refresh(row)
    return locked, row


def handle(
    work: Work,
    public_id: PublicId,
    objection_id: PublicId,
    form: ObjectionHandlingIn,
    evidence: tuple[str, BinaryIO] | None = None,
) -> Objection:
    """Say what became of an objection, by the seller: cleared, or upheld, which stops the 公示.

    `evidence` is a file's name and its open stream. Raises NotFound, Conflict.
    """
    deal, _ = service.step(work, public_id, Action.PRICING_SET)
    row = repository.by_public_id(work.session, objection_id)
    path = papers.live_pricing(work.session, deal.id)
    if row is None or row.pricing_path_id not in _paths(work, deal):
        raise NotFound
    to = ObjectionState(form.decision)
    file = sharing.keep(work, *evidence) if evidence is not None else None
    repository.handle(
        work.session,
        row,
        to,
        handling=form.handling,
        evidence_id=file.id if file else None,
        handled_by=work.actor.person,
        handled_at=work.now,
    )
    if to is ObjectionState.UPHELD and path is not None and path.id == row.pricing_path_id:
        pricing.end(work, deal, path, StopReason.OBJECTION, form.handling[:500])
    what = "成立，公示终止" if to is ObjectionState.UPHELD else "不成立"
    service.tell(work, deal, "objection", f"公示的一件异议已处理：{what}")
    waiting.deal_moved(work, deal)
    work.session.refresh(row)
    return row


def _paths(work: Work, deal: Deal) -> set[int]:
    return {one.id for one in papers.pricing_paths_of(work.session, [deal.id])}


def of_deal(work: Work, deal: Deal) -> Sequence[Objection]:
    """Return the objections against all 公示 of a deal, for its seller; nothing for others."""
    if not work.may(Action.PRICING_SET, service.relation(work, deal)):
        return ()
    if deal.seller_id != work.actor.organisation_id:
        return ()
    return repository.of_paths(work.session, _paths(work, deal))


def evidence(
    work: Work, public_id: PublicId, objection_id: PublicId
) -> tuple[StoredFile, BinaryIO]:
    """Return what an objection was handled on, for the seller; the caller closes it.

    Raises NotFound, Forbidden.
    """
    deal = service.find(work, public_id)
    service.require(work, deal, Action.PRICING_SET, service.relation(work, deal))
    row = repository.by_public_id(work.session, objection_id)
    if row is None or row.evidence_id is None or row.pricing_path_id not in _paths(work, deal):
        raise NotFound
    file = files.by_key(work.session, row.evidence_id)
    return file, work.parts.files.open(file.sha256)
