"""Each noun's tasks: begun and ended in the transaction of the step, seen by the right people only.

After every step the audits agree: what is open is what the nouns themselves say is waiting.
"""

import pytest
from sqlalchemy import func, select
from sqlmodel import col

from market import jobs, waiting
from market.access import mandates
from market.access.schemas import MandateDecisionIn, MandateIn
from market.accounts import organisations
from market.accounts.policy import OrganisationKind, Role
from market.accounts.schemas import DecideMemberIn, JoinIn, OrganisationIn, VerifyIn
from market.accounts.work import Actor, Parts
from market.catalog import drafts, publishing
from market.catalog.schemas import AchievementEditIn, AchievementIn, ReviewIn
from market.catalog.vocabulary import MASKED_NAME
from market.deals import contracts, inquiries, introductions, keeping, service
from market.deals.models import Deal
from market.deals.schemas import (
    AnswerIn,
    CloseIn,
    ConfirmIn,
    InquiryIn,
    IntroductionDecisionIn,
    IntroductionIn,
    LoseIn,
    SignIn,
)
from market.deals.schemas_keeping import FilingIn
from market.deals.vocabulary import LostReason
from market.kit.errors import Conflict
from market.kit.notify import Notice
from market.notices import service as inbox
from market.notices.repository import Group
from market.registry import service as registry
from market.registry.schemas import DecideIn, SubmitIn, UndoIn
from tests import factories
from tests.support import papers
from tests.support.clock import FakeClock
from tests.support.market import read_for, work_for
from tests.support.papers import number
from tests.support.trade import (
    MESSAGE,
    WAN,
    Step,
    Trade,
    agreed,
    asked,
    at_once,
    drafted,
    mandate,
    negotiated,
    publicised,
    terms,
    trade,
)

pytestmark = pytest.mark.usefixtures("both_databases")


@pytest.fixture
def world(parts: Parts) -> Trade:
    return trade(parts)


def todo(parts: Parts, actor: Actor) -> set[str]:
    """Return the kinds of what waits for an actor, and hold all open tasks against the nouns."""
    with read_for(parts, actor) as work:
        for name in ("机构和成员", "成果和需求", "委托", "洽谈", "登记"):
            found = [one for one in jobs.AUDITS[name](work.session) if "待办" in one.what]
            assert not found, (name, found)
        groups = inbox.worklist(work)
        counts = inbox.counts(work.session, actor, work.now)
    mine = [row for one in Group if one is not Group.OTHERS for row in groups[one].rows]
    doable = [row for row in mine if row.when is not inbox.When.OPENS]
    assert counts.tasks == len(doable)
    return {row.notice.kind for row in mine}


def others(parts: Parts, actor: Actor) -> list[Notice]:
    with read_for(parts, actor) as work:
        return [row.notice for row in inbox.worklist(work)[Group.OTHERS].rows]


def told(parts: Parts, actor: Actor) -> list[str]:
    with read_for(parts, actor) as work:
        return [one.notice.kind for one in inbox.messages(work, 1).rows]


class Undone(Exception):
    """Ends a transaction after its step."""


def undone(parts: Parts, actor: Actor, step: Step) -> None:
    """Take a step that leaves a notice, and undo its transaction."""
    with work_for(parts, actor) as work:
        before = work.session.scalar(select(func.max(col(Notice.id)))) or 0
        step(work)
        assert work.session.scalar(select(func.max(col(Notice.id)))) > before
        raise Undone


def test_an_inquiry_waits_for_those_who_may_answer(world: Trade) -> None:
    parts = world.parts
    viewer = factories.actor(parts, Role.VIEWER, world.university)
    editor = factories.actor(parts, Role.EDITOR, world.university)
    stranger = factories.actor(parts)
    assert todo(parts, world.seller) == set()
    inquiry = asked(world)
    for actor in (world.seller, editor):
        assert todo(parts, actor) == {"inquiry.received"}
    for actor in (viewer, stranger, world.buyer, world.broker):
        assert todo(parts, actor) == set(), actor
    (waits,) = others(parts, world.buyer)
    assert "轨道扣件螺栓松动声学检测" in waits.title
    with work_for(parts, editor) as work:
        inquiries.answer(work, inquiry.public_id, AnswerIn(answer="可以"))
    assert todo(parts, world.seller) == set()
    assert others(parts, world.buyer) == []
    assert told(parts, world.buyer) == ["inquiry.answered"]
    assert told(parts, world.seller) == []


