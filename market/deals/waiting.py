"""What waits in deals: inquiries for their answer, introductions for both sides, and in each open
deal the next step of each side.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlmodel import Session

from market.accounts import repository as accounts
from market.accounts.policy import Action
from market.accounts.work import Work
from market.catalog import views as catalog
from market.catalog.views import Heading
from market.catalog.vocabulary import MASKED_NAME
from market.deals import clearance, filing, repository, repository_waiting
from market.deals import repository_contracts as papers
from market.deals import repository_negotiation as negotiated
from market.deals import waiting_plans as beside
from market.deals.models import Contract, Deal, Inquiry, Introduction, PricingPath, Terms
from market.deals.vocabulary import (
    ANSWER_WORKING_DAYS,
    PATHS,
    DealState,
    InquiryState,
    IntroductionState,
    PricingPathKind,
    PricingState,
    Side,
)
from market.kit import notify
from market.kit.clock import local_date
from market.kit.ids import ListingId, OrganisationId
from market.kit.money import wan_in_words
from market.kit.notify import Subject, Task, To
from market.kit.workdays import working_days_after
from market.rules import service as rules
from market.rules import versions
from market.rules.calendar import Calendar

ANSWER: Final = "inquiry.received"
ACCEPT: Final = {Side.SELLER: "introduction.seller", Side.BUYER: "introduction.buyer"}
TERMS, PRICE, DEALT, DRAFT = "deal.terms", "deal.price", "deal.dealt", "deal.draft"
SIGN: Final = {Side.SELLER: "deal.sign_seller", Side.BUYER: "deal.sign_buyer"}
STEPS: Final = (TERMS, PRICE, DEALT, DRAFT, *SIGN.values())
REGISTER: Final = "registration.due"
"""Begun here by the signature; the desk, which knows the registrations, keeps it from then on."""
KINDS: Final = (
    ANSWER,
    *ACCEPT.values(),
    *STEPS,
    filing.FILING,
    *beside.OF_STEPS,
    beside.NEXT,
)

_ACCEPTED: Final = {
    Side.SELLER: IntroductionState.ACCEPTED_SELLER,
    Side.BUYER: IntroductionState.ACCEPTED_BUYER,
}
_OPEN: Final = frozenset({IntroductionState.PROPOSED, *_ACCEPTED.values()})
_SIDES: Final = {Side.SELLER: "卖方", Side.BUYER: "买方"}


def tasks(session: Session) -> Iterator[Task]:
    """Yield all that waits in deals, as its own rows say."""
    calendar = rules.calendar(session)
    yield from _answers(session, repository_waiting.open_inquiries(session), calendar)
    yield from _acceptances(session, repository_waiting.open_introductions(session))
    yield from _steps(session, repository_waiting.open_deals(session), calendar)
    yield from filing.tasks(session, calendar)
    yield from beside.plans(session)


def inquiry_moved(work: Work, row: Inquiry) -> None:
    """Let the owner's task stand while an inquiry is open."""
    rows = [row] if row.state == InquiryState.OPEN else []
    waits = _answers(work.session, rows, rules.calendar(work.session)) if rows else ()
    subject = Subject("inquiry", row.public_id)
    notify.hold(work.session, subject, [ANSWER], waits, at=work.now)


def introduction_moved(work: Work, row: Introduction) -> None:
    """Let each side's task stand while it has not accepted an open introduction."""
    waits = _acceptances(work.session, [row]) if row.state in _OPEN else ()
    subject = Subject("introduction", row.public_id)
    notify.hold(work.session, subject, list(ACCEPT.values()), waits, at=work.now)


def deal_moved(work: Work, deal: Deal) -> None:
    """Let the tasks of a deal be the steps that are next in it. Its row is locked by the step."""
    work.session.flush()
    work.session.refresh(deal)
    waits = _steps(work.session, [deal], rules.calendar(work.session))
    kinds = (*STEPS, *beside.OF_STEPS)
    notify.hold(work.session, Subject("deal", deal.public_id), kinds, waits, at=work.now)
    beside.hold(work.session, deal, work.now)


def plans_moved(work: Work, deal: Deal) -> None:
    """Let the next steps wait that people planned in a deal."""
    work.session.flush()
    beside.hold(work.session, deal, work.now)


