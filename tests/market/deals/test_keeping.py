"""What is kept of a contract: patents, payments agreed and received, the filing of a licence."""

from datetime import date
from io import BytesIO

import pytest
from pydantic import ValidationError

from market.accounts.work import Parts
from market.deals import contracts, filing, keeping, views
from market.deals import repository_contracts as repository
from market.deals import service as deals
from market.deals.models import Deal
from market.deals.schemas import ConfirmIn, SignIn
from market.deals.schemas import InstalmentIn as Agreed
from market.deals.schemas_keeping import (
    FilingIn,
    InstalmentIn,
    InstalmentsIn,
    PatentIn,
    PatentsIn,
    ReceiptIn,
)
from market.deals.vocabulary import ContractState, ContractType, PayMethod
from market.kit.errors import Conflict, Forbidden, Invalid, NotFound
from market.kit.notify import differences
from market.rules import service as rules
from market.rules import versions
from tests import factories
from tests.support import papers
from tests.support.market import read_for, work_for
from tests.support.trade import Trade, agreed, contract_form, negotiated, terms, trade

WAN = papers.WAN
pytestmark = pytest.mark.usefixtures("both_databases")


@pytest.fixture
def pair(parts: Parts) -> papers.Sides:
    return papers.sides(parts)


def deal_of(parts: Parts, contract) -> str:
    with parts.database.read() as session:
        return session.get_one(Deal, contract.deal_id).public_id


def test_instalments_come_to_the_amount_and_receipts_fill_them_in_order(
    parts: Parts, pair: papers.Sides
) -> None:
    several = {"state": ContractState.DRAFTED, "pay_method": PayMethod.INSTALMENTS}
    contract = papers.signed_contract(parts, pair, **several)
    deal = deal_of(parts, contract)
    short = InstalmentsIn(items=[InstalmentIn(condition="签约后", amount_fen=119 * WAN)])
    with work_for(parts, pair.seller_actor) as work, pytest.raises(Invalid) as refused:
        keeping.put_instalments(work, deal, short)
    assert refused.value.fields == {"items": "各期合计应等于成交额120万元，现在是119万元"}
    two = InstalmentsIn(
        items=[
            InstalmentIn(due_on=date(2026, 12, 15), amount_fen=70 * WAN),
            InstalmentIn(condition="验收后", amount_fen=50 * WAN),
        ]
    )
    with work_for(parts, pair.seller_actor) as work:
        keeping.put_instalments(work, deal, two)
    papers.sign(parts, contract, date(2026, 9, 1))
    with work_for(parts, pair.seller_actor) as work:
        for amount in (60, 30):
            kept = keeping.receive(
                work, deal, ReceiptIn(received_on=date(2026, 11, 1), amount_fen=amount * WAN)
            )
        assert [kept.received_of(place) for place in (1, 2)] == [70 * WAN, 20 * WAN]
        kept = keeping.void(work, deal, kept.receipts[0].public_id)
    assert [kept.received_of(place) for place in (1, 2)] == [30 * WAN, 0]
    assert (kept.received_fen, len(kept.receipts)) == (30 * WAN, 2)
    with work_for(parts, pair.seller_actor) as work, pytest.raises(Conflict):
        keeping.void(work, deal, kept.receipts[0].public_id)


def test_a_receipt_has_its_slip_for_both_sides_and_nobody_else(
    parts: Parts, pair: papers.Sides
) -> None:
    deal = deal_of(parts, papers.signed_contract(parts, pair, signed_on=date(2026, 9, 1)))
    form = ReceiptIn(received_on=date(2026, 11, 1), amount_fen=30 * WAN)
    with work_for(parts, pair.seller_actor) as work:
        slip = ("回单.pdf", BytesIO(b"%PDF-1.7 first"))
        first = keeping.receive(work, deal, form, slip).receipts[-1].public_id
        second = keeping.receive(work, deal, form).receipts[-1].public_id
    with read_for(parts, pair.buyer_actor) as work:
        assert keeping.slip(work, deal, first).name == "回单.pdf"
        with pytest.raises(NotFound):
            keeping.slip(work, deal, second)
    with read_for(parts, factories.actor(parts)) as work, pytest.raises(NotFound):
        keeping.slip(work, deal, first)
    other = ("回单2.pdf", BytesIO(b"%PDF-1.7 second"))
    with work_for(parts, pair.seller_actor) as work:
        keeping.attach_slip(work, deal, second, other)
    for receipt in (first, second):
        with (
            work_for(parts, pair.seller_actor) as work,
            pytest.raises(Conflict, match="已经有回单"),
        ):
            keeping.attach_slip(work, deal, receipt, ("回单3.pdf", BytesIO(b"%PDF-1.7 third")))
    with work_for(parts, pair.buyer_actor) as work, pytest.raises(Forbidden):
        keeping.attach_slip(work, deal, first, other)


