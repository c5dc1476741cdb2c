"""Deals (洽谈): who is who in one, how it opens, its terms, how it ends without a contract.

Relations: own is the seller, counterpart the buyer, mandated a broker with a mandate in force of
one of them. Everyone else does not see the deal. Each step locks the deal's row first.
"""

from collections.abc import Mapping, Sequence

from market.access import mandates
from market.access.mandates import Served
from market.accounts.policy import Action, OrganisationKind, Relation
from market.accounts.work import Work
from market.deals import clearance, offers, repository, waiting
from market.deals import repository_contracts as papers
from market.deals import repository_negotiation as beside
from market.deals.models import Deal, DealEvent, DealNote, Terms
from market.deals.repository import Only
from market.deals.repository_negotiation import Reader
from market.deals.schemas import ConfirmIn, LoseIn, NoteIn, TermsIn
from market.deals.vocabulary import (
    LOST_REASONS,
    PAGE,
    Audience,
    DealState,
    LostReason,
    Phase,
    PricingState,
    Shelf,
    Side,
    StageEntered,
    StopReason,
)
from market.discovery import matches
from market.kit.errors import Conflict, Forbidden, Invalid, NotFound
from market.kit.ids import DealId, OrganisationId, PublicId
from market.kit.notify import Subject

SIDE_NAMES = {Side.SELLER: "卖方", Side.BUYER: "买方"}
RELATIONS = {Side.SELLER: Relation.OWN, Side.BUYER: Relation.COUNTERPART}
EVERYTHING = Only()
JOINT = frozenset({Action.DEAL_VIEW, Action.DEAL_NOTE, Action.DEAL_SHARE})
"""What a further party does itself; all else is for the party that leads its side."""


def relation_to(
    work: Work,
    *,
    seller_id: OrganisationId,
    buyer_id: OrganisationId,
    served: Served | None = None,
) -> Relation | None:
    """Return what the actor is to a seller and a buyer; None for those outside."""
    organisation_id = work.actor.organisation_id
    if organisation_id is None:
        return None
    if organisation_id == seller_id:
        return Relation.OWN
    if organisation_id == buyer_id:
        return Relation.COUNTERPART
    served = served or mandates.served(work)
    if seller_id in served.sellers or buyer_id in served.buyers:
        return Relation.MANDATED
    return None


def relation(
    work: Work,
    deal: Deal,
    served: Served | None = None,
    further: Mapping[DealId, Side] | None = None,
) -> Relation:
    """Return what the actor is to a deal; a further party is what its side is.

    For many deals, `served` and `further` are asked for once beforehand. Raises NotFound for those
    outside.
    """
    found = relation_to(work, seller_id=deal.seller_id, buyer_id=deal.buyer_id, served=served)
    if found in (Relation.OWN, Relation.COUNTERPART):
        return found
    side = (further_sides(work, [deal]) if further is None else further).get(deal.id)
    if side is not None:
        return RELATIONS[side]
    if found is None:
        raise NotFound
    return found


def further_sides(work: Work, deals: Sequence[Deal]) -> dict[DealId, Side]:
    """Return of which of these deals the acting organisation is a further party, and its side."""
    if work.actor.organisation_id is None:
        return {}
    ids = [deal.id for deal in deals]
    return beside.further_sides(work.session, work.actor.organisation_id, ids)


def leads(work: Work, deal: Deal) -> bool:
    """Return whether the acting organisation leads a side of the deal."""
    return work.actor.organisation_id in parties(deal)


def allowed(work: Work, deal: Deal, action: Action, related: Relation) -> bool:
    """Return whether the actor, so related to a deal it sees, may take a step of it."""
    if related is not Relation.MANDATED and action not in JOINT and not leads(work, deal):
        return False
    return work.may(action, related)


def require(work: Work, deal: Deal, action: Action, related: Relation) -> None:
    """Go on only where the step is the actor's. Raises Forbidden."""
    work.require(action, related)
    if not allowed(work, deal, action, related):
        raise Forbidden("共同卖方、共同买方可以看、写备注、确认份额，这一步由牵头的一方办理")


def side_of(work: Work, deal: Deal) -> Side:
    """Return the party that the actor is. Raises NotFound outside, Forbidden for a broker."""
    related = relation(work, deal)
    for side, one in RELATIONS.items():
        if one is related:
            return side
    raise Forbidden("经理人可以看和写备注，这一步由买卖双方办理")


def parties(deal: Deal) -> tuple[OrganisationId, OrganisationId]:
    """Return the seller and the buyer."""
    return deal.seller_id, deal.buyer_id


def find(work: Work, public_id: PublicId) -> Deal:
    """Return a deal to those who may see it. Raises NotFound."""
    row = repository.deal_by_public_id(work.session, public_id)
    if row is None:
        raise NotFound
    work.require(Action.DEAL_VIEW, relation(work, row))
    return row


def may_see(work: Work, deal: Deal) -> bool:
    """Return whether the actor may open a deal that another page tells of."""
    try:
        return work.may(Action.DEAL_VIEW, relation(work, deal))
    except NotFound:
        return False


