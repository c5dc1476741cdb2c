"""Inquiries and introductions: who learns what when, and that both lead to one deal."""

import pytest

from market.access import service as access
from market.accounts.policy import OrganisationKind, Role
from market.accounts.work import Actor, Parts
from market.catalog import publishing
from market.catalog.models import Listing
from market.catalog.schemas import AchievementIn
from market.deals import inquiries, introductions, service
from market.deals.inquiries import InquiryView
from market.deals.introductions import IntroductionView
from market.deals.models import Inquiry, Introduction
from market.deals.schemas import (
    AnswerIn,
    CloseIn,
    InquiryIn,
    IntroductionDecisionIn,
    IntroductionIn,
)
from market.deals.vocabulary import InquiryState, IntroductionState
from market.kit.errors import Conflict, Forbidden, Invalid, NotFound
from market.kit.ids import PublicId
from tests import factories
from tests.support.market import read_for, work_for
from tests.support.trade import MESSAGE, Trade, asked, at_once, mandate, published, trade

ACCEPT = IntroductionDecisionIn(decision="accept")
ANSWER = AnswerIn(answer="可以支持")
DECLINE = IntroductionDecisionIn(decision="decline", reason="工况不同")


@pytest.fixture
def world(parts: Parts) -> Trade:
    return trade(parts)


def seen(world: Trade, actor: Actor, inquiry: Inquiry) -> InquiryView:
    with read_for(world.parts, actor) as work:
        return inquiries.inquiry(work, inquiry.public_id)


def answer(world: Trade, inquiry: Inquiry, actor: Actor | None = None) -> Inquiry:
    with work_for(world.parts, actor or world.seller) as work:
        return inquiries.answer(
            work, inquiry.public_id, AnswerIn(answer="可以支持", contact_phone="13800000003")
        )


def ask(world: Trade, actor: Actor, listing: Listing, own: Listing | None = None) -> Inquiry:
    form = InquiryIn(
        listing=listing.public_id, own_listing=own.public_id if own else None, message=MESSAGE
    )
    with work_for(world.parts, actor) as work:
        return inquiries.ask(work, form)


def propose(world: Trade, actor: Actor | None = None) -> Introduction:
    form = IntroductionIn(
        achievement=world.achievement.public_id, demand=world.demand.public_id, message="建议面谈"
    )
    with work_for(world.parts, actor or world.broker) as work:
        return introductions.propose(work, form)


def decide(
    world: Trade, actor: Actor, row: Introduction, form: IntroductionDecisionIn = ACCEPT
) -> Introduction:
    with work_for(world.parts, actor) as work:
        return introductions.decide(work, row.public_id, form)


def introduced(world: Trade, actor: Actor, row: Introduction) -> IntroductionView:
    with read_for(world.parts, actor) as work:
        return introductions.introduction(work, row.public_id)


def test_name_and_contacts_wait_for_the_answer(world: Trade) -> None:
    inquiry = asked(world, show_name=False)
    before = seen(world, world.seller, inquiry)
    assert (before.asker, before.asker_contact, before.owner_contact) == (None, None, None)
    assert before.asker_label == "名称保密"
    assert seen(world, world.buyer, inquiry).owner_contact is None

    answer(world, inquiry)
    for actor in (world.seller, world.buyer):
        after = seen(world, actor, inquiry)
        assert after.asker is not None
        assert after.asker_contact is not None
        assert after.owner_contact is not None
        assert after.asker_contact.phone == "13800000002"
        assert after.owner_contact.phone == "13800000003"
        assert after.owner_contact.name == world.seller.person_name
        assert after.deal is not None
        assert (after.deal.seller_id, after.deal.buyer_id) == (
            world.university.id,
            world.company.id,
        )


def test_only_the_owner_answers(world: Trade) -> None:
    inquiry = asked(world)
    with pytest.raises(Forbidden), work_for(world.parts, world.buyer) as work:
        inquiries.answer(work, inquiry.public_id, AnswerIn(answer="自问自答"))
    stranger = factories.actor(world.parts, Role.MANAGER, kind=OrganisationKind.COMPANY)
    with pytest.raises(NotFound), work_for(world.parts, stranger) as work:
        inquiries.answer(work, inquiry.public_id, AnswerIn(answer="代答"))
    answer(world, inquiry)
    with pytest.raises(Conflict), work_for(world.parts, world.seller) as work:
        inquiries.answer(work, inquiry.public_id, AnswerIn(answer="再答"))


