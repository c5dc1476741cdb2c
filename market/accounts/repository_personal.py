"""The SQL of accounts for a person's own data, and for rows past their time."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, or_, update
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import Select

from market.accounts.models import (
    ApiToken,
    Membership,
    OneTimeLink,
    Organisation,
    Person,
    PersonState,
    SignIn,
    SignInFailure,
)
from market.kit.across import GONE
from market.kit.db import changed
from market.kit.ids import PersonId


def memberships(person_id: PersonId) -> Select[Membership, Organisation]:
    """Ask for all memberships of the person, past ones too."""
    return (
        select(Membership, Organisation)
        .join(Organisation, col(Organisation.id) == col(Membership.organisation_id))
        .where(col(Membership.person_id) == person_id)
        .order_by(col(Membership.id))
    )


def drop_ways_in(session: Session, person_id: PersonId) -> None:
    for table in (SignIn, ApiToken, OneTimeLink):
        changed(session, delete(table).where(col(table.person_id) == person_id))


def rename(
    session: Session, person_id: PersonId, *, seen: tuple[str, str], to: tuple[str, str]
) -> int:
    """Write (name, telephone) in place of those that were seen; return how many rows changed."""
    return changed(
        session,
        update(Person)
        .where(
            col(Person.id) == person_id,
            col(Person.name) == seen[0],
            col(Person.phone) == seen[1],
            col(Person.deleted_at).is_(None),
        )
        .values(name=to[0], phone=to[1]),
    )


def forget(session: Session, person: Person, at: datetime) -> None:
    """Leave of the person the id alone. The address is free for a new account from then on."""
    changed(
        session,
        update(Person)
        .where(col(Person.id) == person.id)
        .values(
            name=GONE,
            # Unique and never deliverable (RFC 2606).
            email=f"{person.public_id.lower()}@deleted.invalid",
            phone="",
            password_hash=None,
            state=PersonState.DISABLED,
            deleted_at=at,
        ),
    )


def forget_throttle(session: Session, keys: Sequence[str]) -> None:
    changed(session, delete(SignInFailure).where(col(SignInFailure.key).in_(keys)))


def drop_ended_sign_ins(session: Session, before: datetime, limit: int) -> int:
    ended = (
        select(col(SignIn.id))
        .where(or_(col(SignIn.revoked_at) < before, col(SignIn.expires_at) < before))
        .limit(limit)
    )
    return changed(session, delete(SignIn).where(col(SignIn.id).in_(ended)))


def drop_ended_tokens(session: Session, before: datetime, limit: int) -> int:
    ended = (
        select(col(ApiToken.id))
        .where(or_(col(ApiToken.revoked_at) < before, col(ApiToken.expires_at) < before))
        .limit(limit)
    )
    return changed(session, delete(ApiToken).where(col(ApiToken.id).in_(ended)))


def drop_ended_links(session: Session, before: datetime, limit: int) -> int:
    ended = (
        select(col(OneTimeLink.id))
        .where(or_(col(OneTimeLink.used_at) < before, col(OneTimeLink.expires_at) < before))
        .limit(limit)
    )
    return changed(session, delete(OneTimeLink).where(col(OneTimeLink.id).in_(ended)))


def drop_failures(session: Session, before: datetime, limit: int) -> int:
    old = select(col(SignInFailure.id)).where(col(SignInFailure.at) < before).limit(limit)
    return changed(session, delete(SignInFailure).where(col(SignInFailure.id).in_(old)))
