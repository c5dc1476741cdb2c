"""The national form: filled from what is known, completed where it lacks, printed and as data."""

import io
import json
from collections.abc import Callable, Iterator

import pytest
from python_calamine import CalamineWorkbook

from market.accounts.models import Organisation
from market.accounts.work import Parts, Work
from market.catalog.vocabulary import Mode
from market.deals import contracts, keeping, views
from market.deals import service as deals
from market.deals.models import Contract
from market.deals.models_negotiation import DealParty
from market.deals.schemas import ConfirmIn, SignIn
from market.deals.schemas_keeping import InstalmentIn, InstalmentsIn, PatentIn, PatentsIn
from market.deals.vocabulary import ContractState, PayMethod, RoyaltyBase, Side
from market.kit.errors import Invalid, NotFound
from market.kit.ids import PublicId
from market.registry import form, items, service
from market.registry.items import Items
from market.registry.schemas import CancelIn, ChangeIn, RevokeIn, SubmitIn, UndoIn
from tests import factories
from tests.support import papers, printed
from tests.support.market import read_for, work_for
from tests.support.trade import drafted, negotiated, terms, trade

WAN = papers.WAN


@pytest.fixture
def pair(parts: Parts) -> Iterator[papers.Sides]:
    return papers.sides(parts)


def test_what_is_known_is_filled_and_what_lacks_is_told(parts: Parts, pair: papers.Sides) -> None:
    contract = papers.signed_contract(parts, pair)
    with work_for(parts, pair.seller_actor) as work:
        filed = service.prepare(work, SubmitIn(contract=contract.public_id))
        told = items.read(filed.row.items)
        assert told.buyer_nature == "100"
        assert set(service.lacking(filed)) == {"related", "plan", "ipr", "file"}
        with pytest.raises(Invalid) as refused:
            service.hand_in(work, filed.row.public_id)
    assert set(refused.value.fields) == {"related", "plan", "ipr", "file"}


def test_a_contract_in_a_foreign_language_needs_its_chinese_copy(
    parts: Parts, pair: papers.Sides
) -> None:
    contract = papers.signed_contract(parts, pair)
    told = Items(related=False, plan="none", ipr="secret", foreign_language=True)
    with work_for(parts, pair.seller_actor) as work:
        asked = SubmitIn(contract=contract.public_id)
        with pytest.raises(Invalid) as refused:
            service.submit(work, asked, papers.scan("外文"), told)
    assert set(refused.value.fields) == {"same_text"}
    promised = told.model_copy(update={"same_text": True})
    with work_for(parts, pair.seller_actor) as work:
        filed = service.submit(work, asked, papers.scan("外文"), promised)
        rows = dict(form.rows(filed.contract, items.read(filed.row.items)))
    assert rows["外文合同"] == "是，附中文译本，卖方承诺与原文一致"


def test_a_buyer_is_typed_once(parts: Parts, pair: papers.Sides) -> None:
    first = papers.submitted(parts, pair)
    with work_for(parts, pair.seller_actor) as work:
        service.withdraw(work, first.row.public_id)
        told = Items(
            related=False,
            plan="none",
            ipr="secret",
            buyer_scale="small",
            buyer_representative="示范王甲",
        )
        form_ = SubmitIn(contract=first.contract.public_id)
        service.submit(work, form_, papers.scan("一"), told)
    other = papers.signed_contract(parts, pair)
    with work_for(parts, pair.seller_actor) as work:
        known = items.known(work, other)
    assert (known.buyer_scale, known.buyer_representative) == ("small", "示范王甲")
    assert known.related is None


