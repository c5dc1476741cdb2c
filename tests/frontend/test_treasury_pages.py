"""The operators' desk of payments on the site, over HTTP without script."""

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from infra.settings import Settings
from infra.web import create_app
from infra.wiring import open_reader
from market.accounts.work import Parts
from market.payments import transfers
from market.payments.schemas import BankLeftIn, TransferIn
from tests.frontend.test_board_pages import HOST, Visitor
from tests.market.payments.test_bank import credited, returned
from tests.support.clock import FakeClock
from tests.support.market import work_for
from tests.support.paying import FEE, Till, till
from tests.support.stripe_stand_in import serving

NUMBER = "26502000000000000001"


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


def entered(amount: str = "3000") -> dict[str, str]:
    return {"number": NUMBER, "amount_fen": amount, "issued_on": "2026-11-02"}


def test_a_commission_that_was_wholly_sent_on_still_gets_its_invoice(
    desk: Till, operator: Visitor
) -> None:
    payment, agency = desk.owed_commission()
    here = f"/treasury/{payment}"
    page = operator.get(here)
    assert agency.name in page
    assert 'id="invoice"' not in page
    credited(desk, payment, FEE, "流水1")
    (capture,) = desk.view(payment).captures
    form = TransferIn(capture=capture.public_id, agency=agency.public_id, amount_fen=FEE)
    with work_for(desk.parts, desk.operators[0]) as work:
        row = transfers.want(work, desk.ways, payment, form)
    with work_for(desk.parts, desk.operators[1]) as work:
        transfers.decide(work, row.public_id, BankLeftIn(decision="confirm", statement="付1"))
    assert agency.name in operator.get(here)
    assert NUMBER in operator.post(f"{here}/invoices", entered())


def test_the_invoices_of_what_was_wholly_refunded_stay_to_be_seen(
    desk: Till, operator: Visitor
) -> None:
    payment = desk.owed()
    credited(desk, payment, FEE, "流水1")
    assert NUMBER in operator.post(f"/treasury/{payment}/invoices", entered())
    returned(desk, payment, FEE, surplus=False)
    assert NUMBER in operator.get(f"/treasury/{payment}")


def test_an_invoice_is_made_out_by_what_the_page_says_and_voided_by_a_button(
    site: TestClient, desk: Till, operator: Visitor
) -> None:
    payment = desk.owed()
    credited(desk, payment, FEE, "流水1")
    page = operator.get(f"/treasury/{payment}")
    for said in (desk.organisation.name, desk.organisation.credit_code, "还可开", "3,000.00元"):
        assert said is not None
        assert said in page
    here = f"/treasury/{payment}/invoices"
    operator.post(here, entered())
    assert "这个发票号码已经登记过" in operator.post(here, entered(), 422)
    assert "已作废" in operator.post(f"{here}/{NUMBER}/void", {})
    assert "已经作废" in operator.post(f"{here}/{NUMBER}/void", {}, 409)
    payer = Visitor(site, desk.parts, desk.payer)
    assert "已作废" in payer.get(f"/payments/{payment}")
    payer.post(f"{here}/{NUMBER}/void", {}, 403)


UNSEEN = "\u200e"  # a mark of direction alone, of which nothing is kept
RULE = {
    "code": "earnest",
    "name": "诚意金",
    "purpose": "earnest",
    "rate_bp": "2",
    "effective_from": "2026-12-01",
    "source": "示范收费办法第5条",
}
LIMITS = {
    "least_fen": "4",
    "most_fen": "5000",
    "effective_from": "2026-12-01",
    "source": "示范依据",
}
BACK = {"capture": "2" * 14, "amount_fen": "1", "reason": "示范退款"}
ON = {"capture": "2" * 14, "agency": "2" * 14, "amount_fen": "1"}
CREDIT = {
    "statement": "流水1",
    "payer_name": "示范企业",
    "amount_fen": "3000",
    "received_on": "2026-11-02",
}


