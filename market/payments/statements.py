"""The statement of an organisation: what moved of its money between two days, from the book.

Amounts as the organisation sees them: what it paid in is positive, what came back to it or was
used up negative. Accounts of the platform's own (bank, Stripe) are left out.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO
from typing import Final

import xlsxwriter

from market.accounts import repository as accounts
from market.accounts.models import Organisation
from market.accounts.policy import Action, Relation, Role
from market.accounts.work import Work
from market.kit import pdf
from market.kit.clock import local_text
from market.kit.errors import Invalid, NotFound
from market.kit.ids import PublicId
from market.kit.money import FEN_PER_YUAN, yuan_in_words
from market.ledger import money
from market.ledger.repository_money import Line

LONGEST: Final = timedelta(days=3 * 366)
NAMES: Final = {
    "fee": "服务费",
    "earnest": "诚意金",
    "commission": "经理人报酬",
    "surplus": "多付的款",
    "agency": "转给机构的报酬",
}
HEADS: Final = ("日期", "账册序号", "摘要", "项目", "金额（元）")
SOURCE: Final = """
= #data.title
#data.subtitle
#table(columns: (1fr, auto, auto), align: (left, right, right),
  table.header[项目][期初][期末], ..data.balances.flatten())
== 明细
#table(columns: (auto, auto, 1fr, auto, auto), align: (left, right, left, left, right),
  table.header(..data.heads), ..data.lines.flatten())
#text(size: 9pt)[#data.note]
"""
NOTE: Final = "付入平台的为正，退回或转出的为负。由资金账册的分录得出，序号是账册里的编号。"
SHEET: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class Statement:
    """Balances by item, in fen, on the mornings of `since` and of the day after `until`."""

    organisation: Organisation
    since: date
    until: date
    opening: dict[str, int]
    lines: tuple[Line, ...]
    closing: dict[str, int]

    @property
    def items(self) -> list[str]:
        return [one for one in NAMES if one in self.opening or one in self.closing]


def accounts_of(organisation: Organisation) -> list[str]:
    return [f"{money.ACCOUNTS}{kind}:{organisation.public_id}" for kind in NAMES]


def item(account: str) -> str:
    """Return what an organisation's account is of: "fee", "surplus"."""
    return account.removeprefix(money.ACCOUNTS).partition(":")[0]


def of(work: Work, since: date, until: date, organisation: str = "") -> Statement:
    """Return a statement: one's own, or to operators and auditors anybody's by its public id.

    Raises NotFound, Invalid at `until` for days in the wrong order or too many.
    """
    of_whom = whose(work, organisation)
    if not timedelta(0) <= until - since <= LONGEST:
        raise Invalid(fields={"until": "应不早于开始的日期，最多三年"})
    lines = money.lines(work.session, accounts_of(of_whom), since, until)
    return Statement(
        of_whom,
        since,
        until,
        _balances(work, of_whom, since),
        tuple(lines),
        _balances(work, of_whom, until + timedelta(days=1)),
    )


def whose(work: Work, organisation: str = "") -> Organisation:
    """Return whose statement is asked for, to who may have it. Raises NotFound."""
    if work.actor.role not in (Role.OPERATOR, Role.AUDITOR):
        work.require(Action.PAYMENT_VIEW)
        if organisation and organisation != work.actor.organisation_public_id:
            raise NotFound
        return accounts.organisation(work.session, work.actor.organisation)
    work.require(Action.PAYMENT_VIEW, Relation.OTHER)
    found = accounts.organisation_by_public_id(work.session, PublicId(organisation))
    if found is None:
        raise NotFound
    return found


def _balances(work: Work, whose: Organisation, before: date) -> dict[str, int]:
    found: dict[str, int] = {}
    for account, amount in money.balances(work.session, accounts_of(whose), before).items():
        found[item(account)] = -amount
    return found


def workbook(one: Statement) -> bytes:
    """Return the statement as an Excel file; amounts are numbers in 元."""
    out = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(out, options)
    amounts = book.add_format({"num_format": "#,##0.00"})
    bold = book.add_format({"bold": True})
    sheet = book.add_worksheet("对账单")
    sheet.set_column(0, 1, 14)
    sheet.set_column(2, 2, 50)
    sheet.set_column(3, 4, 18)
    sheet.write(0, 0, _title(one), bold)
    sheet.write(1, 0, _subtitle(one))
    for column, head in enumerate(("项目", "期初（元）", "期末（元）")):
        sheet.write(3, column, head, bold)
    place = 4
    for name in one.items:
        sheet.write(place, 0, NAMES[name])
        for column, held in ((1, one.opening), (2, one.closing)):
            sheet.write(place, column, held.get(name, 0) / FEN_PER_YUAN, amounts)
        place += 1
    for column, head in enumerate(HEADS):
        sheet.write(place + 1, column, head, bold)
    for row, line in enumerate(one.lines, place + 2):
        sheet.write(row, 0, line.on.isoformat())
        sheet.write(row, 1, line.seq)
        sheet.write_string(row, 2, line.memo)
        sheet.write(row, 3, NAMES[item(line.account)])
        sheet.write(row, 4, -line.amount_fen / FEN_PER_YUAN, amounts)
    sheet.write(place + 3 + len(one.lines), 0, NOTE)
    book.close()
    return out.getvalue()


def paper(work: Work, one: Statement) -> bytes:
    """Return the statement as a PDF."""
    data = {
        "title": _title(one),
        "subtitle": f"{_subtitle(one)}，{local_text(work.now)}打印",
        "balances": [
            [NAMES[name], *(_yuan(held.get(name, 0)) for held in (one.opening, one.closing))]
            for name in one.items
        ],
        "heads": list(HEADS),
        "lines": [
            [
                line.on.isoformat(),
                str(line.seq),
                line.memo,
                NAMES[item(line.account)],
                _yuan(-line.amount_fen),
            ]
            for line in one.lines
        ],
        "note": NOTE,
    }
    return pdf.render(SOURCE, data, at=work.now)


def _yuan(amount: int) -> str:
    return yuan_in_words(amount).removesuffix("元")


def _title(one: Statement) -> str:
    return f"{one.organisation.name}对账单"


def _subtitle(one: Statement) -> str:
    return f"{one.since}至{one.until}"
