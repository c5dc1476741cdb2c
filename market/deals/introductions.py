"""Introductions (引荐): proposed by a broker, accepted by each side, which opens a deal."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError

from market.access import mandates
from market.access import service as access
from market.access.models import Mandate
from market.accounts import repository as accounts
from market.accounts.models import Organisation
from market.accounts.policy import Action, OrganisationKind, Relation
from market.accounts.work import Work
from market.catalog import views as catalog
from market.catalog.models import Listing, ListingState
from market.catalog.views import Heading, Source
from market.catalog.vocabulary import MASKED_NAME, ListingKind
from market.deals import opening, waiting
from market.deals import repository as deal_rows
from market.deals import repository_inquiries as repository
from market.deals.models import Deal, Introduction
from market.deals.opening import Pair
from market.deals.schemas import IntroductionDecisionIn, IntroductionIn
from market.deals.vocabulary import PAGE, IntroductionState, Side
from market.kit.errors import Conflict, Invalid, NotFound
from market.kit.ids import ListingId, OrganisationId, PublicId, new_public_id
from market.kit.notify import Subject

CHOICES = 20  # of each kind; more are found by their words
PROPOSED_ALREADY = "这对成果和需求已经引荐过，正等待双方答复，可在“引荐”里查看"
ACCEPTED_BY = {
    Side.SELLER: IntroductionState.ACCEPTED_SELLER,
    Side.BUYER: IntroductionState.ACCEPTED_BUYER,
}
NO_MANDATE = "至少一方要给过贵单位有效的委托，这项成果和这项需求的单位都没有"
OPEN = frozenset({IntroductionState.PROPOSED, *ACCEPTED_BY.values()})


@dataclass(frozen=True, slots=True)
class IntroductionView:
    """An introduction as one actor sees it; `seller` and `buyer` are None while masked."""

    introduction: Introduction
    relation: Relation
    broker: Organisation
    seller: Organisation | None
    buyer: Organisation | None
    seller_label: str
    buyer_label: str
    achievement: Heading
    demand: Heading
    deal: Deal | None
    may_decide: bool


@dataclass(frozen=True, slots=True)
class Choices:
    """What a broker may bring together: at least one of a pair must be of its principals."""

    own_achievements: list[Source]
    own_demands: list[Source]
    achievements: int
    demands: int


def relation(work: Work, row: Introduction) -> Relation:
    """Return what the actor is: own the seller's side, counterpart the buyer's, mandated the
    broker that proposed it. Raises NotFound for everyone else.
    """
    related = {
        row.seller_id: Relation.OWN,
        row.buyer_id: Relation.COUNTERPART,
        row.broker_id: Relation.MANDATED,
    }.get(work.actor.organisation)
    if related is None:
        raise NotFound
    return related


def choices(work: Work, words: str = "") -> Choices:
    """Return the newest CHOICES published listings of each kind of the organisations the acting
    broker acts for, those with `words` in title or number, and how many there are.
    """
    work.require(Action.INTRODUCTION_PROPOSE, Relation.MANDATED)
    served = mandates.served(work)
    achievements, some = _public_of(work, served.sellers, ListingKind.ACHIEVEMENT, words)
    demands, others = _public_of(work, served.buyers, ListingKind.DEMAND, words)
    return Choices(some, others, achievements, demands)


def _public_of(
    work: Work, owners: Iterable[OrganisationId], kind: ListingKind, words: str
) -> tuple[int, list[Source]]:
    total, ids = catalog.public_of(work.session, kind, owners, words=words, limit=CHOICES)
    found = catalog.document_source(work.session, ids)
    return total, [found[one] for one in ids]


def propose(work: Work, form: IntroductionIn) -> Introduction:
    """Propose to bring an achievement and a demand together.

    Raises Invalid at `achievement`, `demand`, the latter too without a mandate in force of either
    side; Conflict where the broker has proposed the pair already.
    """
    work.require(Action.INTRODUCTION_PROPOSE, Relation.MANDATED)
    achievement = _published(work, form.achievement, ListingKind.ACHIEVEMENT)
    demand = _published(work, form.demand, ListingKind.DEMAND)
    mandate = _mandate(work, achievement, demand)
    # Only now: to a stranger this answer would tell who stands behind a masked name.
    if achievement.organisation_id == demand.organisation_id:
        raise Invalid(fields={"demand": "成果和需求属于同一家机构，不用引荐"})
    row = Introduction(
        public_id=new_public_id(),
        broker_id=work.actor.organisation,
        mandate_id=mandate.id,
        seller_id=achievement.organisation_id,
        buyer_id=demand.organisation_id,
        achievement_id=achievement.id,
        demand_id=demand.id,
        message=form.message,
        created_by=work.actor.person,
        created_at=work.now,
    )
    work.session.add(row)
    try:
        work.session.flush()
    except IntegrityError:
        raise Conflict(PROPOSED_ALREADY) from None
    waiting.introduction_moved(work, row)
    work.touched("introduction", row.public_id)
    return row


def _published(work: Work, public_id: str, kind: ListingKind) -> Listing:
    row = access.find_listing(work, PublicId(public_id))
    if row is None or row.kind != kind or row.state != ListingState.PUBLISHED:
        what = "需求" if kind is ListingKind.DEMAND else "成果"
        raise Invalid(fields={kind.value: f"请选一项已公开的{what}，这一项没有公开或不是{what}"})
    return row


def _mandate(work: Work, achievement: Listing, demand: Listing) -> Mandate:
    served = mandates.served(work)
    mandate = served.sellers.get(achievement.organisation_id) or served.buyers.get(
        demand.organisation_id
    )
    if mandate is None:
        raise Invalid(fields={"demand": NO_MANDATE})
    return mandate


def _find(work: Work, public_id: PublicId) -> tuple[Introduction, Relation]:
    row = repository.introduction_by_public_id(work.session, public_id)
    if row is None:
        raise NotFound
    related = relation(work, row)
    if not work.may(Action.INTRODUCTION_VIEW, related):
        raise NotFound
    work.touched("introduction", row.public_id)
    return row, related


def decide(work: Work, public_id: PublicId, form: IntroductionDecisionIn) -> Introduction:
    """Accept or decline for one's own side; the second acceptance opens or joins the deal.

    Accepting twice changes nothing. Raises NotFound, Forbidden, Conflict.
    """
    row, related = _find(work, public_id)
    work.require(Action.INTRODUCTION_DECIDE, related)
    side = Side.SELLER if related is Relation.OWN else Side.BUYER
    state = IntroductionState(row.state)
    if form.decision == "accept" and state in (ACCEPTED_BY[side], IntroductionState.ACCEPTED):
        return row
    if state not in OPEN:
        raise Conflict("这次引荐已经有结果了，请刷新后再看")
    if form.decision == "decline":
        repository.move_introduction(
            work.session,
            row.id,
            state,
            IntroductionState.DECLINED,
            decline_reason=form.reason,
            declined_by_id=work.actor.organisation,
            decided_at=work.now,
        )
    elif state is IntroductionState.PROPOSED:
        repository.move_introduction(
            work.session, row.id, state, ACCEPTED_BY[side], **_consent(work, side)
        )
    else:
        _accepted(work, row, state, side)
    work.session.refresh(row)
    waiting.introduction_moved(work, row)
    if row.decided_at is not None:
        _tell_decided(work, row)
    return row


def _tell_decided(work: Work, row: Introduction) -> None:
    """Tell the broker and the other side how an introduction ended."""
    accepted = row.state == IntroductionState.ACCEPTED
    pair = waiting.pair_title(row, _headings(work, [row]))
    title = f"双方接受引荐，开始洽谈：{pair}" if accepted else f"引荐没有被接受：{pair}"
    for reader in {row.broker_id, row.seller_id, row.buyer_id} - {work.actor.organisation}:
        waiting.message(
            work,
            reader,
            Action.INTRODUCTION_VIEW,
            "introduction.decided",
            Subject("introduction", row.public_id),
            title,
        )


def _consent(work: Work, side: Side) -> dict[str, object]:
    """Return what is kept of one side's consent: when, and by whom."""
    return {f"{side}_accepted_at": work.now, f"{side}_accepted_by": work.actor.person}