def test_a_step_that_is_undone_leaves_no_task(world: Trade) -> None:
    form = InquiryIn(listing=world.achievement.public_id, message=MESSAGE)
    with pytest.raises(Undone):
        undone(world.parts, world.buyer, lambda work: inquiries.ask(work, form))
    assert todo(world.parts, world.seller) == set()
    inquiry = asked(world)
    reply = AnswerIn(answer="可以")
    with pytest.raises(Undone):
        undone(
            world.parts,
            world.seller,
            lambda work: inquiries.answer(work, inquiry.public_id, reply),
        )
    assert todo(world.parts, world.seller) == {"inquiry.received"}
    assert told(world.parts, world.buyer) == []


def test_asked_twice_at_once_waits_once(world: Trade) -> None:
    form = InquiryIn(listing=world.achievement.public_id, message=MESSAGE)
    refused = at_once(world.parts, [(world.buyer, lambda work: inquiries.ask(work, form))] * 2)
    assert sorted(type(one) for one in refused if one) == [Conflict]
    with read_for(world.parts, world.seller) as work:
        assert inbox.worklist(work)[Group.WEEK].total == 1


def test_an_inquiry_of_a_masked_asker_names_nobody(world: Trade) -> None:
    asked(world, show_name=False)
    with read_for(world.parts, world.seller) as work:
        (row,) = inbox.worklist(work)[Group.WEEK].rows
    assert row.notice.detail == f"{MASKED_NAME}问：{MESSAGE}"
    assert world.company.name not in row.notice.title + row.notice.detail


def test_a_masked_demand_is_named_to_no_broker(parts: Parts) -> None:
    world = trade(parts, masked=True)
    mandate(world, world.seller, as_seller=True)
    form = IntroductionIn(
        achievement=world.achievement.public_id, demand=world.demand.public_id, message=MESSAGE
    )
    with work_for(parts, world.broker) as work:
        row = introductions.propose(work, form)
    assert todo(parts, world.seller) == {"introduction.seller"}
    assert todo(parts, world.buyer) == {"introduction.buyer"}
    assert todo(parts, world.broker) == set()
    with work_for(parts, world.seller) as work:
        introductions.decide(work, row.public_id, IntroductionDecisionIn(decision="accept"))
    assert todo(parts, world.seller) == set()
    assert todo(parts, world.buyer) == {"introduction.buyer"}
    with work_for(parts, world.buyer) as work:
        introductions.decide(work, row.public_id, IntroductionDecisionIn(decision="decline"))
    assert todo(parts, world.buyer) == set()
    for reader in (world.broker, world.seller):
        assert told(parts, reader)[0] == "introduction.decided"
        with read_for(parts, reader) as work:
            for one in inbox.messages(work, 1).rows:
                assert world.company.name not in one.notice.title + one.notice.detail
            for waits in others(parts, reader):
                assert world.company.name not in waits.title + waits.detail


def test_a_mandate_waits_for_the_agency_s_manager(world: Trade) -> None:
    parts = world.parts
    editor = factories.actor(parts, Role.EDITOR, world.agency)
    form = MandateIn(
        agency=world.agency.public_id,
        as_seller=True,
        as_buyer=False,
        valid_from="2026-11-02",  # type: ignore[arg-type]  as JSON writes it
        valid_until="2027-11-01",  # type: ignore[arg-type]
    )
    with work_for(parts, world.seller) as work:
        row = mandates.grant(work, form)
    assert todo(parts, world.broker) == {"mandate.offered"}
    assert todo(parts, editor) == set()
    with work_for(parts, world.broker) as work:
        mandates.decide(work, row.public_id, MandateDecisionIn(decision="accept"))
    assert todo(parts, world.broker) == set()
    with work_for(parts, world.seller) as work:
        mandates.end(work, row.public_id)
    assert told(parts, world.seller) == ["mandate.decided"]
    assert told(parts, world.broker) == ["mandate.ended"]


def test_an_offer_taken_back_or_expired_waits_no_more(world: Trade, clock: FakeClock) -> None:
    parts = world.parts
    form = MandateIn(
        agency=world.agency.public_id,
        as_seller=True,
        as_buyer=False,
        valid_from="2026-11-02",  # type: ignore[arg-type]
        valid_until="2026-11-09",  # type: ignore[arg-type]
    )
    with work_for(parts, world.seller) as work:
        mandates.grant(work, form)
    assert todo(parts, world.broker) == {"mandate.offered"}
    clock.set_local("2026-12-01 09:00")
    later = form.model_copy(update={"valid_until": clock.now().date()})
    with work_for(parts, world.seller) as work:
        row = mandates.grant(work, later)
    assert todo(parts, world.broker) == {"mandate.offered"}
    with work_for(parts, world.seller) as work:
        mandates.end(work, row.public_id)
    assert todo(parts, world.broker) == set()


