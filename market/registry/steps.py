"""One step of a registration, whichever it is: the conditional update and the row that tells it."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from market.accounts.work import Work
from market.kit.ids import TransactionId
from market.ledger import records
from market.registry import kept, repository
from market.registry.models import RegistrationEvent
from market.registry.repository import Filed
from market.registry.states import RegistrationState, Step


@dataclass(frozen=True, slots=True)
class Told:
    """What is written down about a step, beside who and when."""

    note: str = ""
    cause: str = ""
    due_on: date | None = None
    effective_on: date | None = None
    digest: str = ""
    transaction_id: TransactionId | None = None


def take(
    work: Work,
    filed: Filed,
    step: Step,
    to: RegistrationState,
    told: Told | None = None,
    **values: Any,
) -> None:
    """Take a step along an edge of the one table, with `values` for the row.

    Raises Conflict where it does not lead from where the registration stands.
    """
    told = told or Told()
    row = filed.row
    records.lock(work.session)
    before = repository.move_registration(work.session, row, step, to, **values)
    kept.registration(work.session, row, at=work.now)
    repository.add_event(
        work.session,
        RegistrationEvent(
            registration_id=row.id,
            place=0,
            step=step,
            from_state=before,
            to_state=to,
            at=work.now,
            person_id=work.actor.person,
            note=told.note,
            cause=told.cause,
            due_on=told.due_on,
            effective_on=told.effective_on,
            total_fen=row.total_fen,
            technical_fen=row.technical_fen,
            digest=told.digest,
            transaction_id=told.transaction_id,
            file_id=row.file_id,
            in_force=dict(row.in_force),
        ),
    )
    kept.history(work.session, row, at=work.now)