def reader(work: Work, deal: Deal, related: Relation) -> Reader:
    """Return as whom the actor reads what was shared in a deal it sees."""
    served = mandates.served(work) if related is Relation.MANDATED else None
    principals = set()
    if served is not None:
        principals |= {deal.seller_id} & {*served.sellers}
        principals |= {deal.buyer_id} & {*served.buyers}
    return Reader(work.actor.organisation, served is None, frozenset(principals))


def step(work: Work, public_id: PublicId, action: Action) -> tuple[Deal, Relation]:
    """Return a deal locked for a step that the actor may take, and what the actor is to it.

    Raises NotFound where it may not be seen, Forbidden where the step is another side's.
    """
    row = repository.deal_by_public_id(work.session, public_id, lock=True)
    if row is None:
        raise NotFound
    related = relation(work, row)
    if not work.may(Action.DEAL_VIEW, related):
        raise NotFound
    work.touched("deal", row.public_id)
    require(work, row, action, related)
    return row, related


def _sides_of_actor(work: Work) -> dict[str, set[OrganisationId]]:
    """Return whose deals the actor reads: its own organisation's, a broker's principals'."""
    if work.actor.kind is not OrganisationKind.AGENCY:
        work.require(Action.DEAL_VIEW)
        own = {work.actor.organisation}
        return {"as_seller": own, "as_buyer": own, "further": own}
    work.require(Action.DEAL_VIEW, Relation.MANDATED)
    served = mandates.served(work)
    return {"as_seller": {*served.sellers}, "as_buyer": {*served.buyers}, "further": set()}


def only(
    work: Work, *, phase: Phase | None = None, words: str = "", side: Side | None = None
) -> Only:
    """Return what the actor's list is narrowed to: a phase, words of the title, a leading side."""
    sides = _sides_of_actor(work)
    leading = sides["as_seller"] if side is Side.SELLER else sides["as_buyer"]
    return Only(phase, words, side, frozenset(leading))


def deals_of_actor(
    work: Work,
    shelf: Shelf | None = None,
    page: int = 1,
    only: Only = EVERYTHING,
    size: int = PAGE,
) -> Sequence[Deal]:
    """Return a page of the deals of the acting organisation, or of a broker's principals."""
    return repository.deals_of(
        work.session,
        **_sides_of_actor(work),
        only=only,
        shelf=shelf,
        offset=(page - 1) * size,
        limit=size,
    )


def deal_counts(work: Work, only: Only = EVERYTHING) -> dict[Shelf, int]:
    """Return how many of the actor's deals there are on each shelf."""
    return repository.deal_counts(work.session, **_sides_of_actor(work), only=only)


def running_fen(work: Work) -> int:
    """Return what the actor's deals under way are about, in fen."""
    return repository.running_fen(work.session, **_sides_of_actor(work))


def tell(work: Work, deal: Deal, kind: str, text: str) -> None:
    """Add to the deal's timeline, which both parties and their brokers read."""
    work.session.add(
        DealEvent(
            deal_id=deal.id,
            kind=kind,
            text=text[:500],
            organisation_id=work.actor.organisation,
            person_id=work.actor.person,
            at=work.now,
        )
    )
    repository.touch_deal(work.session, deal.id, work.now)


def tell_other(
    work: Work,
    deal: Deal,
    kind: str,
    what: str,
    *,
    round: object = "",  # noqa: A002  as of a task
    detail: str = "",
) -> None:
    """Send the parties that do not act now a message about their deal."""
    subject = Subject("deal", deal.public_id)
    for reader in {*parties(deal)} - {work.actor.organisation_id}:
        title = f"{what}：{deal.title}"
        waiting.message(
            work, reader, Action.DEAL_VIEW, kind, subject, title, round=round, detail=detail
        )


def propose(work: Work, public_id: PublicId, form: TermsIn) -> Deal:
    """Propose terms, by either side; a proposal is its proposer's confirmation of it.

    Raises Invalid where its parts do not fit; Conflict where the deal is no longer negotiated or a
    newer version has come.
    """
    deal, _ = step(work, public_id, Action.DEAL_TERMS)
    side = side_of(work, deal)
    still_negotiated(deal)
    offers.check(form)
    repository.next_terms(work.session, deal, form.seen, side, work.now)
    row = Terms(
        deal_id=deal.id,
        version=form.seen + 1,
        side=side,
        **offers.values(form),
        proposed_by=work.actor.person,
        proposed_at=work.now,
    )
    work.session.add(row)
    work.session.flush()
    work.session.add_all(offers.rows(row.id, form.instalments))
    if deal.phase != Phase.BARGAINING:
        repository.move_phase(work.session, deal, Phase(deal.phase), Phase.BARGAINING, work.now)
    what = f"{row.mode}，{offers.price_words(row)}"
    tell(work, deal, "terms", f"{SIDE_NAMES[side]}提出第{form.seen + 1}轮条件：{what}")
    waiting.deal_moved(work, deal)
    return deal


