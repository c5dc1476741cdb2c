"""My data: the copy is whole, the deletion leaves nothing but what it said would stay."""

import io
import json
import zipfile
from dataclasses import replace
from typing import Any

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import Column, Engine, event, text
from sqlmodel import select

from market import personal, tables
from market.accounts import organisations, passwords, signin
from market.accounts.models import ApiToken, Membership, MembershipState, Person, SignIn
from market.accounts.policy import Action, Role
from market.accounts.schemas import DecideMemberIn, JoinIn, SignUpIn, VerifyIn
from market.accounts.work import Actor, Parts
from market.catalog.models import ListingRevision
from market.catalog.views import document_source
from market.deals import inquiries, service, views
from market.deals.models import Inquiry
from market.deals.schemas import AnswerIn, NoteIn
from market.deals.vocabulary import Audience
from market.discovery.documents import document
from market.kit.across import GONE
from market.kit.db import is_sqlite
from market.kit.errors import Conflict, Invalid, NotFound, TooMany
from market.kit.ids import PublicId
from market.kit.records import archive
from tests import factories
from tests.support.market import read_for, work_for
from tests.support.trade import Trade, agreed, asked, trade

pytestmark = pytest.mark.usefixtures("both_databases")

ADDRESS = "192.0.2.1"
PASSWORD = "correct horse battery"
NAME, EMAIL, PHONE = "示范独名甲", "only-this@example.com", "13800009999"


@pytest.fixture(scope="module")
def password_hash() -> str:
    return passwords.hashed(PASSWORD)


def known_as(parts: Parts, who: Actor, password_hash: str, n: int = 1) -> Actor:
    """Give the actor's person words of their own, by which they would be found anywhere."""
    with parts.database.write() as session:
        row = session.get_one(Person, who.person)
        row.name, row.phone = f"{NAME}{n}", PHONE
        row.email, row.password_hash = f"{n}{EMAIL}", password_hash
        session.add(row)
    return replace(who, person_name=f"{NAME}{n}")


def second_manager(parts: Parts, who: Actor) -> Actor:
    with parts.database.read() as session:
        place = organisations.repository.organisation(session, who.organisation)
    return factories.actor(parts, Role.MANAGER, place)


def everything(parts: Parts) -> dict[str, str]:
    """Return the content of every table as text."""
    with parts.database.read() as session:
        return {
            table.name: "\n".join(
                repr(tuple(row)) for row in session.execute(text(f'SELECT * FROM "{table.name}"'))
            )
            for table in tables.metadata().sorted_tables
        }


def holding(parts: Parts, *words: str) -> set[str]:
    return {name for name, rows in everything(parts).items() for word in words if word in rows}


def delete(
    parts: Parts, who: Actor, password: str = PASSWORD, typed: str = personal.CONFIRM
) -> None:
    personal.delete(parts, who, password, typed, ADDRESS)


@pytest.fixture
def world(parts: Parts, password_hash: str) -> Trade:
    made = trade(parts)
    world = replace(
        made,
        seller=known_as(parts, made.seller, password_hash, 1),
        buyer=known_as(parts, made.buyer, password_hash, 2),
    )
    deal = agreed(world)
    with work_for(parts, world.seller) as work:
        service.note(work, deal.public_id, NoteIn(audience=Audience.ALL, text="已发样品"))
    factories.token(parts, world.seller)
    factories.cookie(parts, world.seller)
    return world


def test_after_a_deletion_nothing_personal_is_left(parts: Parts, world: Trade) -> None:
    words = (f"{NAME}1", f"1{EMAIL}")
    assert holding(parts, *words) == {"person", "inquiry"}
    with pytest.raises(Invalid):
        signin.check_password(parts, f"1{EMAIL}", "wrong", ADDRESS)
    second_manager(parts, world.seller)
    delete(parts, world.seller)
    assert holding(parts, *words) == set()
    with parts.database.read() as session:
        ids = [world.achievement.id, world.demand.id]
        documents = repr([document(one, 1) for one in document_source(session, ids).values()])
    assert "轨道扣件螺栓松动声学检测" in documents
    assert not any(word in documents for word in words)
    with parts.database.read() as session:
        row = session.get_one(Person, world.seller.person)
        assert (row.name, row.phone, row.password_hash) == (GONE, "", None)
        assert row.deleted_at == parts.clock.now()
        for table in (SignIn, ApiToken):
            assert not session.exec(
                select(table).where(table.person_id == world.seller.person)
            ).all()
        # The keys of wrong passwords for this address are gone, that of the network place stays.
        assert session.execute(text("SELECT count(*) FROM sign_in_failure")).scalar_one() == 1
        (inquiry,) = session.exec(select(Inquiry))
        assert (inquiry.owner_contact_name, inquiry.owner_contact_email) == (GONE, "")
        assert inquiry.contact_name == f"{NAME}2", "the other side's contact is not touched"