def test_form_and_summary_are_printed_with_their_own_chinese_font(
    parts: Parts, pair: papers.Sides
) -> None:
    contract = papers.signed_contract(
        parts,
        pair,
        project="轨道扣件螺栓松动声学检测",
        state=ContractState.DRAFTED,
        pay_method=PayMethod.INSTALMENTS,
    )
    with work_for(parts, pair.seller_actor) as work:
        deal = deals.deal_of(work, contract.deal_id)
        patents = PatentsIn(
            items=[
                PatentIn(
                    name="一种声学检测方法",
                    owner="示范大学一",
                    filed_on="2023-05-10",
                    application_number="202310000000.0",
                )
            ]
        )
        keeping.put_patents(work, deal.public_id, patents)
        payments = InstalmentsIn(
            items=[
                InstalmentIn(due_on="2026-12-15", amount_fen=70 * WAN),
                InstalmentIn(condition="验收合格后30日内", amount_fen=50 * WAN),
            ]
        )
        keeping.put_instalments(work, deal.public_id, payments)
    papers.sign(parts, contract)
    filed = papers.submitted(parts, pair, contract)
    with read_for(parts, pair.officer) as work:
        made = form.printed(work, filed.row.public_id)
        summary = form.summary(work, filed.row.public_id)
    told = printed.text(made)
    for words in (
        "技术合同认定登记表",
        "轨道扣件螺栓松动声学检测",
        "计划外",
        "内资企业",
        "2000/2001",
    ):
        assert words in told.replace(" ", "").replace("\n", ""), words
    told = printed.text(summary).replace(" ", "").replace("\n", "")
    for words in ("技术合同摘要", "一种声学检测方法", "验收合格后30日内", "第2期", "70"):
        assert words in told, words
    for one in (made, summary):
        assert all(name.startswith("NotoSansSC") for name in printed.fonts(one))
        assert printed.fonts(one)


def test_a_licence_is_printed_with_its_kind_royalty_and_entry_fee(parts: Parts) -> None:
    """What both sides agreed to is on the contract and its papers without being typed again."""
    world = trade(parts, state_founded=False)
    deal = negotiated(world)
    offer = terms(amount=186 * WAN, mode=Mode.SOLE).model_copy(
        update={
            "pay_method": PayMethod.ROYALTY_ENTRY,
            "entry_fen": 50 * WAN,
            "royalty_base": RoyaltyBase.SALES,
            "royalty_rate": 300,
            "territory": "重庆市",
        }
    )
    with work_for(parts, world.seller) as work:
        deals.propose(work, deal.public_id, offer)
    with work_for(parts, world.buyer) as work:
        deals.confirm(work, deal.public_id, ConfirmIn(version=1))
    contract = drafted(world, deal)
    with read_for(parts, world.buyer) as work:
        points = dict(views.deal_view(work, deal.public_id).points)
    assert points == {
        "许可方式": "独占",
        "入门费": "50万元",
        "提成": "按产品销售额提成3%（固定比例）",
        "地域": "重庆市",
    }
    for actor in (world.seller, world.buyer):
        with work_for(parts, actor) as work:
            contracts.sign(
                work, deal.public_id, SignIn(contract=contract.public_id, differences_known=True)
            )
    with work_for(parts, world.seller) as work:
        told = SubmitIn(contract=contract.public_id)
        filed = service.submit(work, told, papers.scan(contract.public_id), papers.TOLD)
    with read_for(parts, world.seller) as work:
        for made in (
            form.printed(work, filed.row.public_id),
            form.summary(work, filed.row.public_id),
        ):
            said = printed.text(made).replace(" ", "").replace("\n", "")
            for words in points.values():
                assert words in said, words


def test_the_form_as_data(parts: Parts, pair: papers.Sides) -> None:
    done = papers.registered(parts, pair, project="=焊缝检测")
    with read_for(parts, pair.buyer_actor) as work:
        sheet = form.sheet(work, done.row.public_id)
        told = form.data(work, done.row.public_id)
    rows = CalamineWorkbook.from_filelike(io.BytesIO(sheet)).get_sheet_by_index(0).to_python()
    cells = {row[0]: row[1] for row in rows}
    assert cells["项目名称"] == "=焊缝检测"
    assert cells["技术交易额（万元）"] == "100"
    assert cells["认定技术交易额（万元）"] == "100"
    assert cells["登记编号"] == done.row.number
    data = json.loads(json.dumps(told))
    assert {
        "technicalamount_fen": 100 * WAN,
        "isrelated": False,
        "projectplantype": "计划外",
        "techarea": 3,
    }.items() <= data.items()
    assert data["buyer_items"]["nature"] == "100"


