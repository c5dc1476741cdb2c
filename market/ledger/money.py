"""The money book: what went from accounts to accounts, and what an organisation's accounts say.

Accounts of the book begin with `money:`. Assets (what we hold) rise by positive entries, what we
owe or have earned by negative ones; the sides of a movement sum to 0. A movement is posted once by
its key, in the database transaction of the state change that causes it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlmodel import Session

from market.kit.errors import Conflict
from market.kit.ids import OrganisationId
from market.ledger import chain, drafts, periods, repository, repository_money
from market.ledger.models import Book, Kind, Transaction
from market.ledger.repository_money import Line
from market.ledger.schemas import OUTSIDE

ACCOUNTS: Final = "money:"
OTHER_MOVEMENT: Final = "这笔款项已经入账，内容与这次不同，请刷新后核对"

Sides = Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Movement:
    """What is posted. `subject` is what it is for, such as `payment:…`; `sides` (account, fen).

    `key` makes it once; `memo` is what a statement says of it.
    """

    key: str
    subject: str
    memo: str
    organisation_id: OrganisationId
    organisation_name: str
    effective_on: date
    sides: Sides

    @property
    def amount(self) -> int:
        """Return the fen that moved in all."""
        return sum(amount for _, amount in self.sides if amount > 0)

    @property
    def digest(self) -> str:
        """Return what tells this movement from another one under the same key."""
        said = [self.subject, self.organisation_id, sorted([*one] for one in self.sides)]
        return hashlib.sha256(chain.canonical(said)).hexdigest()


def post(session: Session, movement: Movement, *, at: datetime) -> Transaction:
    """Post a movement once. Raises Conflict where its key stands for another one."""
    sides = [one for one in movement.sides if one[1]]
    assert len(sides) >= 2
    assert sum(amount for _, amount in sides) == 0
    assert all(account.startswith(ACCOUNTS) for account, _ in sides)
    head = drafts.locked(session, Book.MONEY)
    posted = repository.by_key(session, movement.key)
    if posted is not None:
        if posted.digest != movement.digest:
            raise Conflict(OTHER_MOVEMENT)
        return posted
    placed = periods.place(session, Book.MONEY, movement.effective_on, at)
    row = {
        "book": Book.MONEY,
        "kind": Kind.MOVE,
        "idempotency_key": movement.key,
        "subject_key": movement.subject,
        "generation": 0,
        "digest": movement.digest,
        "effective_on": placed,
        "original_on": None if placed == movement.effective_on else movement.effective_on,
        "posted_at": at,
        "reverses_id": None,
        "register_id": None,
        "previous_id": None,
        "contract_type": "",
        "sub_type": "",
        "field": 0,
        "project_name": movement.memo[:200],
        "seller_name": "",
        "buyer_name": movement.organisation_name[:120],
        "seller_id": OUTSIDE,
        "buyer_id": movement.organisation_id,
        "seller_region": "",
        "buyer_region": "",
        "total_fen": movement.amount,
        "technical_fen": movement.amount,
    }
    draft = drafts.Draft(row, tuple((account, amount, None) for account, amount in sides))
    return repository.get(session, drafts.post(session, head, [draft], {}, OTHER_MOVEMENT)[0])


def lines(session: Session, accounts: Sequence[str], since: date, until: date) -> list[Line]:
    """Return what moved of these accounts between two days, included, the oldest first."""
    return repository_money.lines(session, accounts, since, until)


def balances(
    session: Session, accounts: Sequence[str], before: date | None = None
) -> dict[str, int]:
    """Return what the movements of these accounts come to, of all or of before a day."""
    return repository_money.balances(session, accounts, before)


def moved(session: Session, subjects: Sequence[str]) -> dict[tuple[str, str], int]:
    """Return the sums of entries by (subject, account)."""
    return repository_money.moved(session, subjects)