def test_reviews_are_one_task_of_the_bureau_for_each_organisation(parts: Parts) -> None:
    home = factories.organisation(parts)
    owner = factories.actor(parts, Role.EDITOR, home)
    officer = factories.actor(parts, Role.OFFICER)
    handed = []
    for title in ("成果一", "成果二"):
        with work_for(parts, owner) as work:
            row = drafts.create(work, AchievementIn(title=title))
            handed.append(publishing.submit(work, row.public_id))
    with read_for(parts, officer) as work:
        assert inbox.worklist(work)[Group.LATER].total == 1
    assert todo(parts, officer) == {"listing.submitted"}
    assert todo(parts, owner) == set()
    with work_for(parts, officer) as work:
        publishing.decide(work, handed[0].public_id, ReviewIn(revision=1, decision="approve"))
    assert todo(parts, officer) == {"listing.submitted"}
    back = ReviewIn(revision=1, decision="refuse", note="请补充应用场景")
    with work_for(parts, officer) as work:
        publishing.decide(work, handed[1].public_id, back)
    assert todo(parts, officer) == set()
    assert todo(parts, owner) == {"listing.refused"}
    assert todo(parts, factories.actor(parts, Role.VIEWER, home)) == set()
    assert told(parts, owner) == ["listing.published"]
    with work_for(parts, owner) as work:
        publishing.submit(work, handed[1].public_id)
    assert (todo(parts, owner), todo(parts, officer)) == (set(), {"listing.submitted"})
    with work_for(parts, owner) as work:
        publishing.take_back(work, handed[1].public_id)
    assert todo(parts, officer) == set()
    with work_for(parts, owner) as work:
        edit = AchievementEditIn(title="成果二", summary="用于隧道", based_on=1)
        drafts.edit(work, handed[1].public_id, edit)
    assert todo(parts, owner) == set()


def test_joining_waits_for_managers_and_is_told_to_the_person(parts: Parts) -> None:
    home = factories.organisation(parts)
    manager = factories.actor(parts, Role.MANAGER, home)
    editor = factories.actor(parts, Role.EDITOR, home)
    person = factories.actor(parts, Role.PERSON)
    with work_for(parts, person) as work:
        row = organisations.join(work, home.public_id, JoinIn(role=Role.EDITOR))
    assert (todo(parts, manager), todo(parts, editor)) == ({"member.requested"}, set())
    with work_for(parts, manager) as work:
        organisations.decide_member(work, row.public_id, DecideMemberIn(decision="refuse"))
    assert todo(parts, manager) == set()
    assert told(parts, person) == ["member.decided"]
    assert told(parts, editor) == []
    with work_for(parts, person) as work:
        organisations.join(work, home.public_id, JoinIn(role=Role.VIEWER))
    assert todo(parts, manager) == {"member.requested"}


def test_a_new_organisation_waits_for_the_bureau(parts: Parts) -> None:
    person, officer = factories.actor(parts, Role.PERSON), factories.actor(parts, Role.OFFICER)
    form = OrganisationIn(
        kind=OrganisationKind.COMPANY,
        name="示范新机构",
        credit_code=factories.credit_code(),
        region="500106",
    )
    with work_for(parts, person) as work:
        founded = organisations.found(work, form)
    assert todo(parts, officer) == {"organisation.pending"}
    assert todo(parts, factories.actor(parts, Role.AUDITOR)) == set()
    with work_for(parts, officer) as work:
        organisations.verify(work, founded.public_id, VerifyIn(decision="verified", name=""))
    assert todo(parts, officer) == set()
    member = factories.actor(parts, Role.VIEWER, founded)
    assert told(parts, member) == ["organisation.decided"]


def test_the_steps_of_a_deal_wait_for_one_side_after_the_other(
    world: Trade, clock: FakeClock
) -> None:
    parts, seller, buyer = world.parts, world.seller, world.buyer
    clock.set_local("2026-11-12 09:00")
    deal = negotiated(world)
    assert (todo(parts, seller), todo(parts, buyer)) == (set(), set())
    with work_for(parts, seller) as work:
        service.propose(work, deal.public_id, terms())
    assert (todo(parts, seller), todo(parts, buyer)) == (set(), {"deal.terms"})
    with work_for(parts, buyer) as work:
        service.propose(work, deal.public_id, terms(seen=1, amount=140 * WAN))
    assert (todo(parts, seller), todo(parts, buyer)) == ({"deal.terms"}, set())
    with work_for(parts, seller) as work:
        service.confirm(work, deal.public_id, ConfirmIn(version=2))
    assert (todo(parts, seller), todo(parts, buyer)) == ({"deal.price"}, set())
    publicised(world, deal)
    assert (todo(parts, seller), todo(parts, buyer)) == ({"deal.draft"}, set())
    contract = drafted(world, deal)
    assert (todo(parts, seller), todo(parts, buyer)) == ({"deal.sign_seller"}, {"deal.sign_buyer"})
    with read_for(parts, seller) as work:
        (row,) = inbox.worklist(work)[Group.LATER].rows
        assert (
            inbox.counts(work.session, seller, work.now).tasks == 0
        )  # not before the 公示 is over
    assert (row.when, str(row.on), row.working_days) == (inbox.When.OPENS, "2026-11-28", 11)
    clock.set_local("2026-11-28 09:00")
    form = SignIn(contract=contract.public_id, differences_known=True)
    with work_for(parts, seller) as work:
        contracts.sign(work, deal.public_id, form)
    assert (todo(parts, seller), todo(parts, buyer)) == (set(), {"deal.sign_buyer"})
    with work_for(parts, buyer) as work:
        contracts.sign(work, deal.public_id, form)
    waits = {"registration.due", "contract.filing"}  # of a patent licence
    assert (todo(parts, seller), todo(parts, buyer)) == (waits, set())
    assert told(parts, seller)[0] == "contract.signed"


