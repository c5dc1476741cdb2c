"""Contracts registered elsewhere: brought in once, counted to the fen, taken out again."""

from datetime import date

import pytest

from market.accounts.policy import OrganisationKind, Role
from market.accounts.work import Actor, Parts
from market.insight import service as insight
from market.insight.service import Chosen
from market.kit.errors import Conflict, Forbidden, NotFound
from market.kit.ids import PublicId
from market.kit.intake import Effect
from market.ledger import service as ledger
from market.ledger.schemas import By, Slice
from market.registry import past
from market.registry.audit import audit
from market.registry.schemas import TakeOutIn
from tests import factories
from tests.support import history, papers
from tests.support.market import read_for, work_for

pytestmark = pytest.mark.usefixtures("both_databases")
WAN = papers.WAN


@pytest.fixture
def officer(parts: Parts) -> Actor:
    return factories.actor(parts, Role.OFFICER)


def total(parts: Parts, part: Slice = Slice()) -> tuple[int, int, int]:  # noqa: B008  frozen
    with parts.database.read() as session:
        assert ledger.verify(session) == []
        assert list(audit(session)) == []
        found = ledger.total(session, part)
    return found.count, found.technical_fen, found.total_fen


def taken_out(parts: Parts, officer: Actor, public_id: str, cause: str) -> past.Past:
    with work_for(parts, officer) as work:
        form = TakeOutIn(cause=cause, reason="金额抄错")
        return past.take_out(work, PublicId(public_id), form)


def test_a_row_counts_by_its_registration_day(parts: Parts, officer: Actor) -> None:
    outcome = history.bring_in(
        parts,
        officer,
        [history.row(total="120万元", technical="1000000.01元", registered_on="2019/3/5")],
    )[0]
    assert outcome.effect is Effect.REFUSED  # the heading says 万元, the cell 元
    assert "表头的单位是万元，这一格写的是元" in history.reasons(outcome)
    outcome = history.bring_in(
        parts,
        officer,
        [
            history.row(
                total="120", technical="100.000001", registered_on="2019/3/5", signed_on="20190101"
            )
        ],
    )[0]
    assert outcome.effect is Effect.CREATED, history.reasons(outcome)
    day = Slice(since=date(2019, 3, 5), until=date(2019, 3, 5), seller_region="500106")
    assert total(parts, day) == (1, 100 * WAN + 1, 120 * WAN)
    assert total(parts) == (1, 100 * WAN + 1, 120 * WAN)


def test_the_same_file_again_changes_nothing(parts: Parts, officer: Actor) -> None:
    rows = [history.row() for _ in range(5)]
    first = history.bring_in(parts, officer, rows)
    again = history.bring_in(parts, officer, rows, run=2)
    assert history.effects(first) == ["created"] * 5
    assert history.effects(again) == ["unchanged"] * 5
    assert [one.subject_id for one in first] == [one.subject_id for one in again]
    assert total(parts)[0] == 5


def test_an_export_comes_in_unchanged(parts: Parts, officer: Actor) -> None:
    rows = history.generated(parts, 60, 7, ["示范研究所", "示范大学"])
    rows[0] |= {
        "contract_type": "专利实施许可",
        "signed_on": "2018-01-05",
        "registered_on": "2018-02-01",
    }
    rows[1] |= {"related": "是", "buyer_contact": "某人", "plan_source": "计划外"}
    history.bring_in(parts, officer, rows)
    with parts.database.read() as session:
        exported = [dict(one) for one in history.TARGET.export(session, officer.organisation)]
    assert len(exported) == 60
    assert exported[0]["contract_type"] == "技术转让"  # no 技术许可 before the civil code
    assert exported[0]["sub_type"] == "专利实施许可"
    assert set(history.effects(history.bring_in(parts, officer, exported, run=2))) == {"unchanged"}
    assert dict(history.TARGET.understood(history.given([exported[1]])[0])) == exported[1]


