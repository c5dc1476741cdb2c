"""A seller, a buyer and a broker with published listings, and steps of a deal between them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from threading import Barrier

from market.access import mandates
from market.access.models import Mandate
from market.access.schemas import MandateDecisionIn, MandateIn
from market.accounts.models import Organisation
from market.accounts.policy import OrganisationKind, Role
from market.accounts.work import Actor, Parts, Work
from market.catalog import drafts, publishing
from market.catalog.models import Listing
from market.catalog.schemas import AchievementIn, DemandIn
from market.catalog.vocabulary import Mode
from market.deals import contracts, inquiries, pricing, service
from market.deals import repository_contracts as papers
from market.deals.models import Contract, Deal, Inquiry
from market.deals.schemas import (
    AnswerIn,
    ConfirmIn,
    ContractIn,
    ContractLineIn,
    InquiryIn,
    PricingIn,
    TermsIn,
)
from market.deals.vocabulary import ContractType, LineKind, PayMethod, PricingPathKind
from market.kit.errors import MarketError
from tests import factories
from tests.support.market import work_for

WAN = 1_000_000
PUBLICITY = PricingIn(
    path=PricingPathKind.AGREEMENT, summary="轨道扣件螺栓松动的声学检测方法", interested=False
)
MESSAGE = "想了解检测节拍，工件是8毫米铝合金焊缝。"


@dataclass(frozen=True)
class Trade:
    parts: Parts
    university: Organisation
    company: Organisation
    agency: Organisation
    seller: Actor
    buyer: Actor
    broker: Actor
    achievement: Listing
    demand: Listing


def published(parts: Parts, actor: Actor, form: AchievementIn | DemandIn) -> Listing:
    """Return a published listing of the actor's organisation, which may publish itself."""
    with work_for(parts, actor) as work:
        return publishing.submit(work, drafts.create(work, form).public_id)


def trade(parts: Parts, *, state_founded: bool = True, masked: bool = False) -> Trade:
    """Return a new seller, buyer and broker; `masked` hides the buyer's name on its demand."""
    university = factories.organisation(parts, state_founded=state_founded, self_publish=True)
    company = factories.organisation(parts, OrganisationKind.COMPANY, self_publish=True)
    agency = factories.organisation(parts, OrganisationKind.AGENCY)
    seller = factories.actor(parts, Role.MANAGER, university)
    buyer = factories.actor(parts, Role.MANAGER, company)
    return Trade(
        parts,
        university,
        company,
        agency,
        seller,
        buyer,
        factories.actor(parts, Role.MANAGER, agency),
        published(parts, seller, AchievementIn(title="轨道扣件螺栓松动声学检测")),
        published(parts, buyer, DemandIn(title="轨道扣件松动的在线监测", masked=masked)),
    )


def mandate(
    world: Trade, principal: Actor, *, as_seller: bool = False, as_buyer: bool = False
) -> Mandate:
    """Return a mandate in force of the principal to the world's agency, for a year."""
    today = world.parts.clock.now().date()
    form = MandateIn(
        agency=world.agency.public_id,
        as_seller=as_seller,
        as_buyer=as_buyer,
        fee="成交额的3%",
        valid_from=today,
        valid_until=today + timedelta(days=365),
    )
    with work_for(world.parts, principal) as work:
        row = mandates.grant(work, form)
    with work_for(world.parts, world.broker) as work:
        return mandates.decide(work, row.public_id, MandateDecisionIn(decision="accept"))


def asked(world: Trade, *, own: bool = False, show_name: bool = True) -> Inquiry:
    """Return the buyer's open inquiry on the achievement, its own demand named where `own`."""
    form = InquiryIn(
        listing=world.achievement.public_id,
        own_listing=world.demand.public_id if own else None,
        message=MESSAGE,
        show_name=show_name,
        contact_phone="13800000002",
    )
    with work_for(world.parts, world.buyer) as work:
        return inquiries.ask(work, form)


def negotiated(world: Trade) -> Deal:
    """Return the deal that answering the buyer's inquiry opens."""
    inquiry = asked(world)
    with work_for(world.parts, world.seller) as work:
        answered = inquiries.answer(work, inquiry.public_id, AnswerIn(answer="可以支持"))
        assert answered.deal_id is not None
        return service.deal_of(work, answered.deal_id)


def terms(*, seen: int = 0, amount: int = 150 * WAN, mode: Mode = Mode.EXCLUSIVE) -> TermsIn:
    return TermsIn(seen=seen, mode=mode, amount_fen=amount, text="5年，中国境内")


def agreed(world: Trade, mode: Mode = Mode.EXCLUSIVE) -> Deal:
    """Return a deal whose terms the seller proposed and the buyer confirmed."""
    deal = negotiated(world)
    with work_for(world.parts, world.seller) as work:
        service.propose(work, deal.public_id, terms(mode=mode))
    with work_for(world.parts, world.buyer) as work:
        return service.confirm(work, deal.public_id, ConfirmIn(version=1))


def publicised(world: Trade, deal: Deal) -> None:
    with work_for(world.parts, world.seller) as work:
        pricing.choose(work, deal.public_id, PUBLICITY)


def contract_form(kind: ContractType = ContractType.LIC) -> ContractIn:
    sub = {ContractType.LIC: "专利实施许可", ContractType.DEV: "委托开发"}[kind]
    return ContractIn(
        type=kind,
        sub_type=sub,
        project_name="轨道扣件螺栓松动声学检测",
        field=10,
        total_fen=186 * WAN,
        lines=[
            ContractLineIn(name="入门费", kind=LineKind.TECHNICAL, amount_fen=150 * WAN),
            ContractLineIn(name="使用培训", kind=LineKind.TECHNICAL, amount_fen=6 * WAN),
            ContractLineIn(name="检测设备", kind=LineKind.NON_TECHNICAL, amount_fen=30 * WAN),
        ],
        pay_method=PayMethod.ROYALTY_ENTRY,
        begins_on="2026-11-28",  # type: ignore[arg-type]  as JSON writes it
        ends_on="2031-11-27",  # type: ignore[arg-type]
    )


def drafted(world: Trade, deal: Deal, kind: ContractType = ContractType.LIC) -> Contract:
    """Draft the contract, over the draft that stands if there is one."""
    with work_for(world.parts, world.seller) as work:
        standing = papers.live_contracts(work.session, [deal.id]).get(deal.id)
        seen = standing.public_id if standing else None
        form = contract_form(kind).model_copy(update={"replaces": seen})
        return contracts.draft(work, deal.public_id, form)


Step = Callable[[Work], object]


def at_once(parts: Parts, steps: list[tuple[Actor, Step]]) -> list[MarketError | None]:
    """Run each step in a thread and a transaction of its own, all started together.

    Return what each was refused with, None where it succeeded, in the order given.
    """
    barrier = Barrier(len(steps))

    def run(actor: Actor, step: Step) -> MarketError | None:
        barrier.wait()
        try:
            with work_for(parts, actor) as work:
                step(work)
        except MarketError as error:
            return error
        return None

    with ThreadPoolExecutor(len(steps)) as pool:
        runs = [pool.submit(run, actor, step) for actor, step in steps]
        return [one.result() for one in runs]