def test_the_other_side_reads_that_somebody_has_left(parts: Parts, world: Trade) -> None:
    second_manager(parts, world.seller)
    delete(parts, world.seller)
    with read_for(parts, world.buyer) as work:
        (deal,) = service.deals_of_actor(work)
        timeline = views.deal_view(work, deal.public_id).timeline
        assert {one.person for one in timeline} == {GONE, f"{NAME}2"}
        _, (inquiry,) = inquiries.inquiries_of_actor(work)
        assert inquiry.owner_contact is not None
        assert inquiry.owner_contact.name == GONE


def test_what_law_keeps_stays(parts: Parts, world: Trade) -> None:
    before = everything(parts)
    second_manager(parts, world.seller)
    delete(parts, world.seller)
    after = everything(parts)
    for name in ("terms", "deal", "deal_note", "deal_event", "listing", "consent", "contract"):
        assert before[name] in after[name], name
    assert before["audit"] in after["audit"]


def test_the_only_manager_of_a_house_with_deals_is_shown_the_way_out(
    parts: Parts, world: Trade
) -> None:
    with read_for(parts, world.seller) as work:
        assert [one.id for one in personal.obstacles(work)] == [world.university.id]
    with pytest.raises(Conflict, match="唯一的管理员"):
        delete(parts, world.seller)
    assert holding(parts, f"{NAME}1") == {"person", "inquiry"}, "nothing went"
    second_manager(parts, world.seller)
    delete(parts, world.seller)


def test_a_house_that_the_bureau_closed_keeps_nobody(parts: Parts, world: Trade) -> None:
    verdict = VerifyIn(decision="refused", note="机构已注销")
    with work_for(parts, factories.actor(parts, Role.OFFICER)) as work:
        organisations.verify(work, world.university.public_id, verdict)
    delete(parts, world.seller)
    assert holding(parts, f"{NAME}1") == set()


def test_a_founder_of_nothing_yet_may_go_and_come_back(parts: Parts) -> None:
    form = SignUpIn(email=EMAIL, name=NAME, password=PASSWORD, agreed=True)
    person = signin.sign_up(parts, form, ADDRESS)
    who = Actor(Role.PERSON, person.id, person.name)
    delete(parts, who)
    assert holding(parts, NAME, EMAIL) == set()
    with pytest.raises(Invalid):
        signin.check_password(parts, EMAIL, PASSWORD, ADDRESS)
    again = signin.sign_up(parts, form, ADDRESS)
    assert again.id != person.id
    assert again.public_id != person.public_id


def test_deletion_asks_for_the_password_and_the_words(parts: Parts, password_hash: str) -> None:
    who = known_as(parts, factories.actor(parts, Role.PERSON), password_hash)
    with pytest.raises(Invalid) as typed:
        delete(parts, who, typed="删除")
    assert "现在是“删除”" in typed.value.fields["confirm"]
    for _ in range(8):
        with pytest.raises(Invalid) as wrong:
            delete(parts, who, password="guess")
        assert "password" in wrong.value.fields
    with pytest.raises(TooMany):
        delete(parts, who)
    assert "person" in holding(parts, f"{NAME}1")


def test_the_copy_holds_what_every_noun_has(parts: Parts, world: Trade) -> None:
    with read_for(parts, world.seller) as work:
        mine = personal.copy(work)
    (account,) = mine["账号"]
    assert (account["姓名"], account["邮箱"], account["电话"]) == (f"{NAME}1", f"1{EMAIL}", PHONE)
    assert [row["题目"] for row in mine["写下的成果与需求"]] == ["轨道扣件螺栓松动声学检测"]
    assert [row["内容"] for row in mine["洽谈记录"]] == ["已发样品"]
    assert [row["联系人"] for row in mine["询问里的联系方式"]] == [f"{NAME}1"]
    assert len(mine["接口令牌"]) == len(mine["登录会话"]) == 1
    assert {row["文件"] for row in mine["同意记录"]} == {"隐私政策", "服务条款"}
    assert f"{NAME}2" not in json.dumps(mine, ensure_ascii=False), "of nobody else"
    with zipfile.ZipFile(io.BytesIO(archive(mine, "我的数据"))) as packed:
        assert json.loads(packed.read("我的数据.json")) == mine
        book = CalamineWorkbook.from_filelike(io.BytesIO(packed.read("洽谈记录.xlsx")))
        header, row = book.get_sheet_by_index(0).to_python()
    assert header == ["内容", "时间"]
    assert row[0] == "已发样品"


