"""Reading the audit rows: who did what, narrowed by action, outcome, organisation and day."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from market.accounts import repository
from market.accounts.schemas import AuditOut
from market.accounts.work import Work
from market.kit import audit
from market.kit.clock import SHANGHAI
from market.kit.ids import OrganisationId, PersonId


@dataclass(frozen=True, slots=True)
class Asked:
    """What to show; `organisation` is a part of a name, `day` a calendar day in China."""

    action: str = ""
    outcome: str = ""
    organisation: str = ""
    day: date | None = None


def rows(work: Work, asked: Asked, *, limit: int, before: int | None) -> list[AuditOut]:
    """Return audit rows with the names of people and organisations, newest first."""
    found = audit.newest(work.session, limit=limit, before_id=before, only=_only(work, asked))
    people = repository.people(work.session, {PersonId(r.person_id) for r in found if r.person_id})
    names = repository.organisations(
        work.session, {OrganisationId(r.organisation_id) for r in found if r.organisation_id}
    )
    return [
        AuditOut(
            id=row.id,
            at=row.at,
            role=row.role,
            action=row.action,
            subject=row.subject,
            outcome=row.outcome,
            detail=row.detail,
            person=people[PersonId(row.person_id)].name if row.person_id else None,
            organisation=names[OrganisationId(row.organisation_id)].name
            if row.organisation_id
            else None,
        )
        for row in found
    ]


def _only(work: Work, asked: Asked) -> audit.Only:
    since = until = None
    if asked.day is not None:
        since = datetime.combine(asked.day, time(), SHANGHAI)
        until = since + timedelta(days=1)
    ids = (
        repository.organisations_named(work.session, asked.organisation)
        if asked.organisation
        else None
    )
    return audit.Only(asked.action, asked.outcome, ids, since, until)