def joined(
    parts: Parts, pair: papers.Sides, contract: Contract, side: Side, share: int | None
) -> Organisation:
    """Return an organisation that is a further party of a contract's deal."""
    joint = factories.organisation(parts)
    with parts.database.write() as session:
        session.add(
            DealParty(
                deal_id=contract.deal_id,
                organisation_id=joint.id,
                side=side,
                share=share,
                added_by=pair.seller_actor.person,
                created_at=parts.clock.now(),
            )
        )
    return joint


def texts(parts: Parts, pair: papers.Sides, filed: service.Filed) -> list[str]:
    """Return the two printed papers and the sheet as text without spaces."""
    with read_for(parts, pair.officer) as work:
        made = form.printed(work, filed.row.public_id), form.summary(work, filed.row.public_id)
        sheet = form.sheet(work, filed.row.public_id)
    cells = CalamineWorkbook.from_filelike(io.BytesIO(sheet)).get_sheet_by_index(0).to_python()
    told = "".join(str(cell) for row in cells for cell in row)
    return ["".join(one.split()) for one in (*(printed.text(one) for one in made), told)]


def test_further_parties_stand_on_every_paper_with_their_shares(
    parts: Parts, pair: papers.Sides
) -> None:
    contract = papers.signed_contract(parts, pair)
    seller = joined(parts, pair, contract, Side.SELLER, 3_000)
    buyer = joined(parts, pair, contract, Side.BUYER, None)
    filed = papers.submitted(parts, pair, contract)
    for told in texts(parts, pair, filed):
        assert f"共同卖方{seller.name}，份额30%" in told
        assert f"共同买方{buyer.name}" in told
    with read_for(parts, pair.officer) as work:
        data = form.data(work, filed.row.public_id)
    assert [(one["side"], one["name"], one["share"]) for one in data["jointparties"]] == [
        ("seller", seller.name, 3_000),
        ("buyer", buyer.name, None),
    ]
    assert data["status"] is None


@pytest.mark.parametrize(
    ("act", "word", "why", "now"),
    [
        (
            lambda work, key: service.cancel(work, key, CancelIn(cause="rescinded", reason="协议")),
            "已注销",
            "合同解除：协议",
            0,
        ),
        (
            lambda work, key: service.revoke(work, key, RevokeIn(cause="void", reason="判决")),
            "已撤销",
            "合同无效：判决",
            0,
        ),
        (lambda work, key: service.undo(work, key, UndoIn(reason="抄错")), "已撤回", "抄错", 0),
        (
            lambda work, key: service.change(
                work, key, ChangeIn(total_fen=90 * WAN, technical_fen=80 * WAN, reason="补充协议")
            ),
            "有变更",
            "补充协议",
            80 * WAN,
        ),
    ],
)
def test_what_is_no_more_or_was_changed_never_prints_like_what_stands(
    parts: Parts,
    pair: papers.Sides,
    act: Callable[[Work, PublicId], service.Filed],
    word: str,
    why: str,
    now: int,
) -> None:
    filed = papers.registered(parts, pair)
    assert all("登记状态" not in told for told in texts(parts, pair, filed))
    with work_for(parts, pair.officer) as work:
        act(work, filed.row.public_id)
        today = work.today
    for told in texts(parts, pair, filed):
        at = told.index("登记状态")
        assert at < told.index("项目名称")
        assert f"登记状态{word}" in told
        assert f"自何日起{today}" in told
        assert f"原因{why}" in told
        assert f"现行技术交易额（万元）{now // WAN}" in told
    with read_for(parts, pair.officer) as work:
        status = form.data(work, filed.row.public_id)["status"]
    assert status["state"].startswith(word)
    assert (status["since"], status["technicalamount_fen"]) == (today.isoformat(), now)


def test_no_broker_and_no_stranger_reads_the_file(parts: Parts, pair: papers.Sides) -> None:
    filed = papers.submitted(parts, pair)
    with read_for(parts, factories.actor(parts)) as work, pytest.raises(NotFound):
        form.of(work, filed.row.public_id)
    with read_for(parts, pair.buyer_actor) as work:
        stored, stream = service.open_file(work, filed.row.public_id)
        assert (stored.name, stream.read()[:5]) == ("合同.pdf", b"%PDF-")
        stream.close()