PATENTS = PatentsIn(
    items=[
        PatentIn(
            name="一种检测方法",
            owner="示范大学一",
            filed_on="2023-05-10",
            application_number="202310000000.0",
        )
    ]
)


def payments(*amounts: int) -> InstalmentsIn:
    return InstalmentsIn(
        items=[
            InstalmentIn(condition=f"第{n}次", amount_fen=one * WAN)
            for n, one in enumerate(amounts)
        ]
    )


def test_what_was_signed_is_not_rewritten_by_one_side(parts: Parts, pair: papers.Sides) -> None:
    deal = deal_of(parts, papers.signed_contract(parts, pair))
    for change in (
        lambda work: keeping.put_instalments(work, deal, payments(120)),
        lambda work: keeping.put_patents(work, deal, PATENTS),
    ):
        with pytest.raises(Conflict, match="已经签订"), work_for(parts, pair.seller_actor) as work:
            change(work)


@pytest.fixture
def world(parts: Parts) -> Trade:
    return trade(parts, state_founded=False)


def draft(world: Trade, deal: Deal, **changes: object) -> keeping.Kept:
    """Draft the deal's contract, over the draft that stands; return what is kept of the new one."""
    with work_for(world.parts, world.seller) as work:
        standing = repository.live_contracts(work.session, [deal.id]).get(deal.id)
        seen = standing.public_id if standing else None
        form = contract_form().model_copy(update={**changes, "replaces": seen})
        contracts.draft(work, deal.public_id, form)
    with read_for(world.parts, world.seller) as work:
        return keeping.seen(work, deal.public_id)[1]


def test_who_confirmed_a_draft_confirms_what_changed_beside_it(world: Trade) -> None:
    deal = agreed(world)
    draft(world, deal)
    with work_for(world.parts, world.buyer) as work:
        row = repository.live_contracts(work.session, [deal.id])[deal.id]
        contracts.sign(work, deal.public_id, SignIn(contract=row.public_id, differences_known=True))
    with work_for(world.parts, world.seller) as work:
        keeping.put_instalments(work, deal.public_id, payments(80, 106))
        row = contracts.sign(
            work, deal.public_id, SignIn(contract=row.public_id, differences_known=True)
        )
        assert row.state == ContractState.DRAFTED


def test_a_redraft_keeps_what_was_typed_and_drops_payments_that_no_longer_fit(
    world: Trade,
) -> None:
    deal = agreed(world)
    draft(world, deal)
    with work_for(world.parts, world.seller) as work:
        keeping.put_patents(work, deal.public_id, PATENTS)
        keeping.put_instalments(work, deal.public_id, payments(80, 106))
    kept = draft(world, deal, project_name="改过的名称")
    assert [one.name for one in kept.patents] == ["一种检测方法"]
    assert [one.amount_fen for one in kept.instalments] == [80 * WAN, 106 * WAN]
    lines = contract_form().lines[:1]
    kept = draft(world, deal, lines=lines, total_fen=150 * WAN)
    assert (len(kept.patents), kept.instalments) == (1, [])
    with read_for(world.parts, world.buyer) as work:
        assert "要重填" in views.deal_view(work, deal.public_id).timeline[0].text


def test_agreed_instalments_are_the_schedule_of_the_first_draft(world: Trade) -> None:
    """Nobody types a second time what both sides agreed to."""
    deal = negotiated(world)
    parts = [
        Agreed(amount_fen=one * WAN, due=due) for one, due in ((80, "签约后"), (106, "验收后"))
    ]
    offer = terms(amount=186 * WAN).model_copy(
        update={"pay_method": PayMethod.INSTALMENTS, "instalments": parts}
    )
    with work_for(world.parts, world.seller) as work:
        deals.propose(work, deal.public_id, offer)
    with work_for(world.parts, world.buyer) as work:
        deals.confirm(work, deal.public_id, ConfirmIn(version=1))
    kept = draft(world, deal, pay_method=PayMethod.INSTALMENTS)
    found = [(one.condition, one.amount_fen) for one in kept.instalments]
    assert found == [("签约后", 80 * WAN), ("验收后", 106 * WAN)]


