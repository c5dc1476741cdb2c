"""The operators' desk of payments on the site, over HTTP without script."""

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
