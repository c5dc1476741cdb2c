"""What is kept of a contract: patents, payments agreed and received, the filing of a licence."""

from datetime import date

import pytest

from market.accounts.work import Parts
from market.deals import filing, keeping
from market.deals.models import Deal
from market.deals.schemas_keeping import FilingIn, InstalmentIn, InstalmentsIn, ReceiptIn
from market.deals.vocabulary import ContractType
from market.kit.errors import Conflict, Forbidden, Invalid
from market.kit.notify import differences
from market.rules import service as rules
from market.rules import versions
from tests.support import papers
from tests.support.market import read_for, work_for

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
    deal = deal_of(parts, papers.signed_contract(parts, pair, signed_on=date(2026, 9, 1)))
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