def _answers(session: Session, rows: Sequence[Inquiry], calendar: Calendar) -> Iterator[Task]:
    headings = catalog.headings(session, [row.listing_id for row in rows])
    names = accounts.organisations(session, {row.asker_id for row in rows})
    for row in rows:
        asker = names[row.asker_id].name if row.show_name else MASKED_NAME
        begun_on = local_date(row.created_at)
        yield Task(
            To(organisation_id=row.owner_id, action=Action.INQUIRY_ANSWER),
            ANSWER,
            Subject("inquiry", row.public_id),
            f"答复询问：{headings[row.listing_id].title}",
            detail=f"{asker}问：{row.message}",
            due_on=working_days_after(begun_on, ANSWER_WORKING_DAYS, calendar.is_rest_day),
            asked_by_id=row.asker_id,
        )


def pair_title(row: Introduction, headings: Mapping[ListingId, Heading]) -> str:
    return f"{headings[row.achievement_id].title} → {headings[row.demand_id].title}"


def _acceptances(session: Session, rows: Sequence[Introduction]) -> Iterator[Task]:
    ids = [one for row in rows for one in (row.achievement_id, row.demand_id)]
    headings = catalog.headings(session, ids)
    brokers = accounts.organisations(session, {row.broker_id for row in rows})
    for row in rows:
        for side, reader in ((Side.SELLER, row.seller_id), (Side.BUYER, row.buyer_id)):
            if row.state != _ACCEPTED[side]:
                yield Task(
                    To(organisation_id=reader, action=Action.INTRODUCTION_DECIDE),
                    ACCEPT[side],
                    Subject("introduction", row.public_id),
                    # The side, as the broker waits for both; their names may be masked.
                    f"{_SIDES[side]}答复引荐：{pair_title(row, headings)}",
                    detail=f"{brokers[row.broker_id].name}引荐，双方都接受后开始洽谈。",
                    asked_by_id=row.broker_id,
                )


@dataclass(frozen=True, slots=True)
class _Papers:
    """What the next steps of one deal hang on."""

    deal: Deal
    founded: bool
    terms: Terms | None
    path: PricingPath | None
    contract: Contract | None

    def task(
        self,
        side: Side,
        action: Action,
        kind: str,
        title: str,
        *,
        round: object = "",  # noqa: A002  the field's name
        detail: str = "",
        from_on: date | None = None,
    ) -> Task:
        deal = self.deal
        reader, other = deal.seller_id, deal.buyer_id
        if side is Side.BUYER:
            reader, other = other, reader
        return Task(
            To(organisation_id=reader, action=action),
            kind,
            Subject("deal", deal.public_id),
            f"{title}：{deal.title}",
            round=str(round),
            detail=detail,
            from_on=from_on,
            asked_by_id=other,
        )


def _steps(session: Session, deals: Sequence[Deal], calendar: Calendar) -> Iterator[Task]:
    """Yield the steps that are next in these deals; none in those lost or concluded."""
    ids = [deal.id for deal in deals]
    founded = negotiated.state_founded(session, ids)
    terms = {row.deal_id: row for row in reversed(repository.terms_of(session, ids))}
    paths = {
        row.deal_id: row
        for row in papers.pricing_paths_of(session, ids)
        if row.state != PricingState.STOPPED
    }
    contracts = papers.live_contracts(session, ids)
    for deal in deals:
        its = _Papers(
            deal,
            deal.id in founded,
            terms.get(deal.id),
            paths.get(deal.id),
            contracts.get(deal.id),
        )
        if deal.concluded_at is not None or deal.state == DealState.LOST:
            continue
        found = list(beside.of_deal(session, deal, calendar))
        yield from found
        if any(one.kind == beside.OBJECTION for one in found):
            continue  # nothing goes on before it is handled
        if deal.state == DealState.NEGOTIATION:
            yield from _answers_to_terms(its)
        else:
            yield from _towards_contract(its, calendar)