def test_a_changed_row_of_a_counted_number_is_refused(parts: Parts, officer: Actor) -> None:
    row = history.row()
    history.bring_in(parts, officer, [row])
    outcome = history.bring_in(parts, officer, [row | {"technical": "99"}], run=2)[0]
    assert outcome.effect is Effect.REFUSED
    said = history.reasons(outcome)
    assert "内容与这一行不同（技术交易额(万元)）" in said
    assert "冲回" in said
    assert total(parts) == (1, 100 * WAN, 120 * WAN)


def test_a_correction_is_a_reversal_and_a_new_entry(parts: Parts, officer: Actor) -> None:
    row = history.row()
    outcome = history.bring_in(parts, officer, [row])[0]
    found = taken_out(parts, officer, history.public_id(parts, outcome), "mistake")
    assert found.row.state == "taken_out"
    assert history.effects(
        history.bring_in(parts, officer, [row | {"technical": "99"}], run=2)
    ) == ["created"]
    assert total(parts) == (1, 99 * WAN, 120 * WAN)
    year = Slice(since=date(2023, 1, 1), until=date(2023, 12, 31))
    assert total(parts, year) == (1, 99 * WAN, 120 * WAN)
    with pytest.raises(Conflict):
        taken_out(parts, officer, history.public_id(parts, outcome), "mistake")


def test_a_cancellation_by_the_registry_counts_from_its_day(parts: Parts, officer: Actor) -> None:
    outcome = history.bring_in(parts, officer, [history.row()])[0]
    taken_out(parts, officer, history.public_id(parts, outcome), "cancelled")
    with parts.database.read() as session:
        years = {one.key: one.technical_fen for one in ledger.sums(session, By.YEAR, Slice())}
    assert years == {"2023": 100 * WAN, "2026": -100 * WAN}
    assert total(parts) == (0, 0, 0)


def test_the_number_of_a_cancelled_contract_is_gone_for_good(parts: Parts, officer: Actor) -> None:
    """As that of one registered here; one taken out as a mistake may come again."""
    pair = papers.sides(parts)
    row = history.row()
    outcome = history.bring_in(parts, officer, [row])[0]
    taken_out(parts, officer, history.public_id(parts, outcome), "cancelled")
    other = history.row(number=row["number"], project_name="另一项目")
    again = history.bring_in(parts, officer, [other], run=2)[0]
    assert "这个编号不能再用" in history.reasons(again)
    with pytest.raises(Conflict, match="已经注销或撤销，不能再用"):
        papers.decided(parts, pair, papers.submitted(parts, pair), number=row["number"])
    assert total(parts) == (0, 0, 0)


def test_an_undone_import_distorts_no_year_and_may_come_again(parts: Parts, officer: Actor) -> None:
    kept = history.bring_in(parts, officer, [history.row()])
    rows = [
        history.row(registered_on=f"20{n}-01-05", signed_on="2015-01-01") for n in range(16, 24)
    ]
    outcomes = history.bring_in(parts, officer, rows)
    alone = history.public_id(parts, outcomes[0])
    taken_out(parts, officer, alone, "mistake")
    told = history.undo(parts, officer, outcomes)
    assert list(told) == [outcomes[0].subject_id]
    assert "已另行冲回" in told[outcomes[0].subject_id]
    with parts.database.read() as session:
        sums = ledger.sums(session, By.YEAR, Slice())
        assert {one.key: one.technical_fen for one in sums if one.technical_fen} == {
            "2023": 100 * WAN
        }
        assert {one.count for one in sums} == {0, 1}
    assert set(history.effects(history.bring_in(parts, officer, rows, run=3))) == {"created"}
    assert total(parts)[0] == 9
    assert history.undo(parts, officer, kept) == {}
    assert total(parts)[0] == 8


def test_one_number_counts_once_whichever_way_it_comes(parts: Parts, officer: Actor) -> None:
    pair = papers.sides(parts)
    native = papers.registered(parts, pair)
    outcome = history.bring_in(parts, officer, [history.row(number=native.row.number)])[0]
    assert "已在本站登记，一个编号只计一次" in history.reasons(outcome)
    row = history.row()
    history.bring_in(parts, officer, [row])
    with pytest.raises(Conflict, match="已在历史登记里计入"):
        papers.decided(parts, pair, papers.submitted(parts, pair), number=row["number"])
    assert total(parts)[0] == 2


