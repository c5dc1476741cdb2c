"""Who takes part in a deal beside its leading parties, what else it is about, how far it is."""

from collections.abc import Sequence

from market.access import service as access
from market.accounts import repository as accounts
from market.accounts.models import Organisation, Verification
from market.accounts.policy import HOLDERS, Action, OrganisationKind
from market.accounts.work import Work
from market.catalog import repository as catalog
from market.catalog import views as listings
from market.catalog.models import Listing, ListingState
from market.catalog.views import Heading
from market.catalog.vocabulary import KIND_NAMES, ListingKind
from market.deals import offers, repository, service, waiting
from market.deals import repository_contracts as papers
from market.deals import repository_negotiation as beside
from market.deals.models import Deal
from market.deals.models_negotiation import DealListing, DealParty
from market.deals.schemas import WHOLE, PartyIn, PhaseIn, ShareIn
from market.deals.service import SIDE_NAMES
from market.deals.vocabulary import PHASES, DealState, Phase, PricingState, Side
from market.kit.errors import Conflict, Invalid, NotFound
from market.kit.ids import OrganisationId, PublicId
from market.kit.notify import Subject

MAX_PARTIES = 20
MAX_LISTINGS = 20
CHOICES = 50


def move(work: Work, public_id: PublicId, form: PhaseIn) -> Deal:
    """Move a deal to another phase of its negotiation, by either leading party.

    Raises Conflict where it is no longer negotiated or stands in another phase than was seen.
    """
    deal, _ = service.step(work, public_id, Action.DEAL_MOVE)
    service.still_negotiated(deal)
    if form.phase == deal.phase:
        return deal
    repository.move_phase(work.session, deal, form.seen, form.phase, work.now)
    side = SIDE_NAMES[service.side_of(work, deal)]
    service.tell(work, deal, "moved", f"{side}把洽谈移到“{PHASES[Phase(form.phase)]}”")
    work.session.refresh(deal)
    return deal


def add_party(work: Work, public_id: PublicId, form: PartyIn) -> DealParty:
    """Add a further party to one's own side; it reads the deal from now on.

    Raises Invalid at `organisation`, `share`; Conflict where the deal is over, or for a seller
    while a price is being found or was found: its part was not in that.
    """
    deal, _ = service.step(work, public_id, Action.DEAL_PARTIES)
    side = service.side_of(work, deal)
    _under_way(deal)
    if side is Side.SELLER:
        _unpriced(work, deal, "加共同卖方")
    standing = beside.further_parties(work.session, deal.id)
    place = _organisation(work, form.organisation)
    if place.id in {*service.parties(deal), *(one.organisation_id for one in standing)}:
        raise Invalid(fields={"organisation": f"{place.name}已经是这项洽谈的一方"})
    if len(standing) >= MAX_PARTIES:
        raise Invalid(fields={"organisation": f"一项洽谈最多{MAX_PARTIES}个共同的一方"})
    shares = sum(one.share or 0 for one in standing if one.side == side) + (form.share or 0)
    if form.share is not None and shares >= WHOLE:
        raise Invalid(
            fields={"share": f"各共同方的份额合计应小于100%，现在是{offers.percent(shares)}"}
        )
    row = DealParty(
        deal_id=deal.id,
        organisation_id=place.id,
        side=side,
        share=form.share,
        note=form.note,
        added_by=work.actor.person,
        created_at=work.now,
    )
    work.session.add(row)
    work.session.flush()
    share = f"，份额{offers.percent(form.share)}" if form.share else ""
    what = f"{place.name}加入为共同{SIDE_NAMES[side]}{share}"
    _changed(work, deal, "party", what)
    waiting.message(
        work,
        place.id,
        Action.DEAL_VIEW,
        "deal.party",
        Subject("deal", deal.public_id),
        f"已加入洽谈：{deal.title}",
        round=row.id,
        detail=what,
    )
    waiting.deal_moved(work, deal)
    return row


