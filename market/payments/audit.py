"""What does not agree in payments: rows with their captures and refunds, and all of it with the
money book.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from sqlmodel import Session

from market.accounts import repository as accounts
from market.kit import notify
from market.kit.across import Finding
from market.ledger import money
from market.payments import posting, repository_audit, waiting
from market.payments.models import Payment

REMEDY: Final = "不要手工改数据库；对照银行流水和 Stripe 后台核对这笔款项，把这条原文交给开发者"
_AT_ONCE: Final = 500
_SUMS: Final = ("退款占用", "已退", "退回占用", "已退回", "转付占用")
_SOURCES: Final = {"attempt": "在线支付", "credit": "到账"}


def audit(session: Session) -> Iterator[Finding]:
    yield from _of_captures(session)
    rows = repository_audit.all_payments(session)
    while chunk := list(islice(rows, _AT_ONCE)):
        for row, applied, refunded in chunk:
            if (row.paid_fen, row.refunded_fen) != (applied, refunded):
                what = (
                    f"已付、已退应为{applied}分、{refunded}分（由各笔收款相加），"
                    f"现在是{row.paid_fen}分、{row.refunded_fen}分"
                )
                yield Finding(f"款项{row.public_id}", what, REMEDY)
        yield from _against_the_book(session, [row for row, *_ in chunk])
    found = money.balances(session, list(posting.HELD.values()))
    for way, account in posting.HELD.items():
        wanted, booked = repository_audit.held(session, way), found.get(account, 0)
        if wanted != booked:
            what = f"由各笔收款、退款和转付相加应为{wanted}分，账册是{booked}分"
            yield Finding(f"账户{account}", what, REMEDY)
    yield from notify.differences(session, waiting.KINDS, waiting.tasks(session))


def _of_captures(session: Session) -> Iterator[Finding]:
    for name, public_id in repository_audit.not_taken_in(session):
        yield Finding(f"{_SOURCES[name]}{public_id}", "已经收到，却没有记成收款", REMEDY)
    for public_id, held, asked in repository_audit.captures_otherwise(session):
        for name, has, wanted in zip(_SUMS, held, asked, strict=True):
            if has != wanted:
                what = f"{name}应为{wanted}分（由退款和转付相加），现在是{has}分"
                yield Finding(f"收款{public_id}", what, REMEDY)


def _against_the_book(session: Session, rows: list[Payment]) -> Iterator[Finding]:
    """Hold what payments say against what the money book says of them."""
    moved = money.moved(session, [posting.subject(row) for row in rows])
    payers = accounts.organisations(session, {row.organisation_id for row in rows})
    sent_on = repository_audit.sent_on(session, [row.id for row in rows])
    surplus = repository_audit.surplus_held(session, [row.id for row in rows])
    for row in rows:
        payer = payers[row.organisation_id]
        wanted = {
            posting.of_purpose(row.purpose, payer): sent_on.get(row.id, 0)
            + row.refunded_fen
            - row.paid_fen,
            posting.of_surplus(payer): -surplus.get(row.id, 0),
        }
        for account, amount in wanted.items():
            found = moved.get((posting.subject(row), account), 0)
            if found != amount:
                what = f"账户{account}应为{amount}分，账册是{found}分"
                yield Finding(f"款项{row.public_id}", what, REMEDY)
