"""What was changed by hand in a registration, its contract or the ledger is found, and told where."""

import pytest

from market.accounts.work import Parts
from market.jobs import AUDITS
from market.kit.across import Finding
from market.kit.triggers import trigger_name
from market.ledger.audit import CHAIN
from market.registry import past, service
from market.registry.audit import RECORD
from market.registry.schemas import TakeOutIn, UndoIn
from market.registry.vocabulary import REGISTRY
from tests.support import history, papers
from tests.support.market import work_for

pytestmark = pytest.mark.usefixtures("both_databases")
NATIVE, UNDONE, PAST, CANCELLED, MISTAKEN, TAKEN_BACK = (papers.number(n) for n in range(91, 97))


@pytest.fixture
def books(parts: Parts) -> None:
    """Contracts that count and contracts taken out, in every way there is."""
    pair = papers.sides(parts)
    waiting = papers.submitted(parts, pair)
    papers.decided(parts, pair, papers.submitted(parts, pair), number=NATIVE)
    wrong = papers.decided(parts, pair, papers.submitted(parts, pair), number=UNDONE)
    with work_for(parts, pair.officer) as work:
        service.undo(work, wrong.row.public_id, UndoIn(reason="抄错编号"))
    rows = [
        history.row(number=one, seller=pair.seller.name, seller_region=None)
        for one in (PAST, CANCELLED, MISTAKEN)
    ]
    outcomes = history.bring_in(parts, pair.officer, rows, run=8)
    for outcome, cause in zip(outcomes[1:], ("cancelled", "mistake"), strict=True):
        with work_for(parts, pair.officer) as work:
            form = TakeOutIn.model_validate({"cause": cause, "reason": "登记处已注销"})
            past.take_out(work, history.public_id(parts, outcome), form)
    gone = history.bring_in(parts, pair.officer, [history.row(number=TAKEN_BACK)], run=1)
    assert history.undo(parts, pair.officer, gone) == {}
    assert waiting.row.number is None


def findings(parts: Parts, statement: str | None = None) -> list[Finding]:
    """Return what is found after one row was changed by hand; then the change is taken back."""
    with parts.database.write() as session:
        if statement is not None:
            connection = session.connection()
            on = "" if parts.database.sqlite else " ON ledger_transaction"
            guard = trigger_name("ledger_transaction", "UPDATE")
            connection.exec_driver_sql(f"DROP TRIGGER {guard}{on}")
            assert connection.exec_driver_sql(f"UPDATE {statement}").rowcount == 1, statement
        found = [one for each in AUDITS.values() for one in each(session)]
        session.rollback()
    if statement is not None and not statement.startswith("contract "):
        # What is changed of all that is linked, the chains find, too; this is about the rest.
        assert {one.where for one in found} & {CHAIN, RECORD}, statement
    return [one for one in found if one.where not in (CHAIN, RECORD)]


@pytest.mark.usefixtures("books")
def test_the_ledger_changed(parts: Parts) -> None:
    assert findings(parts) == []
    changes = {
        "contract_type = 'CON'": "合同类别",
        "sub_type = '别的'": "合同小类",
        "effective_on = '2020-02-02'": "登记日期",
        "field = 11": "技术领域",
        "project_name = '别的项目'": "项目名称",
        "seller_name = '别的卖方'": "卖方名称",
        "buyer_name = '别的买方'": "买方名称",
        "seller_id = seller_id + 7": "卖方机构号",
        "buyer_id = buyer_id + 7": "买方机构号",
        "seller_region = '110101'": "卖方地区",
        "buyer_region = '110101'": "买方地区",
        "total_fen = total_fen + 1": "成交额",
        "technical_fen = technical_fen - 1": "技术交易额",
        f"digest = '{'0' * 64}'": "摘要",
    }
    for number in (NATIVE, PAST):
        row = f"subject_key = '{REGISTRY}:{number}' AND kind = 'register'"
        for change, words in changes.items():
            found = findings(parts, f"ledger_transaction SET {change} WHERE {row}")
            said = f"登记编号{number}：{words}，登记或合同里是"
            (told,) = [one for one in found if one.what.startswith(said)]
            assert "备份" in told.remedy


@pytest.mark.usefixtures("books")
def test_a_reversal_changed(parts: Parts) -> None:
    changes = {
        "project_name = '别的项目'": "两笔的项目名称应相同",
        "total_fen = total_fen + 1": "两笔的成交额应相同",
        "original_on = '2020-02-02'": "两笔的原登记日期应相同",
        "effective_on = '2020-02-02'": "冲回的日期",
        f"digest = '{'0' * 64}'": "冲回的原因",
    }
    for number in (UNDONE, CANCELLED, MISTAKEN, TAKEN_BACK):
        row = f"subject_key = '{REGISTRY}:{number}' AND kind = 'reverse'"
        for change, words in changes.items():
            found = findings(parts, f"ledger_transaction SET {change} WHERE {row}")
            assert [one for one in found if words in one.what], (change, found)


@pytest.mark.usefixtures("books")
def test_a_registration_or_its_contract_changed(parts: Parts) -> None:
    own = f"(SELECT contract_id FROM registration WHERE number = '{NATIVE}')"
    waiting = "(SELECT contract_id FROM registration WHERE state = 'submitted')"
    changes = {
        f"registration SET decided_on = '2020-02-02' WHERE number = '{NATIVE}'": "登记日期",
        f"registration SET total_fen = total_fen + 1 WHERE number = '{NATIVE}'": "成交额",
        f"registration SET difference_reason = '别的' WHERE number = '{NATIVE}'": "的摘要不符",
        f"registration SET withdraw_reason = '别的' WHERE number = '{UNDONE}'": "冲回的原因",
        f"contract SET total_fen = total_fen + 1 WHERE id = {own}": "与提交登记时的不同",
        f"contract SET buyer_name = '别的' WHERE id = {own}": "买方名称",
        f"contract SET buyer_credit_code = '别的' WHERE id = {own}": "的摘要不符",
        f"contract SET signed_on = '2020-02-02' WHERE id = {waiting}": "等待决定的登记",
        f"past_registration SET registered_on = '2024-02-02' WHERE number = '{PAST}'": "登记日期",
        f"past_registration SET signed_on = '2020-02-02' WHERE number = '{PAST}'": "导入时的摘要",
        f"past_registration SET items = '{{}}' WHERE number = '{PAST}'": "导入时的摘要",
        f"past_registration SET seller_id = NULL WHERE number = '{PAST}'": "卖方机构号",
        f"past_registration SET reason = '别的' WHERE number = '{MISTAKEN}'": "冲回的原因",
    }
    for statement, words in changes.items():
        found = findings(parts, statement)
        assert [one for one in found if words in one.what], (statement, found)