def confirm(work: Work, public_id: PublicId, form: ConfirmIn) -> Deal:
    """Confirm the version of the terms that was read; the second side's makes it agreed.

    Confirming one version twice changes nothing. Raises Conflict where a newer one has come.
    """
    deal, _ = step(work, public_id, Action.DEAL_CONFIRM)
    side = side_of(work, deal)
    confirmed = deal.seller_confirmed if side is Side.SELLER else deal.buyer_confirmed
    if confirmed == form.version and deal.state != DealState.LOST:
        return deal
    still_negotiated(deal)
    repository.confirm_terms(work.session, deal, form.version, side, work.now)
    work.session.refresh(deal)
    tell(work, deal, "confirmed", f"{SIDE_NAMES[side]}接受第{form.version}轮条件")
    if deal.seller_confirmed == deal.buyer_confirmed == form.version:
        repository.move_deal(
            work.session, deal, DealState.NEGOTIATION, DealState.AGREED, agreed_at=work.now
        )
        repository.enter_stage(work.session, deal.id, StageEntered.AGREED, work.now)
        tell(work, deal, "agreed", f"双方就第{form.version}轮条件达成一致")
        tell_other(work, deal, "deal.agreed", "条件达成一致", round=form.version)
    waiting.deal_moved(work, deal)
    return deal


def still_negotiated(deal: Deal) -> None:
    if deal.state == DealState.AGREED:
        raise Conflict(f"双方已就第{deal.terms_version}轮条件达成一致，不能再改")
    if deal.state == DealState.LOST:
        raise Conflict("洽谈已经终止")


def lose(work: Work, public_id: PublicId, form: LoseIn) -> Deal:
    """End a deal without a contract, by either side; its draft is dropped, its 公示 stopped.

    Raises Invalid at `note`, Conflict where a contract is signed or the deal ended before.
    """
    deal, _ = step(work, public_id, Action.DEAL_LOSE)
    side = side_of(work, deal)
    if form.reason is LostReason.OTHER and not form.note:
        raise Invalid(fields={"note": "原因选“其他”时请写明是什么，对方会看到"})
    if deal.concluded_at is not None:
        raise Conflict("合同已经签订，洽谈不能再终止")
    if deal.state == DealState.LOST:
        raise Conflict("洽谈已经终止")
    repository.move_deal(
        work.session,
        deal,
        DealState(deal.state),
        DealState.LOST,
        lost_reason=form.reason,
        lost_note=form.note,
        lost_by=side,
    )
    repository.enter_stage(work.session, deal.id, StageEntered.LOST, work.now)
    papers.drop_draft(work.session, deal.id)
    path = papers.live_pricing(work.session, deal.id)
    if path is not None and path.state != PricingState.DEALT:
        tell(work, deal, "stopped", clearance.stop(work, path, StopReason.LEFT))
    why = LOST_REASONS[form.reason] + (f"：{form.note}" if form.note else "")
    tell(work, deal, "lost", f"{SIDE_NAMES[side]}终止洽谈，{why}")
    tell_other(work, deal, "deal.lost", "对方终止洽谈", detail=why)
    waiting.deal_moved(work, deal)
    return deal


def note(work: Work, public_id: PublicId, form: NoteIn) -> DealNote:
    """Write a note for one's own organisation, or for those it is shared with.

    Raises Invalid at `audience` where a broker names one that is not its own or all.
    """
    deal, related = step(work, public_id, Action.DEAL_NOTE)
    check_audience(related, form.audience)
    row = DealNote(
        deal_id=deal.id,
        audience=form.audience,
        text=form.text,
        organisation_id=work.actor.organisation,
        person_id=work.actor.person,
        at=work.now,
    )
    work.session.add(row)
    if form.audience is Audience.ALL:
        repository.touch_deal(work.session, deal.id, work.now)
    work.session.flush()
    return row


def check_audience(related: Relation, audience: Audience) -> None:
    """Raise Invalid where a broker would share with some of the parties only."""
    if related is Relation.MANDATED and audience not in (Audience.OWN, Audience.ALL):
        raise Invalid(fields={"audience": "经理人的备注和文件可以仅本单位看，或双方和经理人都看"})


def agreed_terms(work: Work, deal: Deal) -> Terms:
    """Return the terms that both sides confirmed. Raises Conflict before that."""
    if deal.state != DealState.AGREED:
        raise Conflict("双方还没有就条件达成一致，这一步要在达成一致之后")
    return repository.terms_of(work.session, [deal.id])[0]


def conclude(work: Work, deal: Deal) -> None:
    """Close a deal by its signed contract. Raises Conflict where it was lost meanwhile."""
    repository.conclude(work.session, deal.id, work.now)
    repository.enter_stage(work.session, deal.id, StageEntered.SIGNED, work.now)
    matches.note_dealt(work, deal.achievement_id, deal.demand_id, deal.buyer_id)


def locked(work: Work, deal: Deal) -> Deal:
    """Return a deal with its row locked, for a step that is no party's."""
    row = repository.deal_by_public_id(work.session, deal.public_id, lock=True)
    assert row is not None
    return row


def deal_of(work: Work, deal_id: DealId) -> Deal:
    """Return a deal by its key; the caller has checked who asks."""
    return repository.deal(work.session, deal_id)