def test_counting_finds_what_the_copy_holds_and_reads_no_row(parts: Parts, world: Trade) -> None:
    read: list[object] = []

    def note(target: object, _context: object) -> None:
        read.append(target)

    event.listen(ListingRevision, "load", note)
    try:
        with read_for(parts, world.seller) as work:
            counts = personal.counts(work)
        assert not read
        with read_for(parts, world.seller) as work:
            mine = personal.copy(work)
        assert len(read) == counts["写下的成果与需求"] == 1
    finally:
        event.remove(ListingRevision, "load", note)
    assert counts == {title: len(rows) for title, rows in mine.items()}


def test_what_is_held_is_found_by_an_index(parts: Parts, world: Trade) -> None:
    """Tables are small here: PostgreSQL is asked whether it could, not whether it would."""
    with read_for(parts, world.seller) as work:
        sqlite = is_sqlite(work.session)
        if not sqlite:
            work.session.execute(text("SET LOCAL enable_seqscan = off"))
        for one in personal.held(work):
            words = str(
                one.query.compile(work.session.connection(), compile_kwargs={"literal_binds": True})
            )
            how = "EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN "
            plan = "\n".join(str(row) for row in work.session.execute(text(how + words)))
            assert ("SCAN" if sqlite else "Seq Scan") not in plan, (one.title, plan)


EXPLAINED = {
    "listing.created_by": "您为机构填写的成果",
    "deal.lost_by": "询问、引荐、洽谈",
    "deal_event.person_id": "询问、引荐、洽谈",
    "pricing_path.created_by": "询问、引荐、洽谈",
    "deal_listing.added_by": "询问、引荐、洽谈",
    "deal_party.added_by": "询问、引荐、洽谈",
    "next_step.set_by": "询问、引荐、洽谈",
    "objection.handled_by": "对公示的异议",
    "registration.withdrawn_by": "技术合同的登记",
    "registration_event.person_id": "技术合同的登记",
    "contract_receipt.person_id": "询问、引荐、洽谈",
    "licence_filing.person_id": "询问、引荐、洽谈",
    "past_registration.created_by": "技术合同的登记",
    "past_registration.taken_out_by": "技术合同的登记",
    "introduction.seller_accepted_by": "询问、引荐、洽谈",
    "introduction.buyer_accepted_by": "询问、引荐、洽谈",
    "ledger_period.closed_by": "您办理的其他事项",
    "transfer_rule.created_by": "您办理的其他事项",
    "match.decided_by": "您办理的其他事项",
    "plan.created_by": "您办理的其他事项",
    "rule_version.created_by": "您办理的其他事项",
    "bank_credit.recorded_by": "款项、付款、退款",
    "bank_credit.decided_by": "款项、付款、退款",
    "refund.wanted_by": "款项、付款、退款",
    "refund.confirmed_by": "款项、付款、退款",
    "transfer.wanted_by": "款项、付款、退款",
    "transfer.confirmed_by": "款项、付款、退款",
    "invoice.entered_by": "款项、付款、退款",
    "invoice.voided_by": "款项、付款、退款",
    "connected_account.entered_by": "款项、付款、退款",
    "fee.created_by": "款项、付款、退款",
    "card_limit.created_by": "款项、付款、退款",
}
"""Columns that neither copy nor deletion asks for, by how the sentence about them begins."""


def names_a_person(column: Column[Any]) -> bool:
    referred = any(key.target_fullname == "person.id" for key in column.foreign_keys)
    return referred or column.name.endswith(("_by", "person_id"))


def test_every_column_that_names_a_person_is_copied_deleted_or_explained(
    parts: Parts, password_hash: str
) -> None:
    who = known_as(parts, factories.actor(parts, Role.PERSON), password_hash)
    asked: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_more: object) -> None:
        asked.append(" ".join(statement.replace('"', "").partition("WHERE")[2].split()))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        with read_for(parts, who) as work:
            personal.copy(work)
        delete(parts, who)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    named = {
        f"{table.name}.{column.name}"
        for table in tables.metadata().sorted_tables
        for column in table.columns
        if names_a_person(column)
    }
    assert len(named) > 20
    explained = {
        name
        for name, start in EXPLAINED.items()
        if any(sentence.startswith(start) for sentence in personal.KEPT)
    }
    assert explained == EXPLAINED.keys() <= named
    searched = {name for name in named if any(f"{name} = " in where for where in asked)}
    assert named - searched - explained == set()