def _answers_to_terms(its: _Papers) -> Iterator[Task]:
    terms, deal = its.terms, its.deal
    if terms is None:
        return
    detail = (
        f"{_SIDES[Side(terms.side)]}提出第{terms.version}轮条件：{terms.mode}，"
        f"{wan_in_words(terms.amount_fen)}"
    )
    confirmed = {Side.SELLER: deal.seller_confirmed, Side.BUYER: deal.buyer_confirmed}
    for side, version in confirmed.items():
        if version == terms.version:
            continue
        # Who proposed has confirmed, unless what was agreed has to be agreed again.
        again = side == terms.side
        kept = f"{terms.version}:again" if again else terms.version
        yield its.task(side, Action.DEAL_CONFIRM, TERMS, "回应条件", round=kept, detail=detail)


def _towards_contract(its: _Papers, calendar: Calendar) -> Iterator[Task]:
    """Yield the seller's next step to a signed contract, and both sides' signing."""
    path, contract = its.path, its.contract
    mode = its.terms.mode if its.terms else None
    priced = clearance.applies(contract.type if contract else None, mode, founded=its.founded)
    if priced and path is None:
        detail = "协议定价要公示，挂牌和拍卖要成交，之后才能签约。"
        yield its.task(Side.SELLER, Action.PRICING_SET, PRICE, "选定定价方式", detail=detail)
        return
    if priced and path is not None and path.state == PricingState.LISTED:
        what = PATHS[PricingPathKind(path.path)]
        yield its.task(
            Side.SELLER, Action.PRICING_SET, DEALT, f"填写{what}结果", round=path.public_id
        )
        return
    if contract is None:
        yield its.task(Side.SELLER, Action.CONTRACT_DRAFT, DRAFT, "起草合同")
        return
    if priced and path is not None and clearance.below_price(path, contract):
        detail = "合同成交额低于定价，请按定价改写。"
        yield its.task(
            Side.SELLER,
            Action.CONTRACT_DRAFT,
            DRAFT,
            "改写合同",
            round=contract.public_id,
            detail=detail,
        )
        return
    yield from _signings(its, contract, calendar, path if priced else None)


def _signings(
    its: _Papers, contract: Contract, calendar: Calendar, path: PricingPath | None
) -> Iterator[Task]:
    from_on, detail = None, "双方都确认同一份草稿后合同签订。"
    if path is not None and clearance.running(path):
        term = clearance.term(path, calendar)
        from_on = term.earliest_signing
        detail = f"公示到{term.ends_on}期满，没有异议{from_on}起可以签约。"
    confirmed = {
        Side.SELLER: contract.seller_confirmed_at,
        Side.BUYER: contract.buyer_confirmed_at,
    }
    for side, at in confirmed.items():
        if at is None:
            yield its.task(
                side,
                Action.CONTRACT_SIGN,
                SIGN[side],
                "确认合同",
                round=contract.public_id,
                detail=detail,
                from_on=from_on,
            )


def to_register(
    contract: Contract,
    deal: Deal,
    title: str = "提交登记",
    *,
    round: str = "",  # noqa: A002  the field's name
    detail: str = "合同已签订，登记后计入技术交易额。",
) -> Task:
    """Return the seller's task to hand in a signed contract."""
    return Task(
        To(organisation_id=contract.seller_id, action=Action.REGISTRATION_SUBMIT),
        REGISTER,
        Subject("deal", deal.public_id),
        f"{title}：{contract.project_name}",
        round=round,
        detail=detail,
    )


def signed(work: Work, contract: Contract, deal: Deal) -> None:
    notify.begin(work.session, to_register(contract, deal), at=work.now)
    due = filing.due_on(contract, versions.book(work.session), rules.calendar(work.session))
    if due is not None:
        notify.begin(work.session, filing.task(contract, deal, due), at=work.now)


def message(
    work: Work,
    reader: OrganisationId,
    action: Action,
    kind: str,
    subject: Subject,
    title: str,
    *,
    round: object = "",  # noqa: A002  as of a task
    detail: str = "",
) -> None:
    """Tell one organisation what happened in deals."""
    notify.tell(
        work.session,
        To(organisation_id=reader, action=action),
        kind,
        subject,
        title,
        key=f"{kind}:{subject.id}:{reader}:{round}",
        at=work.now,
        detail=detail,
    )