def test_registration_goes_between_seller_and_bureau(world: Trade, clock: FakeClock) -> None:
    parts, seller = world.parts, world.seller
    officer = factories.actor(parts, Role.OFFICER)
    clock.set_local("2026-11-12 09:00")
    deal = agreed(world)
    publicised(world, deal)
    contract = drafted(world, deal)
    clock.set_local("2026-11-30 09:00")
    for actor in (seller, world.buyer):
        with work_for(parts, actor) as work:
            contracts.sign(
                work, deal.public_id, SignIn(contract=contract.public_id, differences_known=True)
            )
    with work_for(parts, seller) as work:
        filed = registry.submit(
            work, SubmitIn(contract=contract.public_id), papers.scan("合同"), papers.TOLD
        )
    assert todo(parts, seller) == {"contract.filing"}
    with work_for(parts, seller) as work:
        keeping.filed(work, deal.public_id, FilingIn(filed_on=work.today))
    assert (todo(parts, seller), todo(parts, officer)) == (set(), {"registration.submitted"})
    with read_for(parts, officer) as work:
        (row,) = inbox.worklist(work)[Group.LATER].rows
        # 15 working days after 30 November 2026, a Monday; no holiday between.
        assert (str(row.on), row.working_days) == ("2026-12-21", 15)
    clock.set_local("2026-12-24 09:00")
    with read_for(parts, officer) as work:
        (row,) = inbox.worklist(work)[Group.TODAY].rows
        assert (row.when, row.working_days) == (inbox.When.LATE, 3)
    refusal = DecideIn(decision="not_registered", refusal_reason="evidence")
    with work_for(parts, officer) as work:
        registry.decide(work, filed.row.public_id, refusal)
    assert (todo(parts, seller), todo(parts, officer)) == ({"registration.due"}, set())
    with work_for(parts, seller) as work:
        filed = registry.submit(
            work, SubmitIn(contract=contract.public_id), papers.scan("合同"), papers.TOLD
        )
    assert (todo(parts, seller), todo(parts, officer)) == (set(), {"registration.submitted"})
    decision = DecideIn(
        decision="registered",
        number=number(),
        decided_on="2026-12-24",  # type: ignore[arg-type]
        total_fen=contract.total_fen,
        technical_fen=contract.technical_fen,
    )
    with work_for(parts, officer) as work:
        registry.decide(work, filed.row.public_id, decision)
    assert (todo(parts, seller), todo(parts, officer)) == (set(), set())
    assert told(parts, world.buyer)[0] == "registration.registered"
    with work_for(parts, officer) as work:
        registry.undo(work, filed.row.public_id, UndoIn(reason="编号抄错"))
    assert todo(parts, seller) == {"registration.due"}
    assert "registration.undone" in told(parts, world.buyer)


def test_what_is_closed_or_lost_waits_for_nobody(world: Trade) -> None:
    parts = world.parts
    inquiry = asked(world)
    with work_for(parts, world.buyer) as work:
        inquiries.close(work, inquiry.public_id, CloseIn(reason="已有办法"))
    assert todo(parts, world.seller) == set()
    deal: Deal = agreed(world)
    assert todo(parts, world.seller) == {"deal.price"}
    with work_for(parts, world.buyer) as work:
        service.lose(work, deal.public_id, LoseIn(reason=LostReason.PRICE))
    assert (todo(parts, world.seller), todo(parts, world.buyer)) == (set(), set())
    assert told(parts, world.seller)[0] == "deal.lost"


def test_a_database_from_before_gets_its_tasks(world: Trade) -> None:
    asked(world)
    with world.parts.database.write() as session:
        session.execute(Notice.__table__.delete())  # type: ignore[attr-defined]
        assert waiting.put_right(session, world.parts.clock.now()) == 1
        assert waiting.put_right(session, world.parts.clock.now()) == 0
    assert todo(world.parts, world.seller) == {"inquiry.received"}
