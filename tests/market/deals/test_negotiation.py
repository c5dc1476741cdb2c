"""Beside a deal: structured offers, phases, further parties, files and notes, next steps."""

import io
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlmodel import select

from market.accounts.policy import OrganisationKind, Role
from market.accounts.work import Actor, Parts
from market.deals import negotiation, next_steps, repository, service, sharing, views
from market.deals.models import Deal, Terms
from market.deals.schemas import (
    ConfirmIn,
    FileAudienceIn,
    LoseIn,
    NextStepIn,
    NoteIn,
    PartyIn,
    PhaseIn,
    ShareIn,
    TermsIn,
)
from market.deals.vocabulary import Audience, LostReason, Phase
from market.deals.waiting_plans import NEXT
from market.kit.errors import Conflict, Forbidden, Invalid, NotFound
from market.kit.ids import PublicId
from market.kit.notify import Notice
from tests import factories
from tests.support.market import read_for, work_for
from tests.support.trade import WAN, Trade, agreed, mandate, negotiated, terms, trade

PDF = b"%PDF-1.7 "


@pytest.fixture
def world(parts: Parts) -> Trade:
    return trade(parts)


def offer(**more: object) -> TermsIn:
    return TermsIn.model_validate(
        {"seen": 0, "mode": "许可", "amount_fen": 100 * WAN, "text": "", **more}
    )


def stages(world: Trade, deal: Deal) -> list[str]:
    with read_for(world.parts, world.seller) as work:
        return [one.stage for one in repository.stages_of(work.session, [deal.id])]


def put(world: Trade, who: Actor, deal: Deal, audience: Audience, content: bytes = PDF) -> PublicId:
    with work_for(world.parts, who) as work:
        sharing.attach(work, deal.public_id, "a.pdf", io.BytesIO(content), audience, audience.value)
        return PublicId(views.deal_view(work, deal.public_id).beside.files[0].stored.public_id)


def test_an_unspecified_licence_is_a_plain_one(world: Trade) -> None:
    deal = negotiated(world)
    with work_for(world.parts, world.seller) as work:
        service.propose(work, deal.public_id, offer())
        (found,) = views.deal_view(work, deal.public_id).beside.offers
    assert found.terms.mode == "普通许可"
    assert found.facts["许可方式"] == "普通"


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"pay_method": "royalty"}, "royalty_base"),
        ({"royalty_base": "sales", "royalty_rate": 300}, "royalty_rate"),
        (
            {"pay_method": "royalty_entry", "royalty_base": "sales", "royalty_rate": 300},
            "entry_fen",
        ),
        ({"entry_fen": WAN}, "entry_fen"),
        ({"pay_method": "instalments"}, "instalments"),
        (
            {
                "pay_method": "instalments",
                "instalments": [{"amount_fen": 99 * WAN, "due": "签约后30日内"}],
            },
            "instalments",
        ),
        ({"instalments": [{"amount_fen": 100 * WAN, "due": "签约后30日内"}]}, "instalments"),
        (
            {
                "pay_method": "royalty_entry",
                "royalty_base": "profit",
                "royalty_rate": 300,
                "entry_fen": 101 * WAN,
            },
            "entry_fen",
        ),
    ],
)
def test_the_parts_of_an_offer_fit(world: Trade, more: dict[str, object], field: str) -> None:
    deal = negotiated(world)
    with pytest.raises(Invalid) as error, work_for(world.parts, world.seller) as work:
        service.propose(work, deal.public_id, offer(**more))
    assert field in error.value.fields


def test_what_changed_between_versions_is_told(world: Trade) -> None:
    deal = negotiated(world)
    first = offer(
        pay_method="instalments",
        instalments=[
            {"amount_fen": 60 * WAN, "due": "签约后30日内"},
            {"amount_fen": 40 * WAN, "due": "验收后30日内"},
        ],
        term_months=60,
        territory="中国境内",
    )
    second = offer(
        seen=1,
        mode="独占许可",
        pay_method="royalty_entry",
        entry_fen=50 * WAN,
        royalty_base="sales",
        royalty_rate=275,
        royalty_trend="falling",
        term_months=60,
        territory="中国境内",
    )
    with work_for(world.parts, world.seller) as work:
        service.propose(work, deal.public_id, first)
    with work_for(world.parts, world.buyer) as work:
        service.propose(work, deal.public_id, second)
        newest, oldest = views.deal_view(work, deal.public_id).beside.offers
    changed = {one.label: (one.before, one.after) for one in newest.changes}
    assert changed == {
        "合作方式": ("普通许可", "独占许可"),
        "许可方式": ("普通", "独占"),
        "价款": (
            "100万元，分期支付",
            "入门费50万元，另按产品销售额提成2.75%（逐年递减），预计共100万元",
        ),
        "付款方式": ("一次总算分期支付", "提成支付附加预付入门费"),
        "分期": ("签约后30日内付60万元；验收后30日内付40万元", ""),
    }
    assert oldest.changes == ()