def test_a_formula_in_the_copy_stays_text() -> None:
    text = '=HYPERLINK("http://evil.example")'
    packed = archive({"洽谈记录": [{"内容": text}]}, "我的数据")
    with zipfile.ZipFile(io.BytesIO(packed)) as files:
        book = CalamineWorkbook.from_filelike(io.BytesIO(files.read("洽谈记录.xlsx")))
    assert book.get_sheet_by_index(0).to_python() == [["内容"], [text]]


# Leaving


def test_who_leaves_leaves_everything_and_comes_back_without_tokens(parts: Parts) -> None:
    world = trade(parts)
    inquiry = asked(world)
    boss = second_manager(parts, world.seller)
    token, tied = factories.token(parts, world.seller), factories.cookie(parts, world.seller)[0]
    with work_for(parts, world.seller) as work:
        organisations.leave(work)
    now = parts.clock.now()
    with parts.database.read() as session:
        assert signin.by_token(session, token, now) is None
        assert signin.by_session(session, tied, now).actor.role is Role.PERSON
    # Those who stay go on with it.
    with work_for(parts, boss) as work:
        assert inquiries.answer(work, inquiry.public_id, AnswerIn(answer="可以支持")).deal_id
    with work_for(parts, replace(world.seller, role=Role.PERSON)) as work:
        row = organisations.join(work, world.university.public_id, JoinIn(role=Role.EDITOR))
    with work_for(parts, boss) as work:
        organisations.decide_member(work, row.public_id, DecideMemberIn(decision="accept"))
    with parts.database.read() as session:
        assert signin.by_token(session, token, now) is None, "old tokens do not come back"
        assert signin.by_session(session, tied, now).actor.role is Role.EDITOR


def test_a_removed_member_has_no_token_either(parts: Parts) -> None:
    world = trade(parts)
    boss = second_manager(parts, world.seller)
    token = factories.token(parts, world.seller)
    with parts.database.read() as session:
        (row,) = session.exec(select(Membership).where(Membership.person_id == world.seller.person))
    with work_for(parts, boss) as work:
        organisations.decide_member(work, row.public_id, DecideMemberIn(decision="remove"))
    with parts.database.read() as session:
        assert signin.by_token(session, token, parts.clock.now()) is None


def test_the_last_manager_stays_until_another_is_named(parts: Parts) -> None:
    world = trade(parts)
    with work_for(parts, world.seller) as work, pytest.raises(Conflict, match="联系科技局"):
        organisations.leave(work)
    factories.actor(parts, Role.EDITOR, world.university)
    with work_for(parts, world.seller) as work, pytest.raises(Conflict, match="另一位成员"):
        organisations.leave(work)
    second_manager(parts, world.seller)
    with work_for(parts, world.seller) as work:
        organisations.leave(work)
    with work_for(parts, world.seller) as work, pytest.raises(NotFound):
        organisations.leave(work)


def test_leaving_sent_twice_ends_one_membership(parts: Parts) -> None:
    world = trade(parts)
    second_manager(parts, world.seller)
    named = world.university.public_id
    for actor in (world.seller, replace(world.seller, role=Role.PERSON, organisation_id=None)):
        with work_for(parts, actor) as work:
            organisations.leave(work, named)
    elsewhere = replace(world.seller, organisation_id=world.buyer.organisation_id)
    with work_for(parts, elsewhere) as work:
        organisations.leave(work, named)  # the second click, when one acts for another already
    with work_for(parts, elsewhere) as work, pytest.raises(NotFound):
        organisations.leave(work, PublicId("nothing"))


def test_a_role_that_changed_acts_at_once(parts: Parts) -> None:
    world = trade(parts)
    boss = second_manager(parts, world.seller)
    tied = factories.cookie(parts, world.seller)[0]
    with parts.database.read() as session:
        (row,) = session.exec(select(Membership).where(Membership.person_id == world.seller.person))
    change = DecideMemberIn(decision="accept", role=Role.VIEWER)
    with work_for(parts, boss) as work:
        organisations.decide_member(work, row.public_id, change)
    with parts.database.read() as session:
        actor = signin.by_session(session, tied, parts.clock.now()).actor
    assert actor.role is Role.VIEWER
    assert not actor.may_ever(Action.LISTING_EDIT)


# What is typed is no proof of who one is


DESK = "desk@example.com"


