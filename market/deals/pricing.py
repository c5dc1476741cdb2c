"""How a state-founded seller finds the price (促进科技成果转化法 18), and its 公示."""

from dataclasses import dataclass

from market.accounts import repository as accounts
from market.accounts.models import Organisation
from market.accounts.policy import Action
from market.accounts.work import Work
from market.catalog import views as listings
from market.catalog.vocabulary import ListingKind
from market.deals import clearance, repository, service, waiting
from market.deals import repository_contracts as papers
from market.deals import repository_negotiation as beside
from market.deals import repository_objections as objections
from market.deals.clearance import Term
from market.deals.models import Deal, PricingPath, Terms
from market.deals.schemas import DealtIn, PricingIn, StopIn
from market.deals.vocabulary import (
    PAGE,
    PATHS,
    DealState,
    ObjectionState,
    Phase,
    PricingPathKind,
    PricingState,
    StageEntered,
    StopReason,
)
from market.kit.errors import Conflict, Invalid, NotFound
from market.kit.ids import PublicId, new_public_id
from market.kit.money import wan_in_words
from market.rules import service as rules
from market.rules import transfer

CHOSEN = "定价方式已经选定，要改请先终止现在的公示或挂牌"


NAME = 200


@dataclass(frozen=True, slots=True)
class Publicity:
    """The public page of one 公示."""

    pricing: PricingPath
    seller: Organisation
    term: Term
    objections: int = 0
    open_objections: int = 0


def choose(work: Work, public_id: PublicId, form: PricingIn) -> PricingPath:
    """Choose the pricing path, by the seller, once the terms are agreed; 协议定价 is publicised
    from today with the agreed price.

    Raises Invalid at `summary`, `interested`, `interest_note`, `exchange`, `listed_until`; Conflict
    where it does not apply or is chosen.
    """
    deal, _ = service.step(work, public_id, Action.PRICING_SET)
    if not beside.state_founded(work.session, [deal.id]):
        raise Conflict("卖方里没有国家设立的研究开发机构或高等院校，不需要选定价方式")
    terms = service.agreed_terms(work, deal)
    if deal.concluded_at is not None:
        raise Conflict("合同已经签订，不能再选定价方式")
    if papers.live_pricing(work.session, deal.id) is not None:
        raise Conflict(CHOSEN)
    if wrong := problems(form):
        raise Invalid(fields=wrong)
    row = _row(work, deal, terms, form)
    work.session.add(row)
    work.session.flush()
    repository.enter_stage(work.session, deal.id, StageEntered.PRICING, work.now)
    if form.path is PricingPathKind.AGREEMENT:
        related = "受让方是完成人或有利害关系" if form.interested else "受让方与完成人无利害关系"
        service.tell(
            work,
            deal,
            "publicised",
            f"公示开始，至{clearance.term(row, rules.calendar(work.session)).ends_on}；{related}",
        )
    else:
        service.tell(work, deal, "listed", f"定价方式选定为{PATHS[form.path]}，在{form.exchange}")
    waiting.deal_moved(work, deal)
    return row


def _row(work: Work, deal: Deal, terms: Terms, form: PricingIn) -> PricingPath:
    agreement = form.path is PricingPathKind.AGREEMENT
    return PricingPath(
        public_id=new_public_id(),
        deal_id=deal.id,
        path=form.path,
        state=PricingState.PUBLICISED if agreement else PricingState.LISTED,
        name=_name(work, deal),
        summary=form.summary,
        mode=terms.mode,
        price_fen=terms.amount_fen,
        interested=bool(form.interested),
        interest_note=form.interest_note,
        published_on=work.today if agreement else None,
        days=transfer.at(work.session, work.today).publicity_days if agreement else None,
        exchange=form.exchange,
        exchange_number=form.exchange_number,
        listed_on=None if agreement else form.listed_on or work.today,
        listed_until=None if agreement else form.listed_until,
        created_by=work.actor.person,
        created_at=work.now,
    )


def _name(work: Work, deal: Deal) -> str:
    """Return what is priced: the deal's title and every further achievement, cut to NAME."""
    ids = [one.listing_id for one in beside.further_listings(work.session, deal.id)]
    found = listings.headings(work.session, ids)
    titles = [deal.title]
    titles += [found[one].title for one in ids if found[one].kind is ListingKind.ACHIEVEMENT]
    whole, short = "、".join(titles), f"等{len(titles)}项"
    return whole if len(whole) <= NAME else whole[: NAME - len(short)] + short


def problems(form: PricingIn) -> dict[str, str]:
    """Return what is wrong with the choice, by field. What a 公示 says is said by somebody: neither
    its summary nor that the transferee has no interest is taken from a field left alone.
    """
    wrong: dict[str, str] = {}
    agreement = form.path is PricingPathKind.AGREEMENT
    if agreement and not form.summary:
        wrong["summary"] = "协议定价要公示成果简介，现在是空的"
    if agreement and form.interested is None:
        wrong["interested"] = "协议定价要公示受让方有没有利害关系，请选是或否"
    if agreement and form.interested and not form.interest_note:
        wrong["interest_note"] = "请写明是什么利害关系，会随公示公开"
    if not agreement and not form.exchange:
        wrong["exchange"] = "挂牌交易和拍卖请填在哪家技术交易市场进行"
    listed_on = form.listed_on
    if listed_on is not None and form.listed_until is not None and form.listed_until < listed_on:
        wrong["listed_until"] = f"截止日应不早于挂牌日{listed_on}，现在是{form.listed_until}"
    return wrong