def _organisation(work: Work, named: str) -> Organisation:
    """Return the verified university or company of a whole name or public id."""
    place = accounts.organisation_by_public_id(work.session, PublicId(named))
    if place is None:
        rows = accounts.organisations(
            work.session, accounts.organisations_named(work.session, named)
        )
        place = next((one for one in rows.values() if one.name == named), None)
    if (
        place is None
        or OrganisationKind(place.kind) not in HOLDERS
        or place.verification != Verification.VERIFIED
    ):
        raise Invalid(
            fields={"organisation": "请写一家已核验的高校、院所或企业的全称，现在找不到这一家"}
        )
    return place


def remove_party(work: Work, public_id: PublicId, organisation_id: PublicId) -> None:
    """Take a further party off one's own side. Raises NotFound, Conflict."""
    deal, _ = service.step(work, public_id, Action.DEAL_PARTIES)
    side = service.side_of(work, deal)
    _under_way(deal)
    place = accounts.organisation_by_public_id(work.session, organisation_id)
    row = _party(work, deal, place.id) if place is not None else None
    if place is None or row is None or row.side != side:
        raise NotFound
    beside.remove_party(work.session, row)
    _changed(work, deal, "party", f"{place.name}不再是共同{SIDE_NAMES[side]}")
    waiting.deal_moved(work, deal)


def confirm_share(work: Work, public_id: PublicId, form: ShareIn) -> DealParty:
    """Confirm one's share in the newest version of the terms, as a further party that has one.

    Twice is once. Raises Conflict for a leading party, and where a newer version has come.
    """
    deal, _ = service.step(work, public_id, Action.DEAL_SHARE)
    row = _party(work, deal, work.actor.organisation)
    if row is None:
        raise Conflict("份额由共同卖方、共同买方确认；牵头的一方确认条件")
    if row.share is None:
        raise Conflict("贵单位在这项洽谈里没有写明份额，不用确认")
    _under_way(deal)
    if form.version != deal.terms_version:
        raise Conflict("已有新的条件，请先看过再确认")
    if beside.confirm_share(work.session, row, form.version):
        what = f"{work.actor.organisation_name}确认第{form.version}轮条件里的份额"
        service.tell(work, deal, "share", what)
        waiting.deal_moved(work, deal)
    work.session.refresh(row)
    return row


def _party(work: Work, deal: Deal, organisation_id: OrganisationId) -> DealParty | None:
    parties = beside.further_parties(work.session, deal.id)
    return next((one for one in parties if one.organisation_id == organisation_id), None)


def add_listing(work: Work, public_id: PublicId, listing_id: PublicId) -> DealListing:
    """Name a further achievement (by the seller) or demand (by the buyer) that the deal is about:
    a published one of the side's own parties.

    Raises Invalid at `listing`, Conflict where the deal is over, or for an achievement while the
    price of those named is being found or was found.
    """
    deal, _ = service.step(work, public_id, Action.DEAL_PARTIES)
    side = service.side_of(work, deal)
    _under_way(deal)
    if side is Side.SELLER:
        _unpriced(work, deal, "加成果")
    listing = catalog.listing_by_public_id(work.session, listing_id)
    kind = ListingKind.ACHIEVEMENT if side is Side.SELLER else ListingKind.DEMAND
    if listing is None or not _offered(work, deal, listing, kind, side):
        raise Invalid(fields={"listing": f"请选本方一项已公开的{KIND_NAMES[kind]}"})
    further = beside.further_listings(work.session, deal.id)
    if listing.id in {deal.achievement_id, deal.demand_id, *(one.listing_id for one in further)}:
        raise Invalid(fields={"listing": f"这项{KIND_NAMES[kind]}已经在洽谈里"})
    if len(further) >= MAX_LISTINGS:
        raise Invalid(fields={"listing": f"一项洽谈最多另列{MAX_LISTINGS}项"})
    row = DealListing(
        deal_id=deal.id,
        listing_id=listing.id,
        added_by=work.actor.person,
        created_at=work.now,
    )
    work.session.add(row)
    work.session.flush()
    heading = listings.headings(work.session, [listing.id])[listing.id]
    other = deal.buyer_id if side is Side.SELLER else deal.seller_id
    access.disclose_name(work, listing.id, other)
    _changed(work, deal, "listing", f"加入{KIND_NAMES[kind]}：{heading.title}")
    waiting.deal_moved(work, deal)
    return row


