"""Deals (洽谈): who is who in one, how it opens, its terms, how it ends without a contract.

Relations: own is the seller, counterpart the buyer, mandated a broker with a mandate in force of
one of them. Everyone else does not see the deal. Each step locks the deal's row first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError

from market.access import mandates
from market.access import service as access
from market.access.mandates import Served
from market.accounts.policy import Action, OrganisationKind, Relation
from market.accounts.work import Work
from market.catalog import repository as catalog
from market.catalog.views import Heading
from market.deals import repository, waiting
from market.deals import repository_contracts as papers
from market.deals.models import Deal, DealEvent, DealNote, Terms
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
from market.kit.ids import DealId, ListingId, OrganisationId, PublicId, new_public_id
from market.kit.money import wan_in_words
from market.kit.notify import Subject

SIDE_NAMES = {Side.SELLER: "卖方", Side.BUYER: "买方"}


@dataclass(frozen=True, slots=True)
class Pair:
    """Who deals with whom, about what; at least one of the listings is there."""

    seller_id: OrganisationId
    buyer_id: OrganisationId
    achievement: Heading | None
    demand: Heading | None

    @property
    def title(self) -> str:
        about = self.achievement or self.demand
        assert about is not None
        return about.title


def relation_to(
    work: Work,
    *,
    seller_id: OrganisationId,
    buyer_id: OrganisationId,
    served: Served | None = None,
) -> Relation | None:
    """Return what the actor is to a seller and a buyer; None for those outside.

    For many of them, `served` is asked for once beforehand.
    """
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


def relation(work: Work, deal: Deal, served: Served | None = None) -> Relation:
    """Return what the actor is to a deal. Raises NotFound for those outside."""
    found = relation_to(work, seller_id=deal.seller_id, buyer_id=deal.buyer_id, served=served)
    if found is None:
        raise NotFound
    return found


def side_of(work: Work, deal: Deal) -> Side:
    """Return the party that the actor is. Raises NotFound outside, Forbidden for a broker."""
    try:
        return {Relation.OWN: Side.SELLER, Relation.COUNTERPART: Side.BUYER}[relation(work, deal)]
    except KeyError:
        raise Forbidden("经理人可以看和写备注，这一步由买卖双方办理") from None


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
    work.require(action, related)
    return row, related


def _sides_of_actor(work: Work) -> dict[str, set[OrganisationId]]:
    """Return whose deals the actor reads: its own organisation's, a broker's principals'."""
    if work.actor.kind is not OrganisationKind.AGENCY:
        work.require(Action.DEAL_VIEW)
        own = {work.actor.organisation}
        return {"as_seller": own, "as_buyer": own}
    work.require(Action.DEAL_VIEW, Relation.MANDATED)
    served = mandates.served(work)
    return {"as_seller": {*served.sellers}, "as_buyer": {*served.buyers}}


def deals_of_actor(work: Work, shelf: Shelf | None = None, page: int = 1) -> Sequence[Deal]:
    """Return a page of the deals of the acting organisation, or of a broker's principals."""
    return repository.deals_of(
        work.session,
        **_sides_of_actor(work),
        shelf=shelf,
        offset=(page - 1) * PAGE,
        limit=PAGE,
    )


def deal_counts(work: Work) -> dict[Shelf, int]:
    """Return how many of the actor's deals there are on each shelf."""
    return repository.deal_counts(work.session, **_sides_of_actor(work))


def running_fen(work: Work) -> int:
    """Return what the actor's deals under way are about, in fen."""
    return repository.running_fen(work.session, **_sides_of_actor(work))


def open_or_join(work: Work, pair: Pair, why: str) -> Deal:
    """Return the open deal of a pair, opened now where there is none, `why` in its timeline.

    Two answers at once lead to one deal: the database's unique index decides.
    """
    for last in (False, True):
        try:
            with work.session.begin_nested():
                row = _open_or_join(work, pair)
            break
        except IntegrityError:
            if last:
                raise
    for listing, reader in ((pair.achievement, row.buyer_id), (pair.demand, row.seller_id)):
        if listing is not None:
            access.disclose_name(work, listing.listing_id, reader)
    tell(work, row, "opened", why)
    waiting.deal_moved(work, row)
    work.session.refresh(row)
    return row


def _open_or_join(work: Work, pair: Pair) -> Deal:
    achievement_id = _id(pair.achievement)
    demand_id = _id(pair.demand)
    row = repository.open_deal(
        work.session,
        seller_id=pair.seller_id,
        buyer_id=pair.buyer_id,
        achievement_id=achievement_id,
        demand_id=demand_id,
    )
    if row is not None:
        repository.complete_deal(
            work.session,
            row.id,
            achievement_id=achievement_id,
            demand_id=demand_id,
            at=work.now,
        )
        return row
    year = work.today.year
    (serial,) = catalog.next_numbers(work.session, f"N-{year}", 1)
    row = Deal(
        public_id=new_public_id(),
        number=f"N-{year}-{serial:05d}",
        title=pair.title,
        seller_id=pair.seller_id,
        buyer_id=pair.buyer_id,
        achievement_id=achievement_id,
        demand_id=demand_id,
        created_at=work.now,
        updated_at=work.now,
    )
    work.session.add(row)
    work.session.flush()
    repository.enter_stage(work.session, row.id, StageEntered.CONTACT, work.now)
    return row


def _id(ref: Heading | None) -> ListingId | None:
    return ref.listing_id if ref else None


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

    Raises Conflict where the deal is no longer negotiated or a newer version has come.
    """
    deal, _ = step(work, public_id, Action.DEAL_TERMS)
    side = side_of(work, deal)
    _still_negotiated(deal)
    repository.next_terms(work.session, deal, form.seen, side, work.now)
    work.session.add(
        Terms(
            deal_id=deal.id,
            version=form.seen + 1,
            side=side,
            mode=form.mode,
            amount_fen=form.amount_fen,
            text=form.text,
            proposed_by=work.actor.person,
            proposed_at=work.now,
        )
    )
    if deal.phase != Phase.BARGAINING:
        repository.move_phase(work.session, deal, Phase(deal.phase), Phase.BARGAINING, work.now)
    what = f"{form.mode}，{wan_in_words(form.amount_fen)}"
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
    _still_negotiated(deal)
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


def _still_negotiated(deal: Deal) -> None:
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
    pricing = papers.live_pricing(work.session, deal.id)
    if pricing is not None and pricing.state != PricingState.DEALT:
        papers.move_pricing(
            work.session,
            pricing,
            PricingState(pricing.state),
            PricingState.STOPPED,
            stop_reason=StopReason.LEFT,
            stopped_on=work.today,
        )
    why = LOST_REASONS[form.reason] + (f"：{form.note}" if form.note else "")
    tell(work, deal, "lost", f"{SIDE_NAMES[side]}终止洽谈，{why}")
    tell_other(work, deal, "deal.lost", "对方终止洽谈", detail=why)
    waiting.deal_moved(work, deal)
    return deal


def note(work: Work, public_id: PublicId, form: NoteIn) -> DealNote:
    """Write a note for one's own organisation or for all in the deal, brokers too."""
    deal, _ = step(work, public_id, Action.DEAL_NOTE)
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


def deal_of(work: Work, deal_id: DealId) -> Deal:
    """Return a deal by its key; the caller has checked who asks."""
    return repository.deal(work.session, deal_id)
