"""The filing of a patent licence (备案): due within months of its taking effect."""

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from sqlmodel import Session

from market.accounts.policy import Action
from market.deals import repository_keeping as repository
from market.deals.models import Contract, Deal
from market.kit.notify import Subject, Task, To
from market.rules import versions
from market.rules.calendar import Calendar
from market.rules.ruleset import RuleBook

FILING: Final = "contract.filing"
LICENCE: Final = "专利实施许可"
"""The sub-type that is to be filed."""


def due_on(contract: Contract, book: RuleBook, calendar: Calendar) -> date | None:
    """Return the last day on which a patent licence is to be filed, None for other contracts.

    A period in months ends on the day of its beginning, or the month's last (民法典 202, 203).
    """
    if contract.sub_type != LICENCE or contract.signed_on is None:
        return None
    months = book.at(contract.signed_on).rules.licence_filing_months
    years, month = divmod(contract.signed_on.month - 1 + months, 12)
    year = contract.signed_on.year + years
    last = date(year, month + 1, min(contract.signed_on.day, monthrange(year, month + 1)[1]))
    while calendar.is_rest_day(last):
        last += timedelta(days=1)
    return last


def tasks(session: Session, calendar: Calendar) -> Iterator[Task]:
    """Yield the filings that wait."""
    book = versions.book(session)
    for contract, deal in repository.unfiled(session, LICENCE):
        yield task(contract, deal, due_on(contract, book, calendar))


def subject(deal: Deal) -> Subject:
    return Subject("deal", deal.public_id)


def task(contract: Contract, deal: Deal, due: date | None) -> Task:
    """Return the seller's task to file a signed patent licence."""
    return Task(
        To(organisation_id=contract.seller_id, action=Action.CONTRACT_KEEP),
        FILING,
        subject(deal),
        f"专利许可备案：{contract.project_name}",
        detail="合同生效后要在期限内向专利部门备案，办好后在洽谈页面记下。",
        due_on=due,
    )
