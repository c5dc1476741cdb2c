"""What operators find at the desk of money: slips that wait, who did what, errors at their field."""

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from infra.settings import Settings
from infra.web import create_app
from infra.wiring import open_reader
from market import waiting
from market.accounts import repository as accounts
from market.accounts.models import Organisation
from market.accounts.policy import Role
from market.accounts.work import Parts
from market.kit.ids import PublicId
from market.payments import bank, refunds, transfers
from market.payments.schemas import CreditDecisionIn, RefundIn, TransferIn
from market.payments.ways import Ways
from tests import factories
from tests.frontend.test_board_pages import HOST, Visitor
from tests.frontend.test_payment_pages import as_payer
from tests.market.payments.test_bank import credited, recorded
from tests.support.clock import FakeClock
from tests.support.market import work_for
from tests.support.paying import FEE, Till, till
from tests.support.stripe_stand_in import serving


@pytest.fixture
def desk(parts: Parts, clock: FakeClock) -> Iterator[Till]:
    with serving(clock.now) as stripe:
        yield till(parts, clock, stripe)


@pytest.fixture
def site(parts: Parts, settings: Settings, desk: Till) -> Iterator[TestClient]:
    engine = open_reader(settings)
    app = create_app(parts, engine, settings)
    app.state.ways = desk.ways
    with TestClient(app, base_url=HOST, follow_redirects=False) as client:
        client.headers["origin"] = HOST
        yield client
    engine.close()


@pytest.fixture
def operator(site: TestClient, desk: Till) -> Visitor:
    return Visitor(site, desk.parts, desk.operators[0])


def slip(site: TestClient, desk: Till, payment: PublicId, text: bytes = b"slip") -> None:
    headers, csrf = as_payer(desk)
    answer = site.post(
        f"/payments/{payment}/slips",
        data={"csrf": csrf, "amount_fen": "3000", "sent_on": "2026-11-02"},
        files={"file": ("回单.pdf", b"%PDF-1.7 " + text, "application/pdf")},
        headers=headers,
    )
    assert answer.status_code == 303


def panel(page: str, name: str) -> str:
    """Return what a page says in the panel of this id, "" where it has none."""
    found = re.search(rf'aria-labelledby="{name}">(.*?)</section>', page, re.DOTALL)
    return found[1] if found else ""


def panel_of_alerts(page: str) -> str:
    """Return what the operators are told to look into."""
    found = re.search(r"要留意的(.*?)</div>", page, re.DOTALL)
    return found[1] if found else ""


def platform(desk: Till) -> Organisation:
    with desk.parts.database.read() as session:
        return accounts.organisation(session, desk.operators[0].organisation)


def tasks_agree(desk: Till) -> None:
    """What waits is what the rows say: nothing is left to be put right."""
    with desk.parts.database.write() as session:
        assert waiting.put_right(session, desk.clock.now()) == 0


def test_a_slip_waits_until_a_line_of_the_bank_answers_it(
    site: TestClient, desk: Till, operator: Visitor
) -> None:
    payment = desk.owed()
    reference = desk.row(payment).reference
    assert panel(operator.get("/treasury"), "slips") == ""
    slip(site, desk, payment)
    slip(site, desk, payment, b"another")
    shown = panel(operator.get("/treasury"), "slips")
    assert shown.count(reference) == 1
    assert desk.organisation.name in shown
    assert "查银行流水" in operator.get("/work")
    tasks_agree(desk)
    row = recorded(desk, payment, FEE - 2, "流水1")
    assert reference in panel(operator.get("/treasury"), "slips")  # of two slips one is answered
    recorded(desk, payment, 1, "流水2")
    assert panel(operator.get("/treasury"), "slips") == ""
    tasks_agree(desk)
    with work_for(desk.parts, desk.operators[1]) as work:
        bank.decide(work, row, CreditDecisionIn(decision="reject"))
    assert reference in panel(operator.get("/treasury"), "slips")
    tasks_agree(desk)
    credited(desk, payment, FEE, "流水3")
    assert panel(operator.get("/treasury"), "slips") == ""
    tasks_agree(desk)


def test_a_slip_of_what_was_cancelled_or_paid_otherwise_waits_no_more(
    site: TestClient, desk: Till, operator: Visitor
) -> None:
    first, second = desk.owed(), desk.owed()
    for payment in (first, second):
        slip(site, desk, payment)
    payer = Visitor(site, desk.parts, desk.payer)
    assert "请等运营人员核对到账" in payer.post(f"/payments/{first}/cancellation", {}, 409)
    assert "款项已取消" in operator.post(f"/treasury/{first}/withdrawal", {})
    desk.stripe.pay(desk.checkout(second))
    desk.deliver()
    desk.work()
    assert panel(operator.get("/treasury"), "slips") == ""
    assert "查银行流水" not in operator.get("/work")
    tasks_agree(desk)