def test_an_offer_is_never_changed(parts: Parts, both_databases: str) -> None:
    world = trade(parts)
    deal = agreed(world)
    for statement in ("UPDATE terms SET amount_fen = 1", "DELETE FROM terms"):
        with (
            pytest.raises(Exception, match="append-only"),
            parts.database.writer.begin() as connection,
        ):
            connection.exec_driver_sql(statement)
    with read_for(parts, world.seller) as work:
        assert work.session.exec(select(Terms)).one().amount_fen == 150 * WAN
    assert stages(world, deal) == ["contact", "bargaining", "agreed"]


def test_phases_are_moved_by_leading_parties_and_kept(world: Trade) -> None:
    deal = negotiated(world)
    step = PhaseIn(seen=Phase.CONTACT, phase=Phase.ASSESSMENT)
    mandate(world, world.seller, as_seller=True)
    with pytest.raises(Forbidden), work_for(world.parts, world.broker) as work:
        negotiation.move(work, deal.public_id, step)
    with work_for(world.parts, world.buyer) as work:
        negotiation.move(work, deal.public_id, step)
    with pytest.raises(Conflict, match="阶段已经变了"), work_for(world.parts, world.seller) as work:
        negotiation.move(work, deal.public_id, PhaseIn(seen=Phase.CONTACT, phase=Phase.BARGAINING))
    with work_for(world.parts, world.seller) as work:
        negotiation.move(work, deal.public_id, PhaseIn(seen=Phase.ASSESSMENT, phase=Phase.CONTACT))
        service.lose(work, deal.public_id, LoseIn(reason=LostReason.FUNDS))
    with pytest.raises(Conflict, match="终止"), work_for(world.parts, world.buyer) as work:
        negotiation.move(work, deal.public_id, step)
    assert stages(world, deal) == ["contact", "assessment", "contact", "lost"]


def test_a_further_party_reads_confirms_its_share_and_moves_nothing(world: Trade) -> None:
    deal = negotiated(world)
    institute = factories.organisation(world.parts)
    further = factories.actor(world.parts, Role.MANAGER, institute)
    with pytest.raises(NotFound), read_for(world.parts, further) as work:
        service.find(work, deal.public_id)
    with work_for(world.parts, world.seller) as work:
        form = PartyIn(organisation=institute.name, share=3000)
        negotiation.add_party(work, deal.public_id, form)
        service.propose(work, deal.public_id, terms())
    with read_for(world.parts, further) as work:
        (row,) = views.deals_of_actor(work)
        view = views.deal_view(work, deal.public_id)
        assert row.deal.id == deal.id
        assert {one.value for one in view.may} == {"deal.note", "deal.share"}
        assert service.deal_counts(work)["running"] == 1
    with pytest.raises(Forbidden), work_for(world.parts, further) as work:
        service.confirm(work, deal.public_id, ConfirmIn(version=1))
    with work_for(world.parts, further) as work:
        row = negotiation.confirm_share(work, deal.public_id, ShareIn(version=1))
        assert row.confirmed_version == 1
    with work_for(world.parts, world.buyer) as work:
        service.propose(work, deal.public_id, terms(seen=1, amount=100 * WAN))
    with pytest.raises(Conflict, match="新的条件"), work_for(world.parts, further) as work:
        negotiation.confirm_share(work, deal.public_id, ShareIn(version=1))
    with pytest.raises(NotFound), work_for(world.parts, world.buyer) as work:
        negotiation.remove_party(work, deal.public_id, institute.public_id)
    with work_for(world.parts, world.seller) as work:
        negotiation.remove_party(work, deal.public_id, institute.public_id)
    with pytest.raises(NotFound), read_for(world.parts, further) as work:
        service.find(work, deal.public_id)