def test_one_contract_counts_once_under_whatever_number(parts: Parts, officer: Actor) -> None:
    pair = papers.sides(parts)
    contract = papers.signed_contract(parts, pair, signed_on=date(2023, 5, 8))
    row = history.row(
        seller=pair.seller.name, buyer=pair.buyer.name, project_name=contract.project_name
    )
    first = history.bring_in(parts, officer, [row, row | {"number": papers.number()}])
    assert history.effects(first) == ["created", "refused"]
    assert "一份合同只登记一次" in history.reasons(first[1])
    with pytest.raises(Conflict, match="在历史登记里"):
        papers.submitted(parts, pair, contract)
    history.undo(parts, officer, first)
    papers.submitted(parts, pair, contract)
    refused = history.bring_in(parts, officer, [row], run=2)[0]
    assert "已在本站提交登记" in history.reasons(refused)


def test_parties_are_matched_by_code_or_by_one_verified_name(parts: Parts, officer: Actor) -> None:
    seller = factories.organisation(parts)
    buyer = factories.organisation(parts, OrganisationKind.COMPANY)
    for _ in range(2):
        factories.organisation(parts, OrganisationKind.COMPANY, name="同名公司")
    factories.organisation(parts, OrganisationKind.COMPANY, name="未核验公司", verified=False)
    rows = [
        history.row(
            seller="旧名大学",
            seller_credit_code=seller.credit_code,
            seller_region=None,
            buyer=buyer.name,
        ),
        history.row(seller=seller.name, buyer="同名公司"),
        history.row(
            seller=seller.name, buyer="未核验公司", seller_credit_code=factories.credit_code()
        ),
        history.row(seller="别处大学", seller_region=None),
    ]
    outcomes = history.bring_in(parts, officer, rows)
    assert history.effects(outcomes) == ["created", "created", "created", "refused"]
    assert "卖方所在地：必须填写" in history.reasons(outcomes[3])
    with read_for(parts, factories.actor(parts, Role.VIEWER, seller)) as work:
        own, number = past.listed(work)
    assert number == 2  # the third is of another code
    assert {(row.seller_id, row.buyer_id) for row in own} == {
        (seller.id, buyer.id),
        (seller.id, None),
    }


def test_who_may_see_a_past_registration(parts: Parts, officer: Actor) -> None:
    pair = papers.sides(parts)
    row = history.row(
        seller=pair.seller.name,
        buyer=pair.buyer.name,
        buyer_contact="某人",
        buyer_address="某路1号",
    )
    public_id = PublicId(history.public_id(parts, history.bring_in(parts, officer, [row])[0]))
    for actor in (officer, pair.seller_actor, pair.buyer_actor):
        with read_for(parts, actor) as work:
            items = dict(past.get(work, public_id).items)
            assert past.listed(work)[1] == 1
            assert insight.contracts(work, Chosen()).rows[0].origin.id == public_id
        assert items["买方地址"] == "某路1号"
        assert ("买方联系人" in items) is (actor is officer)
    with pytest.raises(Forbidden):
        taken_out(parts, pair.seller_actor, public_id, "mistake")
    for stranger in (
        factories.actor(parts, Role.MANAGER),
        factories.actor(parts, Role.OPERATOR),
        factories.actor(parts, Role.MANAGER, kind=OrganisationKind.AGENCY),
    ):
        with read_for(parts, stranger) as work, pytest.raises(NotFound):
            past.get(work, public_id)


def test_the_bureau_finds_by_number_party_and_year(parts: Parts, officer: Actor) -> None:
    rows = [
        history.row(buyer="石墨烯公司", registered_on="2024-01-02"),
        history.row(),
        history.row(project_name="50%_的项目"),
    ]
    history.bring_in(parts, officer, rows)
    with read_for(parts, officer) as work:
        assert past.years(work) == [2024, 2023]
        for text, year, count in [
            ("石墨烯", None, 1),
            (rows[1]["number"][-6:], None, 1),
            ("%_", None, 1),
            ("", 2023, 2),
            ("石墨烯", 2023, 0),
        ]:
            assert past.listed(work, text, year)[1] == count, text