def test_a_payment_tells_who_did_what(site: TestClient, desk: Till, operator: Visitor) -> None:
    payment, agency = desk.owed_commission()
    credited(desk, payment, FEE + 1, "流水7")
    (capture,) = desk.view(payment).captures
    back = RefundIn(capture=capture.public_id, amount_fen=1, surplus=True, reason="多付的")
    on = TransferIn(capture=capture.public_id, agency=agency.public_id, amount_fen=FEE)
    with work_for(desk.parts, desk.operators[0]) as work:
        refund = refunds.want(work, desk.ways, payment, back).public_id
        transfer = transfers.want(work, desk.ways, payment, on).public_id
    other = Visitor(site, desk.parts, desk.operators[1])
    other.post(f"/refunds/{refund}/decision", {"decision": "reject"})
    other.post(f"/transfers/{transfer}/decision", {"decision": "confirm", "statement": "付9"})
    page = operator.get(f"/treasury/{payment}")
    for said in ("流水7", "付9", "决定不退", "已转", agency.name, "多付的"):
        assert said in page
    for who in desk.operators:
        assert page.count(who.person_name) > 1
    assert "退款0.01元没有办，另一位运营人员没有同意" in panel_of_alerts(page)
    auditor = Visitor(site, desk.parts, factories.actor(desk.parts, Role.AUDITOR, platform(desk)))
    assert desk.organisation.name in auditor.get("/payments")
    seen = auditor.get(f"/payments/{payment}")
    for said in ("流水7", "付9", *(who.person_name for who in desk.operators)):
        assert said in seen
    auditor.get(f"/treasury/{payment}", 403)
    payer = Visitor(site, desk.parts, desk.payer)
    seen = payer.get(f"/payments/{payment}")
    assert "决定不退" in seen
    assert desk.operators[1].person_name not in seen


def test_what_left_by_which_number_is_asked_at_its_field(desk: Till, operator: Visitor) -> None:
    first, second = desk.owed(), desk.owed()
    wanted = []
    for payment, number in ((first, "流水1"), (second, "流水2")):
        credited(desk, payment, FEE, number)
        (capture,) = desk.view(payment).captures
        back = RefundIn(capture=capture.public_id, amount_fen=FEE, reason="示范退款")
        with work_for(desk.parts, desk.operators[1]) as work:
            wanted.append(refunds.want(work, desk.ways, payment, back).public_id)
    operator.post(f"/refunds/{wanted[0]}/decision", {"decision": "confirm", "statement": "付 1"})
    here = f"/refunds/{wanted[1]}/decision"
    for form, said in (
        ({"decision": "confirm", "statement": "付1"}, "已经用过"),
        ({"decision": "confirm", "statement": "流水 2"}, "不是到账的那一个"),
        ({"decision": "confirm", "statement": ""}, "请填银行的付款流水号"),
    ):
        page = operator.post(here, form, 422)
        field = f"s-{wanted[1]}"
        assert f'id="{field}-e"' in page
        assert f'href="#{field}"' in page
        assert f'value="{form["statement"]}"' in panel(page, "returns")
        assert said in panel(page, "returns")
    assert "处理" in operator.post(here, {"statement": "付3"}, 422)


def test_accounts_say_who_entered_them_and_a_lacking_account_of_ours_is_told(
    site: TestClient, desk: Till, operator: Visitor
) -> None:
    _, agency = desk.owed_commission()
    shown = panel(operator.get("/treasury"), "accounts")
    for said in (agency.name, f"acct_{agency.public_id}", desk.operators[0].person_name):
        assert said in shown
    assert "没有收款账户" not in operator.get("/treasury")
    site.app.state.ways = Ways(desk.cards)  # type: ignore[attr-defined]
    assert "ZHIHE_BANK_HOLDER" in operator.get("/treasury")


def test_a_company_is_charged_and_the_charge_taken_back(
    site: TestClient, desk: Till, operator: Visitor
) -> None:
    payer = Visitor(site, desk.parts, desk.payer)
    form = {"credit_code": desk.organisation.credit_code or "", "fee": desk.fee}
    page = operator.post("/treasury/charges", form | {"credit_code": "91999999MA9999999X"}, 422)
    assert 'id="credit_code-e"' in page
    assert "91999999MA9999999X" in page
    payer.post("/treasury/charges", form, 403)
    page = operator.post("/treasury/charges", form)
    assert "收费已登记" in page
    found = re.search(r"/treasury/([a-z0-9]{14})/withdrawal", page)
    assert found
    assert "支付3,000.00元：平台年度服务费" in payer.get("/work")
    page = operator.post("/treasury/charges", form, 422)
    assert f"附言号{desk.row(PublicId(found[1])).reference}" in page
    assert "取消款项" not in payer.get(f"/payments/{found[1]}")
    assert "请与运营者联系" in payer.post(f"/payments/{found[1]}/cancellation", {}, 409)
    payer.post(f"/treasury/{found[1]}/withdrawal", {}, 403)
    assert "款项已取消" in operator.post(f"/treasury/{found[1]}/withdrawal", {})
    assert "不能取消" in operator.post(f"/treasury/{found[1]}/withdrawal", {}, 409)
    assert "支付3,000.00元" not in payer.get("/work")
    assert "运营者取消了这笔款项" in payer.get("/messages")


def test_an_agency_is_told_that_commission_came_in_for_it(site: TestClient, desk: Till) -> None:
    payment, agency = desk.owed_commission()
    broker = Visitor(site, desk.parts, factories.actor(desk.parts, Role.MANAGER, agency))
    credited(desk, payment, FEE, "流水1")
    assert "平台收到经理人报酬3,000.00元" in broker.get("/messages")
    assert "平台收到经理人报酬" not in Visitor(site, desk.parts, desk.payer).get("/messages")
