"""The statement of an organisation: page, Excel and PDF say the same as the entries of the book."""

import re
from collections.abc import Iterator
from datetime import date
from html import unescape

import pytest
from fastapi.testclient import TestClient
from sqlmodel import col, select

from frontend.edge import COOKIE
from infra.settings import Settings
from infra.web import create_app
from infra.wiring import open_reader
from market.accounts.work import Parts
from market.ledger.models import Book, Entry, Transaction
from market.payments import transfers
from market.payments.schemas import BankLeftIn, TransferIn
from market.payments.statements import NAMES
from tests import factories
from tests.frontend.test_board_pages import HOST
from tests.market.payments.test_bank import credited, returned
from tests.support import cells, printed
from tests.support.clock import FakeClock
from tests.support.market import work_for
from tests.support.paying import FEE, Till, till
from tests.support.stripe_stand_in import serving

SENT = 120_000  # fen of the commission that go on
DAY = date(2026, 11, 10)
Line = tuple[str, int, str, str, int]
"""Day, number in the book, memo, item and fen of a line."""
Balances = dict[str, tuple[int, int]]
"""Fen at the beginning and at the end, by item."""
TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL)
ROW = re.compile(r"<tr\b.*?</tr>", re.DOTALL)
CELL = re.compile(r"<t[dh]\b[^>]*>(.*?)</t[dh]>", re.DOTALL)


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
        yield client
    engine.close()


def moved(desk: Till) -> None:
    """Pay a fee by card on one day. On DAY pay another by bank, too much of it, of which the
    surplus and a part go back, and a commission of which a part goes on; on the next day one more.
    """
    desk.paid()
    desk.clock.set_local(f"{DAY} 09:00")
    payment = desk.owed()
    credited(desk, payment, FEE + 500, "流水1")
    returned(desk, payment, 500, surplus=True)
    returned(desk, payment, 100_001, surplus=False)
    commission, agency = desk.owed_commission()
    credited(desk, commission, FEE, "流水2")
    (capture,) = desk.view(commission).captures
    form = TransferIn(capture=capture.public_id, agency=agency.public_id, amount_fen=SENT)
    with work_for(desk.parts, desk.operators[0]) as work:
        row = transfers.want(work, desk.ways, commission, form)
    with work_for(desk.parts, desk.operators[1]) as work:
        transfers.decide(work, row.public_id, BankLeftIn(decision="confirm", statement="付2"))
    desk.clock.advance(days=1)
    desk.paid()


def booked(desk: Till) -> tuple[Balances, list[Line]]:
    """Return what the book's own rows come to on DAY, as the organisation sees them."""
    query = (
        select(Transaction, Entry)
        .join(Entry, col(Entry.transaction_id) == col(Transaction.id))
        .where(
            col(Transaction.book) == Book.MONEY,
            col(Entry.account).endswith(f":{desk.organisation.public_id}"),
        )
        .order_by(col(Transaction.seq), col(Entry.id))
    )
    before: dict[str, int] = {}
    after: dict[str, int] = {}
    lines: list[Line] = []
    with desk.parts.database.read() as session:
        for row, entry in session.exec(query):
            item, amount = NAMES[entry.account.split(":")[1]], -entry.amount_fen
            if row.effective_on < DAY:
                before[item] = before.get(item, 0) + amount
            if row.effective_on <= DAY:
                after[item] = after.get(item, 0) + amount
            if row.effective_on == DAY:
                lines.append((DAY.isoformat(), row.seq, row.project_name, item, amount))
    return {item: (before.get(item, 0), after[item]) for item in after}, lines


def fen(text: str) -> int:
    return round(float(text.removesuffix("元").replace(",", "").replace("−", "-")) * 100)


def of_page(text: str) -> tuple[Balances, list[Line]]:
    tables = [
        [
            [unescape(re.sub(r"<[^>]*>", "", one)).strip() for one in CELL.findall(row)]
            for row in ROW.findall(table)[1:]
        ]
        for table in TABLE.findall(text)
    ]
    balances, lines = tables
    return (
        {item: (fen(first), fen(last)) for item, first, last in balances},
        [(on, int(seq), memo, item, fen(amount)) for memo, on, item, seq, amount in lines],
    )


def of_workbook(made: bytes) -> tuple[Balances, list[Line]]:
    rows = cells.workbook(made)["对账单"]
    head = next(place for place, row in enumerate(rows) if row[:1] == ["日期"])
    return (
        {str(row[0]): (fen(str(row[1])), fen(str(row[2]))) for row in rows[3:head]},
        [
            (str(on), int(seq), str(memo), str(item), fen(str(amount)))
            for on, seq, memo, item, amount in rows[head + 1 : -1]
        ],
    )


def test_page_excel_and_pdf_say_what_the_entries_say(site: TestClient, desk: Till) -> None:
    moved(desk)
    balances, lines = booked(desk)
    assert balances == {
        "服务费": (FEE, 2 * FEE - 100_001),
        "多付的款": (0, 0),
        "经理人报酬": (0, FEE - SENT),
    }
    assert sorted(line[4] for line in lines) == [-SENT, -100_001, -500, 500, FEE, FEE]
    for item, (first, last) in balances.items():
        assert first + sum(line[4] for line in lines if line[3] == item) == last
    secret, _ = factories.cookie(desk.parts, desk.payer)
    site.headers["cookie"] = f"{COOKIE}={secret}"
    address = f"/statement?since={DAY}&until={DAY}"
    page = site.get(address)
    assert of_page(page.text) == (balances, lines)
    assert of_workbook(site.get(f"{address}&as=xlsx").content) == (balances, lines)
    paper = "".join(printed.text(site.get(f"{address}&as=pdf").content).split()).replace("−", "-")
    told = [
        *("".join([item, figure(first), figure(last)]) for item, (first, last) in balances.items()),
        *("".join([on, str(seq), memo, item, figure(of)]) for on, seq, memo, item, of in lines),
    ]
    assert [one for one in told if "".join(one.split()) not in paper] == []


def figure(amount: int) -> str:
    return f"{amount / 100:,.2f}"