def _offered(work: Work, deal: Deal, listing: Listing, kind: ListingKind, side: Side) -> bool:
    own = {deal.seller_id if side is Side.SELLER else deal.buyer_id}
    own |= {
        one.organisation_id
        for one in beside.further_parties(work.session, deal.id)
        if one.side == side
    }
    return (
        listing.kind == kind
        and listing.state == ListingState.PUBLISHED
        and listing.organisation_id in own
    )


def offered(work: Work, deal: Deal) -> list[Heading]:
    """Return the side's own published listings that could still be named in the deal."""
    side = service.side_of(work, deal)
    kind = ListingKind.ACHIEVEMENT if side is Side.SELLER else ListingKind.DEMAND
    named = {one.listing_id for one in beside.further_listings(work.session, deal.id)}
    named |= {one for one in (deal.achievement_id, deal.demand_id) if one is not None}
    own = [work.actor.organisation]
    _, ids = listings.public_of(work.session, kind, own, words="", limit=CHOICES)
    left = [one for one in ids if one not in named]
    headings = listings.headings(work.session, left)
    return [headings[one] for one in left]


def further_listings(work: Work, deal: Deal) -> Sequence[DealListing]:
    """Return what a deal is about beside its leading listings; the caller has found it."""
    return beside.further_listings(work.session, deal.id)


def remove_listing(work: Work, public_id: PublicId, listing_id: PublicId) -> None:
    """Take one of one's side's further listings out of the deal. Raises NotFound, Conflict."""
    deal, _ = service.step(work, public_id, Action.DEAL_PARTIES)
    side = service.side_of(work, deal)
    _under_way(deal)
    listing = catalog.listing_by_public_id(work.session, listing_id)
    kind = ListingKind.ACHIEVEMENT if side is Side.SELLER else ListingKind.DEMAND
    if (
        listing is None
        or listing.kind != kind
        or not beside.remove_listing(work.session, deal.id, listing.id)
    ):
        raise NotFound
    heading = listings.headings(work.session, [listing.id])[listing.id]
    _changed(work, deal, "listing", f"移出{KIND_NAMES[kind]}：{heading.title}")
    waiting.deal_moved(work, deal)


def _changed(work: Work, deal: Deal, kind: str, what: str) -> None:
    """Tell who or what came or went; a side that confirmed a draft before has to read it again."""
    contract = papers.live_contracts(work.session, [deal.id]).get(deal.id)
    if contract is not None and (contract.seller_confirmed_at or contract.buyer_confirmed_at):
        papers.amend_draft(work.session, contract)
        what += "；合同由双方重新确认"
    service.tell(work, deal, kind, what)


def _unpriced(work: Work, deal: Deal, step: str) -> None:
    """Hold a deal to what was publicised, or put on an exchange, of it. Raises Conflict."""
    path = papers.live_pricing(work.session, deal.id)
    if path is None:
        return
    if path.state == PricingState.DEALT:
        raise Conflict(f"价格已由挂牌或拍卖成交，不包括新加的，不能再{step}；请另开一项洽谈")
    raise Conflict(
        f"定价方式已经选定，公示或挂牌里没有新加的，不能再{step}；"
        f"请先终止现在的公示或挂牌，{step}后重新定价"
    )


def _under_way(deal: Deal) -> None:
    if deal.concluded_at is not None:
        raise Conflict("合同已经签订，洽谈的各方和内容不再改")
    if deal.state == DealState.LOST:
        raise Conflict("洽谈已经终止")