@pytest.mark.parametrize(
    ("path", "form", "field", "said"),
    [
        ("/treasury/fees", RULE | {"rate_bp": "0%"}, "rate_bp", "比例应大于0"),
        ("/treasury/fees", RULE | {"rate_bp": "101"}, "rate_bp", "应在0到100之间"),
        ("/treasury/fees", RULE | {"rate_bp": ""}, "amount_fen", "固定金额和比例填一个"),
        ("/treasury/fees", RULE | {"purpose": "gift"}, "purpose", "用途应从给出的选项里选"),
        ("/treasury/fees", RULE | {"source": UNSEEN}, "source", "依据至少1个字"),
        ("/treasury/fees", RULE | {"code": UNSEEN}, "code", "代码至少1个字"),
        ("/treasury/fees", RULE | {"name": UNSEEN}, "name", "名称至少1个字"),
        (
            "/treasury/fees",
            RULE | {"effective_from": "12026-01-01"},
            "effective_from",
            "2026-11-20",
        ),
        ("/treasury/limits", LIMITS | {"least_fen": "0"}, "least_fen", "每笔至少应大于0"),
        ("/treasury/limits", LIMITS | {"source": UNSEEN}, "source", "依据至少1个字"),
        ("/treasury/accounts", {"agency": "x", "account": "acct_123456"}, "agency", "列表中的机构"),
        ("/treasury/accounts", {"agency": "2" * 14, "account": "x"}, "account", "acct_开头"),
        ("{here}/refunds", BACK | {"capture": "x"}, "refund-capture", "列表中的一笔收款"),
        ("{here}/refunds", BACK | {"reason": UNSEEN}, "reason", "原因至少1个字"),
        ("{here}/transfers", ON | {"capture": "x"}, "transfer-capture", "列表中的一笔收款"),
        ("{here}/transfers", ON | {"agency": "x"}, "agency", "列表中的机构"),
        ("{here}/credits", CREDIT | {"statement": UNSEEN}, "statement", "银行流水号至少1个字"),
        ("{here}/credits", CREDIT | {"payer_name": UNSEEN}, "payer_name", "付款户名至少1个字"),
        ("{here}/invoices", entered() | {"number": "x"}, "number", "应为8至20位数字"),
        ("{here}/invoices", entered("0"), "invoice-amount", "发票金额应大于0"),
    ],
)
def test_what_a_form_cannot_be_is_said_at_its_field(
    desk: Till, operator: Visitor, path: str, form: dict[str, str], field: str, said: str
) -> None:
    payment, _ = desk.owed_commission()
    credited(desk, payment, FEE, "流水0")
    page = operator.post(path.format(here=f"/treasury/{payment}"), form, 422)
    assert f'id="{field}-e"' in page
    assert said in page
    links = re.findall(r'<li><a href="#([^"]+)">', page)
    assert field in links
    assert [one for one in links if f'id="{one}"' not in page] == []


def test_a_fee_is_ended_and_a_slip_of_the_pen_withdrawn(
    site: TestClient, desk: Till, operator: Visitor
) -> None:
    yearly = RULE | {"code": "year", "purpose": "service_fee", "rate_bp": "", "amount_fen": "4000"}
    operator.post("/treasury/fees", yearly | {"effective_from": "2090-12-01"})
    page = operator.post("/treasury/limits", LIMITS | {"effective_from": "2090-12-01"})
    (slip,) = set(re.findall(r"/treasury/fees/[a-z0-9]{14}", page)) - {f"/treasury/fees/{desk.fee}"}
    assert re.search(r"到<time[^>]*>2090-12-01</time>前", page)
    stranger = Visitor(site, desk.parts, desk.payer)
    assert "撤回" not in stranger.get("/fees")
    assert f'{slip}"' not in stranger.get("/fees")
    stranger.get(slip, 403)
    assert "就可以撤回" in operator.get(slip)
    assert "收费标准已撤回" in operator.post(f"{slip}/withdrawal", {})
    operator.get(slip, 404)
    limit = "/treasury/limits/2090-12-01/withdrawal"
    page = operator.post(limit, {})
    assert "限额已撤回" in page
    assert "2090" not in page
    operator.post(limit, {}, 404)
    assert "今天以前生效" in operator.post("/treasury/limits/2020-01-01/withdrawal", {}, 409)
    here = f"/treasury/fees/{desk.fee}"
    desk.owed()
    assert "不能撤回" in operator.post(f"{here}/withdrawal", {}, 409)
    for day, said in (("2026-11-02", "应晚于生效日"), ("x", "应写成"), ("", "必须填写")):
        page = operator.post(f"{here}/end", {"ends_on": day}, 422)
        assert said in page
        assert 'id="ends_on-e"' in page
    page = operator.post(f"{here}/end", {"ends_on": "2026-12-01"})
    assert re.search(r"到<time[^>]*>2026-12-01</time>前", page)