def test_one_inquiry_is_open_at_a_time(world: Trade) -> None:
    first = asked(world)
    with pytest.raises(Conflict, match="等待答复"):
        asked(world)
    with work_for(world.parts, world.buyer) as work:
        inquiries.close(work, first.public_id, CloseIn(reason="已找到合作方"))
    assert seen(world, world.seller, first).inquiry.state == InquiryState.CLOSED
    assert seen(world, world.seller, first).asker_contact is None
    assert asked(world).id != first.id
    with read_for(world.parts, world.seller) as work:
        counts = inquiries.interest_counts(work.session, [world.achievement.id, world.demand.id])
    assert counts == {world.achievement.id: 1}


def test_what_may_not_be_asked(world: Trade) -> None:
    with pytest.raises(Forbidden, match="自己的"):
        ask(world, world.seller, world.achievement)
    with pytest.raises(Invalid) as error:  # another's demand is not one's own
        ask(world, factories.actor(world.parts, Role.EDITOR), world.achievement, own=world.demand)
    assert "own_listing" in error.value.fields
    with pytest.raises(Invalid) as error:  # naming a listing that carries the hidden name
        asked(world, own=True, show_name=False)
    assert "own_listing" in error.value.fields
    with pytest.raises(Forbidden):
        ask(world, world.broker, world.achievement)
    with work_for(world.parts, world.seller) as work:
        publishing.withdraw(work, world.achievement.public_id)
    with pytest.raises(NotFound):
        ask(world, world.buyer, world.achievement)


def test_a_masked_name_is_told_by_the_answer(parts: Parts) -> None:
    world = trade(parts, masked=True)

    def name(actor: Actor) -> str:
        with read_for(parts, actor) as work:
            return access.listing_page(work, world.demand.public_id).shown.organisation_name

    inquiry = ask(world, world.seller, world.demand, own=world.achievement)
    assert seen(world, world.seller, inquiry).owner is None
    assert name(world.seller) == "名称保密"
    answer(world, inquiry, world.buyer)
    assert seen(world, world.seller, inquiry).owner_label == world.company.name
    assert name(world.seller) == world.company.name
    assert name(factories.actor(parts)) == "名称保密"


def test_inquiries_and_introductions_of_a_pair_lead_to_one_deal(world: Trade) -> None:
    mandate(world, world.seller, as_seller=True)
    by_buyer = answer(world, asked(world))
    by_seller = answer(world, ask(world, world.seller, world.demand), world.buyer)
    assert by_seller.deal_id != by_buyer.deal_id  # it named no achievement: another matter
    again = answer(world, ask(world, world.seller, world.demand, world.achievement), world.buyer)
    assert again.deal_id == by_buyer.deal_id
    row = propose(world)
    decide(world, world.seller, row)
    assert decide(world, world.buyer, row).deal_id == by_buyer.deal_id
    assert by_buyer.deal_id is not None
    with read_for(world.parts, world.seller) as work:
        deal = service.deal_of(work, by_buyer.deal_id)
    assert (deal.achievement_id, deal.demand_id) == (world.achievement.id, world.demand.id)


def test_a_deal_of_a_demand_takes_up_the_achievement_named_later(world: Trade) -> None:
    first = answer(world, ask(world, world.seller, world.demand), world.buyer)
    second = answer(world, ask(world, world.seller, world.demand, world.achievement), world.buyer)
    assert first.deal_id == second.deal_id
    assert first.deal_id is not None
    with read_for(world.parts, world.seller) as work:
        assert service.deal_of(work, first.deal_id).achievement_id == world.achievement.id


def test_an_introduction_needs_a_mandate_and_both_sides(world: Trade) -> None:
    with pytest.raises(Invalid) as error:
        propose(world)
    assert "委托" in error.value.fields["demand"]
    mandate(world, world.buyer, as_buyer=True)
    row = propose(world)
    with pytest.raises(Conflict, match="引荐过"):
        propose(world)
    with pytest.raises(Forbidden):
        decide(world, world.broker, row)
    assert decide(world, world.seller, row).state == IntroductionState.ACCEPTED_SELLER
    assert decide(world, world.seller, row).state == IntroductionState.ACCEPTED_SELLER
    assert introduced(world, world.buyer, row).may_decide
    assert not introduced(world, world.seller, row).may_decide
    accepted = decide(world, world.buyer, row)
    assert accepted.state == IntroductionState.ACCEPTED
    assert accepted.deal_id is not None
    with pytest.raises(Conflict):
        decide(world, world.seller, row, DECLINE)