def stop(work: Work, public_id: PublicId, form: StopIn) -> PricingPath:
    """Stop the 公示, or take the achievement off the exchange, by the seller; the terms are
    negotiated again.

    Raises Invalid at `note`; Conflict where nothing runs or the contract is signed.
    """
    deal, _ = service.step(work, public_id, Action.PRICING_SET)
    if form.reason is StopReason.OTHER and not form.note:
        raise Invalid(fields={"note": "原因选“其他”时请写明是什么，公示页会注明"})
    if deal.concluded_at is not None:
        raise Conflict("合同已经签订，公示不能再终止")
    row = papers.live_pricing(work.session, deal.id)
    if row is None:
        raise Conflict("没有正在进行的公示或挂牌")
    if row.state == PricingState.DEALT:
        raise Conflict("挂牌或拍卖已经成交，不能再终止")
    end(work, deal, row, form.reason, form.note)
    waiting.deal_moved(work, deal)
    work.session.refresh(row)
    return row


def end(work: Work, deal: Deal, row: PricingPath, reason: StopReason, note: str) -> None:
    """Stop a 公示 or take the achievement off the exchange, in a step that may: its price stands
    no more, so that both sides agree anew, to the same terms or to others.
    """
    said = clearance.stop(work, row, reason, note)
    service.tell(work, deal, "stopped", said)
    if deal.concluded_at is None:
        _reopen(work, deal)


def _reopen(work: Work, deal: Deal) -> None:
    """Take an agreed deal back to its negotiation: what was agreed is confirmed by nobody any more,
    nor is what was drafted of it, which stays to be drafted anew. Raises Conflict.
    """
    repository.move_deal(
        work.session,
        deal,
        DealState.AGREED,
        DealState.NEGOTIATION,
        phase=Phase.BARGAINING,
        agreed_at=None,
        seller_confirmed=0,
        buyer_confirmed=0,
    )
    repository.enter_stage(work.session, deal.id, StageEntered.BARGAINING, work.now)
    draft = papers.live_contracts(work.session, [deal.id]).get(deal.id)
    if draft is not None:
        papers.amend_draft(work.session, draft)
    service.tell(work, deal, "reopened", "回到商定条件：双方重新确认，或提出新的条件")
    service.tell_other(
        work, deal, "deal.reopened", "定价终止，回到商定条件", round=work.now.isoformat()
    )


def dealt(work: Work, public_id: PublicId, form: DealtIn) -> PricingPath:
    """Enter the outcome of 挂牌交易 or 拍卖, by the seller.

    Raises Invalid at `dealt_on`, Conflict where nothing is listed.
    """
    deal, _ = service.step(work, public_id, Action.PRICING_SET)
    row = papers.live_pricing(work.session, deal.id)
    if row is None or row.state != PricingState.LISTED:
        raise Conflict("没有正在进行的挂牌或拍卖")
    if row.listed_on is not None and form.dealt_on < row.listed_on:
        raise Invalid(
            fields={"dealt_on": f"成交日应不早于挂牌日{row.listed_on}，现在是{form.dealt_on}"}
        )
    if form.dealt_on > work.today:
        raise Invalid(fields={"dealt_on": f"成交日应不晚于今天{work.today}，现在是{form.dealt_on}"})
    papers.move_pricing(
        work.session,
        row,
        PricingState.LISTED,
        PricingState.DEALT,
        dealt_on=form.dealt_on,
        dealt_fen=form.price_fen,
        dealt_number=form.dealt_number,
        bidders=form.bidders,
    )
    what = f"{row.exchange}{PATHS[PricingPathKind(row.path)]}"
    service.tell(
        work, deal, "dealt", f"{what}于{form.dealt_on}成交，{wan_in_words(form.price_fen)}"
    )
    waiting.deal_moved(work, deal)
    work.session.refresh(row)
    return row


def publicities(work: Work, page: int = 1, size: int = PAGE) -> tuple[int, list[Publicity]]:
    """Return how many 公示 were not stopped, and one page of them, those that run first; open to
    everyone.
    """
    rows = papers.publicised(work.session, size, (page - 1) * size)
    sellers = accounts.organisations(work.session, {deal.seller_id for _, deal in rows})
    calendar = rules.calendar(work.session)
    return papers.publicised_count(work.session), [
        Publicity(row, sellers[deal.seller_id], clearance.term(row, calendar)) for row, deal in rows
    ]


def publicity(work: Work, public_id: PublicId) -> Publicity:
    """Return one 公示, open to everyone, stopped ones too. Raises NotFound."""
    row = papers.pricing_by_public_id(work.session, public_id)
    if row is None or row.path != PricingPathKind.AGREEMENT:
        raise NotFound
    deal = service.deal_of(work, row.deal_id)
    seller = accounts.organisation(work.session, deal.seller_id)
    drawn = objections.of_paths(work.session, [row.id])
    still = sum(one.state == ObjectionState.OPEN for one in drawn)
    term = clearance.term(row, rules.calendar(work.session))
    return Publicity(row, seller, term, len(drawn), still)
