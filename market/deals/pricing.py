"""How a state-founded seller finds the price (促进科技成果转化法 18), and its 公示."""

from dataclasses import dataclass

from market.accounts import repository as accounts
from market.accounts.models import Organisation
from market.accounts.policy import Action
from market.accounts.work import Work
from market.deals import clearance, repository, service, waiting
from market.deals import repository_contracts as papers
from market.deals.clearance import Term
from market.deals.models import PricingPath
from market.deals.schemas import DealtIn, PricingIn, StopIn
from market.deals.vocabulary import (
    PATHS,
    PUBLICITY_DAYS,
    STOP_REASONS,
    PricingPathKind,
    PricingState,
    StageEntered,
    StopReason,
)
from market.kit.errors import Conflict, Invalid, NotFound
from market.kit.ids import PublicId, new_public_id
from market.kit.money import wan_in_words
from market.rules import service as rules

CHOSEN = "定价方式已经选定，要改请先终止现在的公示或挂牌"


PUBLIC_LIST = 200


@dataclass(frozen=True, slots=True)
class Publicity:
    """The public page of one 公示."""

    pricing: PricingPath
    seller: Organisation
    term: Term


def choose(work: Work, public_id: PublicId, form: PricingIn) -> PricingPath:
    """Choose the pricing path, by the seller, once the terms are agreed; 协议定价 is publicised
    from today with the agreed price.

    Raises Invalid at `exchange`, `interest_note`; Conflict where it does not apply or is chosen.
    """
    deal, _ = service.step(work, public_id, Action.PRICING_SET)
    if not accounts.organisation(work.session, deal.seller_id).state_founded:
        raise Conflict("贵单位不是国家设立的研究开发机构或高等院校，不需要选定价方式")
    terms = service.agreed_terms(work, deal)
    if deal.concluded_at is not None:
        raise Conflict("合同已经签订，不能再选定价方式")
    if papers.live_pricing(work.session, deal.id) is not None:
        raise Conflict(CHOSEN)
    agreement = form.path is PricingPathKind.AGREEMENT
    _check(form, agreement=agreement)
    row = PricingPath(
        public_id=new_public_id(),
        deal_id=deal.id,
        path=form.path,
        state=PricingState.PUBLICISED if agreement else PricingState.LISTED,
        name=deal.title,
        summary=form.summary,
        mode=terms.mode,
        price_fen=terms.amount_fen,
        interested=form.interested,
        interest_note=form.interest_note,
        published_on=work.today if agreement else None,
        days=PUBLICITY_DAYS if agreement else None,
        exchange=form.exchange,
        created_by=work.actor.person,
        created_at=work.now,
    )
    work.session.add(row)
    work.session.flush()
    repository.enter_stage(work.session, deal.id, StageEntered.PRICING, work.now)
    if agreement:
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


def _check(form: PricingIn, *, agreement: bool) -> None:
    if not agreement and not form.exchange:
        raise Invalid(fields={"exchange": "挂牌交易和拍卖请填在哪家技术交易市场进行"})
    if agreement and form.interested and not form.interest_note:
        raise Invalid(fields={"interest_note": "请写明是什么利害关系，会随公示公开"})


def stop(work: Work, public_id: PublicId, form: StopIn) -> PricingPath:
    """Stop the 公示, or take the achievement off the exchange, by the seller.

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
    papers.move_pricing(
        work.session,
        row,
        PricingState(row.state),
        PricingState.STOPPED,
        stop_reason=form.reason,
        stop_note=form.note,
        stopped_on=work.today,
    )
    repository.enter_stage(work.session, deal.id, StageEntered.AGREED, work.now)
    what = "公示" if row.path == PricingPathKind.AGREEMENT else PATHS[PricingPathKind(row.path)]
    service.tell(work, deal, "stopped", f"{what}终止，{STOP_REASONS[form.reason]}")
    waiting.deal_moved(work, deal)
    work.session.refresh(row)
    return row


def dealt(work: Work, public_id: PublicId, form: DealtIn) -> PricingPath:
    """Enter the outcome of 挂牌交易 or 拍卖, by the seller.

    Raises Invalid at `dealt_on`, Conflict where nothing is listed.
    """
    deal, _ = service.step(work, public_id, Action.PRICING_SET)
    row = papers.live_pricing(work.session, deal.id)
    if row is None or row.state != PricingState.LISTED:
        raise Conflict("没有正在进行的挂牌或拍卖")
    if form.dealt_on > work.today:
        raise Invalid(fields={"dealt_on": f"成交日应不晚于今天{work.today}，现在是{form.dealt_on}"})
    papers.move_pricing(
        work.session,
        row,
        PricingState.LISTED,
        PricingState.DEALT,
        dealt_on=form.dealt_on,
        dealt_fen=form.price_fen,
    )
    what = f"{row.exchange}{PATHS[PricingPathKind(row.path)]}"
    service.tell(
        work, deal, "dealt", f"{what}于{form.dealt_on}成交，{wan_in_words(form.price_fen)}"
    )
    waiting.deal_moved(work, deal)
    work.session.refresh(row)
    return row


def publicities(work: Work) -> list[Publicity]:
    """Return the newest PUBLIC_LIST 公示 that were not stopped, open to everyone."""
    rows = papers.publicised(work.session, PUBLIC_LIST)
    sellers = accounts.organisations(work.session, {deal.seller_id for _, deal in rows})
    calendar = rules.calendar(work.session)
    return [
        Publicity(row, sellers[deal.seller_id], clearance.term(row, calendar)) for row, deal in rows
    ]


def publicity(work: Work, public_id: PublicId) -> Publicity:
    """Return one 公示, open to everyone, stopped ones too. Raises NotFound."""
    row = papers.pricing_by_public_id(work.session, public_id)
    if row is None or row.path != PricingPathKind.AGREEMENT:
        raise NotFound
    deal = service.deal_of(work, row.deal_id)
    seller = accounts.organisation(work.session, deal.seller_id)
    return Publicity(row, seller, clearance.term(row, rules.calendar(work.session)))