def test_declined_introductions_open_nothing(world: Trade) -> None:
    mandate(world, world.seller, as_seller=True)
    row = propose(world)
    decide(world, world.buyer, row)
    declined = decide(world, world.seller, row, DECLINE)
    assert (declined.state, declined.deal_id) == (IntroductionState.DECLINED, None)
    with pytest.raises(Conflict):
        decide(world, world.seller, row)
    assert propose(world).id != row.id


def test_a_refused_introduction_does_not_tell_whose_a_masked_demand_is(parts: Parts) -> None:
    world = trade(parts, masked=True)
    own = published(parts, world.buyer, AchievementIn(title="轨道扣件涂覆工艺"))
    told = []
    for achievement in (own, world.achievement):
        form = IntroductionIn(
            achievement=achievement.public_id, demand=world.demand.public_id, message=MESSAGE
        )
        with pytest.raises(Invalid) as refused, work_for(parts, world.broker) as work:
            introductions.propose(work, form)
        told.append(refused.value.fields)
    assert told[0] == told[1]


def test_an_introduction_hides_masked_names_until_accepted(parts: Parts) -> None:
    world = trade(parts, masked=True)
    mandate(world, world.seller, as_seller=True)
    row = propose(world)
    assert introduced(world, world.seller, row).buyer is None
    assert introduced(world, world.broker, row).buyer is None  # no mandate of that side
    decide(world, world.seller, row)
    assert introduced(world, world.seller, row).buyer_label == "名称保密"
    decide(world, world.buyer, row)
    assert introduced(world, world.seller, row).buyer_label == world.company.name


def test_a_broker_chooses_among_its_principals_listings(world: Trade) -> None:
    other = factories.organisation(world.parts, self_publish=True)
    published(world.parts, factories.actor(world.parts, at=other), AchievementIn(title="旁人成果"))
    mandate(world, world.seller, as_seller=True)
    with read_for(world.parts, world.broker) as work:
        found = introductions.choices(work)
    assert [one.public_id for one in found.own_achievements] == [world.achievement.public_id]
    assert found.own_demands == []


def test_answered_and_accepted_at_once_open_one_deal(parts: Parts, both_databases: str) -> None:
    for _ in range(3):
        world = trade(parts)
        mandate(world, world.seller, as_seller=True)
        inquiry, row = asked(world), propose(world)
        other = ask(world, world.seller, world.demand, world.achievement)
        decide(world, world.seller, row)
        refused = at_once(
            parts,
            [
                (world.seller, lambda w, i=inquiry: inquiries.answer(w, i.public_id, ANSWER)),
                (world.seller, lambda w, i=inquiry: inquiries.answer(w, i.public_id, ANSWER)),
                (world.buyer, lambda w, i=other: inquiries.answer(w, i.public_id, ANSWER)),
                (world.buyer, lambda w, i=row: introductions.decide(w, i.public_id, ACCEPT)),
                (world.buyer, lambda w, i=row: introductions.decide(w, i.public_id, ACCEPT)),
            ],
        )
        # The second click is told so, or finds its wish fulfilled; nothing else is refused.
        assert sum(one is not None for one in refused[:2]) == 1
        assert refused[2] is None
        assert sum(one is not None for one in refused[3:]) <= 1
        with read_for(parts, world.seller) as work:
            (deal,) = service.deals_of_actor(work)
            shown = inquiries.inquiry(work, inquiry.public_id)
            assert introductions.introduction(work, row.public_id).deal == deal
        assert shown.deal == deal


def test_the_same_inquiry_sent_many_times_is_one(parts: Parts, both_databases: str) -> None:
    world = trade(parts)
    form = InquiryIn(listing=world.achievement.public_id, message=MESSAGE)
    refused = at_once(parts, [(world.buyer, lambda w: inquiries.ask(w, form))] * 6)
    assert sum(one is None for one in refused) == 1
    assert all(isinstance(one, Conflict) for one in refused if one is not None)


def test_a_listing_that_is_not_there_cannot_be_asked(world: Trade) -> None:
    form = InquiryIn(listing=PublicId("2" * 14), message=MESSAGE)
    with pytest.raises(NotFound), work_for(world.parts, world.buyer) as work:
        inquiries.ask(work, form)