def _accepted(work: Work, row: Introduction, state: IntroductionState, side: Side) -> None:
    repository.move_introduction(
        work.session,
        row.id,
        state,
        IntroductionState.ACCEPTED,
        decided_at=work.now,
        **_consent(work, side),
    )
    refs = _headings(work, [row])
    broker = accounts.organisation(work.session, row.broker_id)
    pair = Pair(row.seller_id, row.buyer_id, refs[row.achievement_id], refs[row.demand_id])
    deal = opening.open_or_join(work, pair, f"双方接受{broker.name}的引荐，开始洽谈")
    repository.link_introduction(work.session, row.id, deal.id)


def introduction(work: Work, public_id: PublicId) -> IntroductionView:
    """Return one introduction to its sides and its broker. Raises NotFound."""
    row, _ = _find(work, public_id)
    return views(work, [row])[0]


def introductions_of_actor(work: Work, page: int = 1) -> tuple[int, list[IntroductionView]]:
    """Return (how many, a page of PAGE) of what the acting organisation proposed or was proposed,
    newest first.
    """
    work.require(
        Action.INTRODUCTION_VIEW,
        Relation.MANDATED if work.actor.kind is OrganisationKind.AGENCY else Relation.OWN,
    )
    total, rows = repository.introductions_of(
        work.session, work.actor.organisation, offset=(page - 1) * PAGE, limit=PAGE
    )
    return total, views(work, rows)


def views(work: Work, rows: Sequence[Introduction]) -> list[IntroductionView]:
    """Return introductions as the actor sees them. Raises NotFound for those outside."""
    session = work.session
    refs = _headings(work, rows)
    known = access.names_visible(work, list(refs.values()))
    names = accounts.organisations(
        session, {one for row in rows for one in (row.seller_id, row.buyer_id, row.broker_id)}
    )
    deals = deal_rows.deals(session, [row.deal_id for row in rows])
    found = []
    for row in rows:
        related = relation(work, row)
        seller, buyer = names[row.seller_id], names[row.buyer_id]
        seller_known, buyer_known = row.achievement_id in known, row.demand_id in known
        found.append(
            IntroductionView(
                introduction=row,
                relation=related,
                broker=names[row.broker_id],
                seller=seller if seller_known else None,
                buyer=buyer if buyer_known else None,
                seller_label=seller.name if seller_known else MASKED_NAME,
                buyer_label=buyer.name if buyer_known else MASKED_NAME,
                achievement=refs[row.achievement_id],
                demand=refs[row.demand_id],
                deal=deals[row.deal_id] if row.deal_id else None,
                may_decide=_may_decide(work, row, related),
            )
        )
    return found


def _headings(work: Work, rows: Sequence[Introduction]) -> dict[ListingId, Heading]:
    return catalog.headings(
        work.session, [one for row in rows for one in (row.achievement_id, row.demand_id)]
    )


def _may_decide(work: Work, row: Introduction, related: Relation) -> bool:
    side = {Relation.OWN: Side.SELLER, Relation.COUNTERPART: Side.BUYER}.get(related)
    if side is None or not work.may(Action.INTRODUCTION_DECIDE, related):
        return False
    return row.state in OPEN and row.state != ACCEPTED_BY[side]