def test_files_and_notes_are_read_by_whom_they_were_shared_with(world: Trade) -> None:
    """Every role and every audience; what is not seen is not counted and answers as if it were
    not there.
    """
    deal = negotiated(world)
    mandate(world, world.seller, as_seller=True)
    other = replace(world, agency=factories.organisation(world.parts, OrganisationKind.AGENCY))
    theirs = factories.actor(world.parts, Role.MANAGER, other.agency)
    mandate(replace(other, broker=theirs), world.buyer, as_buyer=True)
    institute = factories.organisation(world.parts)
    further = factories.actor(world.parts, Role.MANAGER, institute)
    with work_for(world.parts, world.seller) as work:
        negotiation.add_party(work, deal.public_id, PartyIn(organisation=institute.name))
    ids: dict[Audience, PublicId] = {}
    for n, audience in enumerate(Audience):
        ids[audience] = put(world, world.seller, deal, audience, PDF + bytes([n]))
        with work_for(world.parts, world.seller) as work:
            note = NoteIn(audience=audience, text=f"只给{audience.value}")
            service.note(work, deal.public_id, note)
    everything = set(Audience)
    seen = {
        "seller": (world.seller, everything),
        "its broker": (world.broker, {Audience.BROKERS, Audience.ALL}),
        "buyer": (world.buyer, {Audience.PARTIES, Audience.ALL}),
        "its broker too": (theirs, {Audience.ALL}),
        "further party": (further, {Audience.PARTIES, Audience.ALL}),
    }
    for name, (who, allowed) in seen.items():
        with read_for(world.parts, who) as work:
            view = views.deal_view(work, deal.public_id)
            notes = {one.text for one in view.timeline if one.audience is not None}
            assert {one.file.audience for one in view.beside.files} == allowed, name
            assert notes == {f"只给{one.value}" for one in allowed}, name
        for audience, file_id in ids.items():
            form = FileAudienceIn(seen=audience, audience=Audience.ALL)
            if audience in allowed:
                with read_for(world.parts, who) as work:
                    sharing.opened(work, deal.public_id, file_id)[1].close()
                continue
            with pytest.raises(NotFound), read_for(world.parts, who) as work:
                sharing.opened(work, deal.public_id, file_id)
            with pytest.raises(NotFound), work_for(world.parts, who) as work:
                sharing.share(work, deal.public_id, file_id, form)
            with pytest.raises(NotFound), work_for(world.parts, who) as work:
                sharing.remove(work, deal.public_id, file_id)


def test_the_same_file_of_another_changes_no_answer(world: Trade) -> None:
    deal = negotiated(world)
    put(world, world.seller, deal, Audience.OWN)
    put(world, world.buyer, deal, Audience.OWN)
    with pytest.raises(Invalid) as error:
        put(world, world.buyer, deal, Audience.OWN)
    assert "本单位已放" in error.value.fields["file"]


def test_a_file_is_shared_further_and_never_taken_back(world: Trade) -> None:
    deal = negotiated(world)
    file_id = put(world, world.seller, deal, Audience.OWN)
    with work_for(world.parts, world.seller) as work:
        form = FileAudienceIn(seen=Audience.OWN, audience=Audience.PARTIES)
        sharing.share(work, deal.public_id, file_id, form)
    back = FileAudienceIn(seen=Audience.PARTIES, audience=Audience.OWN)
    with pytest.raises(Invalid), work_for(world.parts, world.seller) as work:
        sharing.share(work, deal.public_id, file_id, back)
    with pytest.raises(Conflict), work_for(world.parts, world.seller) as work:
        sharing.remove(work, deal.public_id, file_id)
    with pytest.raises(Forbidden), work_for(world.parts, world.buyer) as work:
        sharing.remove(work, deal.public_id, file_id)
    mandate(world, world.seller, as_seller=True)
    with pytest.raises(Invalid), work_for(world.parts, world.broker) as work:
        sharing.attach(work, deal.public_id, "b.pdf", io.BytesIO(PDF), Audience.PARTIES, "")


def test_a_next_step_waits_for_its_person_and_is_told_to_nobody_else(world: Trade) -> None:
    deal = negotiated(world)
    today = date(2026, 11, 20)

    def waiting() -> list[tuple[str, int | None, date | None]]:
        with read_for(world.parts, world.seller) as work:
            rows = work.session.exec(
                select(Notice).where(Notice.kind == NEXT, Notice.settled_at.is_(None))  # type: ignore[union-attr]
            )
            return [(row.title, row.person_id, row.due_on) for row in rows]

    with work_for(world.parts, world.seller) as work:
        today = work.today
        step = NextStepIn(text="带样件到校测试", due_on=today + timedelta(days=3))
        next_steps.plan(work, deal.public_id, step)
    with work_for(world.parts, world.buyer) as work:
        step = NextStepIn(text="问财务要预算", due_on=today + timedelta(days=1))
        next_steps.plan(work, deal.public_id, step)
    titles = {title.partition("：")[0] for title, _, _ in waiting()}
    assert titles == {"带样件到校测试", "问财务要预算"}
    with read_for(world.parts, world.buyer) as work:
        plan = views.deal_view(work, deal.public_id).beside.plan
        assert plan is not None
        assert plan.text == "问财务要预算"
    late = NextStepIn(text="昨天的事", due_on=today - timedelta(days=1))
    with pytest.raises(Invalid), work_for(world.parts, world.seller) as work:
        next_steps.plan(work, deal.public_id, late)
    with work_for(world.parts, world.seller) as work:
        next_steps.finish(work, deal.public_id)
    assert [person for _, person, _ in waiting()] == [world.buyer.person_id]
    with work_for(world.parts, world.seller) as work:
        service.lose(work, deal.public_id, LoseIn(reason=LostReason.FUNDS))
    assert waiting() == []
