"""The stories of the content: plan, listings, mandates, and how its deals open."""

from collections.abc import Generator
from datetime import date

from infra.demo.cast import BUREAU
from infra.demo.content import Row, achievement, day, demand, read
from infra.demo.papers import Sides, conclude
from infra.demo.replay import Replay, Story
from market.access import mandates
from market.access.schemas import MandateDecisionIn, MandateIn
from market.accounts.policy import Action
from market.accounts.work import Work
from market.catalog import drafts, publishing
from market.catalog.models import ReviewState
from market.catalog.schemas import AchievementIn, DemandIn, ReviewIn
from market.deals import inquiries, introductions
from market.deals import service as deals
from market.deals.schemas import AnswerIn, InquiryIn, IntroductionDecisionIn, IntroductionIn
from market.kit.ids import DealId, PublicId
from market.rewards import service as rewards
from market.rewards.schemas import RewardIn
from market.rules import service as rules
from market.rules.schemas import PlanIn


def begin(replay: Replay) -> None:
    """Start every story of the content but the contracts that were registered before."""
    replay.start(_plan(replay))
    for row in read("achievements"):
        replay.start(_listing(replay, row, achievement(row)))
    for row in read("demands"):
        replay.start(_listing(replay, row, demand(row)))
    told = read("deals")
    for row in told["mandates"]:
        replay.start(_mandate(replay, row))
    for row in read("rewards"):
        replay.start(_reward(replay, row))
    holders = {row["own_number"]: row for row in read("achievements")}
    for row in told["deals"]:
        about = holders[row["achievement"]]
        sides = Sides(about["org"], row["buyer"], about["field"], about["summary"])
        replay.start(_deal(replay, row, sides))


def _plan(replay: Replay) -> Story:
    form = PlanIn.model_validate(read("plan"))
    yield form.from_on
    with replay.act(BUREAU, Action.PLAN_EDIT) as work:
        rules.put_plan(work, form)


def _listing(replay: Replay, row: Row, form: AchievementIn | DemandIn) -> Story:
    replay.listings[row["own_number"]] = yield from publish(
        replay, row["org"], form, day(row["published_on"])
    )


def publish(
    replay: Replay, owner: str, form: AchievementIn | DemandIn, on: date
) -> Generator[date, None, PublicId]:
    """Draft a listing shortly before, submit and approve it on the day. Return its id."""
    yield replay.workday(on, days_before=3)
    with replay.act(owner, Action.LISTING_EDIT) as work:
        listing = drafts.create(work, form)
    yield on
    with replay.act(owner, Action.LISTING_SUBMIT) as work:
        publishing.submit(work, listing.public_id)
    if listing.review_state == ReviewState.SUBMITTED:
        with replay.act(BUREAU, Action.LISTING_REVIEW) as work:
            publishing.decide(work, listing.public_id, ReviewIn(revision=1, decision="approve"))
    return listing.public_id


def _mandate(replay: Replay, row: Row) -> Story:
    yield day(row["valid_from"])
    agency = replay.actors[row["agency"]].organisation_public_id
    terms = {name: value for name, value in row.items() if name in MandateIn.model_fields}
    with replay.act(row["principal"], Action.MANDATE_GRANT) as work:
        mandate = mandates.grant(work, MandateIn.model_validate(terms | {"agency": agency}))
    with replay.act(row["agency"], Action.MANDATE_ACCEPT) as work:
        mandates.decide(work, mandate.public_id, MandateDecisionIn(decision="accept"))


def _reward(replay: Replay, row: Row) -> Story:
    form = RewardIn.model_validate({name: value for name, value in row.items() if name != "org"})
    yield form.decided_on
    with replay.act(row["org"], Action.REWARD_EDIT) as work:
        reward = rewards.state(work, form)
    with replay.act(row["org"], Action.REWARD_CONFIRM) as work:
        rewards.confirm(work, reward.public_id)


def _deal(replay: Replay, row: Row, sides: Sides) -> Story:
    if row["broker"]:
        opened = yield from _introduce(replay, row, sides)
    else:
        yield day(row["inquiry"]["asked_on"])
        form = InquiryIn(
            listing=replay.listings[row["achievement"]],
            own_listing=row["demand"] and replay.listings[row["demand"]],
            message=row["inquiry"]["text"],
        )
        opened = yield from ask(replay, sides.buyer, form, owner=sides.seller, answer=row["answer"])
    if opened is not None:
        yield from conclude(replay, row, sides, opened)


def ask(
    replay: Replay, asker: str, form: InquiryIn, *, owner: str, answer: Row | None
) -> Generator[date, None, PublicId | None]:
    """Ask today about a listing and have it answered. Return the deal that this opens."""
    with replay.act(asker, Action.INQUIRY_SEND) as work:
        inquiry = inquiries.ask(work, form)
    if answer is None:
        return None
    yield day(answer["answered_on"])
    with replay.act(owner, Action.INQUIRY_ANSWER) as work:
        inquiries.answer(work, inquiry.public_id, AnswerIn(answer=answer["text"]))
        return _opened(work, inquiry.deal_id)


def _introduce(replay: Replay, row: Row, sides: Sides) -> Generator[date, None, PublicId | None]:
    told = row["introduction"]
    yield day(told["proposed_on"])
    form = IntroductionIn(
        achievement=replay.listings[row["achievement"]],
        demand=replay.listings[row["demand"]],
        message=told["text"],
    )
    with replay.act(row["broker"], Action.INTRODUCTION_PROPOSE) as work:
        introduction = introductions.propose(work, form)
    accepted = {sides.seller: told["seller_accepted_on"], sides.buyer: told["buyer_accepted_on"]}
    given = [(day(on), side) for side, on in accepted.items() if on]
    opened = None
    for on, side in sorted(given):
        yield on
        with replay.act(side, Action.INTRODUCTION_DECIDE) as work:
            introductions.decide(
                work, introduction.public_id, IntroductionDecisionIn(decision="accept")
            )
            opened = _opened(work, introduction.deal_id)
    return opened


def _opened(work: Work, deal_id: DealId | None) -> PublicId | None:
    return None if deal_id is None else deals.deal_of(work, deal_id).public_id