def test_only_the_seller_keeps_and_only_days_that_were(parts: Parts, pair: papers.Sides) -> None:
    deal = deal_of(parts, papers.signed_contract(parts, pair, signed_on=date(2026, 9, 1)))
    form = ReceiptIn(received_on=date(2026, 10, 1), amount_fen=WAN)
    with work_for(parts, pair.buyer_actor) as work, pytest.raises(Forbidden):
        keeping.receive(work, deal, form)
    for day in (date(2026, 8, 31), date(2026, 11, 3)):
        with work_for(parts, pair.seller_actor) as work, pytest.raises(Invalid):
            keeping.receive(work, deal, form.model_copy(update={"received_on": day}))


@pytest.mark.parametrize(
    ("signed", "due"),
    [
        (date(2026, 9, 1), date(2026, 12, 1)),
        (date(2026, 11, 30), date(2027, 3, 1)),  # 28 February 2027 is a Sunday
        (date(2026, 7, 2), date(2026, 10, 8)),  # 2 October rests
    ],
)
def test_a_patent_licence_is_filed_within_three_months(
    parts: Parts, pair: papers.Sides, signed: date, due: date
) -> None:
    contract = papers.signed_contract(parts, pair, kind=ContractType.LIC, signed_on=signed)
    contract.sub_type = filing.LICENCE
    with parts.database.read() as session:
        book, calendar = versions.book(session), rules.calendar(session)
    assert filing.due_on(contract, book, calendar) == due
    contract.sub_type = "技术秘密使用许可"
    assert filing.due_on(contract, book, calendar) is None


def test_a_filing_waits_until_it_is_written_down(parts: Parts, pair: papers.Sides) -> None:
    contract = papers.signed_contract(
        parts, pair, kind=ContractType.LIC, signed_on=date(2026, 9, 1), sub_type=filing.LICENCE
    )
    deal = deal_of(parts, contract)

    def waits() -> list[str]:
        with parts.database.read() as session:
            told = filing.tasks(session, rules.calendar(session))
            return [one.what for one in differences(session, [filing.FILING], told)]

    assert waits() == ["应有待办“contract.filing”，现在没有"]
    with work_for(parts, pair.seller_actor) as work:
        keeping.filed(work, deal, FilingIn(filed_on=date(2026, 10, 20), number="X1"))
    assert waits() == []
    with work_for(parts, pair.seller_actor) as work, pytest.raises(Conflict):
        keeping.filed(work, deal, FilingIn(filed_on=date(2026, 10, 20)))
    with read_for(parts, pair.buyer_actor) as work:
        assert keeping.seen(work, deal)[1].filing.number == "X1"


@pytest.mark.parametrize("number", ["CN1", "20230", "ZL2023", "一二三", "PCT/CN"])
def test_an_application_number_has_the_form_of_one(number: str) -> None:
    told = {"name": "检测", "owner": "示范大学一", "filed_on": "2023-05-10"}
    with pytest.raises(ValidationError, match=r"如202310000000\.0"):
        PatentIn.model_validate({**told, "application_number": number})


@pytest.mark.parametrize(
    "number",
    ["202310000000.0", "CN202310000000.X", "ZL 98123456.7", "PCT/CN2023/000001", "US17/123456"],
)
def test_every_office_writes_its_numbers_its_own_way(number: str) -> None:
    told = {"name": "检测", "owner": "示范大学一", "filed_on": "2023-05-10"}
    PatentIn.model_validate({**told, "application_number": number})


def test_more_than_the_contract_says_comes_in_with_a_reason_only(
    parts: Parts, pair: papers.Sides
) -> None:
    deal = deal_of(parts, papers.signed_contract(parts, pair))
    more = ReceiptIn(received_on=date(2026, 11, 1), amount_fen=121 * WAN)
    with work_for(parts, pair.seller_actor) as work, pytest.raises(Invalid) as refused:
        keeping.receive(work, deal, more)
    assert "应不超过合同成交额120万元，现在共121万元" in refused.value.fields["amount_fen"]
    with work_for(parts, pair.seller_actor) as work:
        told = more.model_copy(update={"note": "含补充协议增加的培训费"})
        assert keeping.receive(work, deal, told).received_fen == 121 * WAN


def test_a_price_paid_at_once_has_one_instalment(parts: Parts, pair: papers.Sides) -> None:
    lump = {"state": ContractState.DRAFTED, "pay_method": PayMethod.LUMP}
    deal = deal_of(parts, papers.signed_contract(parts, pair, **lump))
    with work_for(parts, pair.seller_actor) as work, pytest.raises(Invalid) as refused:
        keeping.put_instalments(work, deal, payments(70, 50))
    assert "应只有一期，现在是2期" in refused.value.fields["items"]
    with work_for(parts, pair.seller_actor) as work:
        keeping.put_instalments(work, deal, payments(120))