@pytest.fixture
def colleagues(parts: Parts, password_hash: str) -> Trade:
    """A market whose seller answered under a name and number of its own, by way of a desk."""
    made = trade(parts)
    called(parts, made.seller, password_hash, name=NAME, phone=PHONE)
    inquiry = asked(made)
    form = AnswerIn(answer="可以支持", contact_email=DESK)
    with work_for(parts, made.seller) as work:
        inquiries.answer(work, inquiry.public_id, form)
    assert answering(parts) == (NAME, PHONE, DESK)
    return made


def called(parts: Parts, who: Actor, password_hash: str, **words: str) -> Actor:
    """Let the person have signed up with these words, whosever they are."""
    with parts.database.write() as session:
        row = session.get_one(Person, who.person)
        row.password_hash = password_hash
        for field, value in words.items():
            setattr(row, field, value)
        session.add(row)
    return who


def answering(parts: Parts) -> tuple[str, str, str]:
    """Return the contact of the only inquiry's answer."""
    with parts.database.read() as session:
        (row,) = session.exec(select(Inquiry))
    return row.owner_contact_name, row.owner_contact_phone, row.owner_contact_email


def reads_and_wipes_nothing(parts: Parts, who: Actor) -> None:
    with read_for(parts, who) as work:
        assert personal.copy(work)["询问里的联系方式"] == []
    delete(parts, who)
    assert answering(parts) == (NAME, PHONE, DESK)


@pytest.mark.parametrize("refused", [False, True])
def test_who_only_asked_to_join_reads_and_wipes_nothing(
    parts: Parts, colleagues: Trade, password_hash: str, *, refused: bool
) -> None:
    who = factories.actor(parts, Role.PERSON)
    called(parts, who, password_hash, name=NAME, phone=PHONE, email=DESK)
    with work_for(parts, who) as work:
        row = organisations.join(work, colleagues.university.public_id, JoinIn())
    if refused:
        with work_for(parts, colleagues.seller) as work:
            organisations.decide_member(work, row.public_id, DecideMemberIn(decision="refuse"))
    reads_and_wipes_nothing(parts, who)
    with parts.database.read() as session:
        (membership,) = session.exec(select(Membership).where(Membership.id == row.id))
        assert membership.state == MembershipState.REFUSED, "never a member who left"


def test_a_member_elsewhere_with_the_same_words_reads_and_wipes_nothing(
    parts: Parts, colleagues: Trade, password_hash: str
) -> None:
    who = factories.actor(parts, Role.EDITOR, colleagues.company)
    called(parts, who, password_hash, name=NAME, phone=PHONE, email=DESK)
    reads_and_wipes_nothing(parts, who)


def test_a_colleague_of_the_same_name_and_number_reads_and_wipes_nothing(
    parts: Parts, colleagues: Trade, password_hash: str
) -> None:
    who = factories.actor(parts, Role.EDITOR, colleagues.university)
    reads_and_wipes_nothing(parts, called(parts, who, password_hash, name=NAME, phone=PHONE))


def test_who_was_a_member_finds_the_own_address_and_takes_it_along(
    parts: Parts, colleagues: Trade, password_hash: str
) -> None:
    who = factories.actor(parts, Role.EDITOR, colleagues.university)
    called(parts, who, password_hash, email=DESK)
    with work_for(parts, who) as work:
        organisations.leave(work)
    who = replace(who, role=Role.PERSON, organisation_id=None, membership_id=None)
    with read_for(parts, who) as work:
        (row,) = personal.copy(work)["询问里的联系方式"]
    assert row["邮箱"] == DESK
    delete(parts, who)
    assert answering(parts) == (GONE, "", "")


def test_what_one_wrote_under_ones_name_goes_wherever_one_belongs(
    parts: Parts, colleagues: Trade
) -> None:
    second_manager(parts, colleagues.seller)
    delete(parts, colleagues.seller)
    assert answering(parts) == (GONE, "", "")


def test_ones_number_under_another_name_goes_from_what_one_wrote(
    parts: Parts, password_hash: str
) -> None:
    made = trade(parts)
    seller = called(parts, made.seller, password_hash, phone=PHONE)
    inquiry = asked(made)
    with work_for(parts, seller) as work:
        form = AnswerIn(answer="可以支持", contact_name="成果处", contact_email=DESK)
        inquiries.answer(work, inquiry.public_id, form)
    assert answering(parts) == ("成果处", PHONE, DESK)
    second_manager(parts, seller)
    delete(parts, seller)
    assert answering(parts) == ("成果处", "", DESK)
