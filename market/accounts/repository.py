"""The only SQL of accounts."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import func, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from market.accounts.models import (
    ApiToken,
    Consent,
    Membership,
    MembershipState,
    OneTimeLink,
    Organisation,
    Person,
    PersonState,
    SignIn,
    Verification,
)
from market.accounts.policy import OrganisationKind
from market.kit.db import changed, is_sqlite
from market.kit.ids import MembershipId, OrganisationId, PersonId, PublicId


def person_by_email(session: Session, email: str) -> Person | None:
    return session.exec(select(Person).where(col(Person.email) == email)).first()


def person(session: Session, person_id: PersonId) -> Person:
    return session.get_one(Person, person_id)


def people(session: Session, ids: Iterable[PersonId]) -> dict[PersonId, Person]:
    rows = session.exec(select(Person).where(col(Person.id).in_(set(ids))))
    return {row.id: row for row in rows}


def organisation(session: Session, organisation_id: OrganisationId) -> Organisation:
    return session.get_one(Organisation, organisation_id)


def organisations(
    session: Session, ids: Iterable[OrganisationId]
) -> dict[OrganisationId, Organisation]:
    rows = session.exec(select(Organisation).where(col(Organisation.id).in_(set(ids))))
    return {row.id: row for row in rows}


def organisations_named(session: Session, part: str) -> list[OrganisationId]:
    """Return up to 1000 organisations whose name contains `part`."""
    named = col(Organisation.name).contains(part, autoescape=True)
    query = select(col(Organisation.id)).where(named).order_by(col(Organisation.id)).limit(1000)
    return list(session.exec(query))


def organisation_by_public_id(session: Session, public_id: PublicId) -> Organisation | None:
    return session.exec(
        select(Organisation).where(col(Organisation.public_id) == public_id)
    ).first()


def organisation_by_code(session: Session, code: str) -> Organisation | None:
    return session.exec(select(Organisation).where(col(Organisation.credit_code) == code)).first()


def first_of_kind(session: Session, kind: OrganisationKind) -> Organisation | None:
    """Return the organisation of a kind that was there first."""
    return session.scalars(
        select(Organisation)
        .where(col(Organisation.kind) == kind)
        .order_by(col(Organisation.id))
        .limit(1)
    ).first()


def any_demonstration(session: Session) -> bool:
    """Return whether there is an organisation of the demonstration market."""
    row = session.exec(select(Organisation.id).where(col(Organisation.demo)).limit(1)).first()
    return row is not None


def verified_organisations(
    session: Session, *, kind: OrganisationKind | None = None, name_like: str = "", limit: int = 200
) -> list[Organisation]:
    """Return verified organisations by name; `name_like` is matched anywhere, literally."""
    query = (
        select(Organisation)
        .where(
            col(Organisation.verification) == Verification.VERIFIED,
            col(Organisation.kind).not_in([OrganisationKind.BUREAU, OrganisationKind.PLATFORM]),
        )
        .order_by(col(Organisation.name))
        .limit(limit)
    )
    if kind is not None:
        query = query.where(col(Organisation.kind) == kind)
    if name_like:
        query = query.where(col(Organisation.name).contains(name_like, autoescape=True))
    return list(session.exec(query))


def rename(
    session: Session, organisation_id: OrganisationId, *, name: str, address: str, edits: int
) -> int:
    """Set what an organisation says of itself. Return the rows touched: 0 where
    it was edited since it had `edits`.
    """
    return changed(
        session,
        update(Organisation)
        .where(col(Organisation.id) == organisation_id, col(Organisation.edits) == edits)
        .values(name=name, address=address, edits=edits + 1),
    )


def membership(session: Session, membership_id: MembershipId) -> Membership | None:
    return session.get(Membership, membership_id)


def membership_by_public_id(session: Session, public_id: PublicId) -> Membership | None:
    return session.exec(select(Membership).where(col(Membership.public_id) == public_id)).first()


def membership_of(
    session: Session, person_id: PersonId, organisation_id: OrganisationId
) -> Membership | None:
    return session.exec(
        select(Membership).where(
            col(Membership.person_id) == person_id,
            col(Membership.organisation_id) == organisation_id,
        )
    ).first()


def memberships_of_person(
    session: Session, person_id: PersonId
) -> Sequence[tuple[Membership, Organisation]]:
    """Return the person's memberships that are active or asked for, with their organisations."""
    return session.exec(
        select(Membership, Organisation)
        .join(Organisation, col(Organisation.id) == col(Membership.organisation_id))
        .where(
            col(Membership.person_id) == person_id,
            col(Membership.state).in_([MembershipState.ACTIVE, MembershipState.REQUESTED]),
        )
        .order_by(col(Membership.id))
    ).all()


def members(
    session: Session, organisation_id: OrganisationId
) -> Sequence[tuple[Membership, Person]]:
    return session.exec(
        select(Membership, Person)
        .join(Person, col(Person.id) == col(Membership.person_id))
        .where(
            col(Membership.organisation_id) == organisation_id,
            col(Membership.state).in_([MembershipState.ACTIVE, MembershipState.REQUESTED]),
        )
        .order_by(col(Membership.state).desc(), col(Membership.id))
    ).all()


def move_membership(
    session: Session,
    membership_id: MembershipId,
    *,
    expected: MembershipState,
    to: MembershipState,
    role: str,
    at: datetime,
) -> int:
    return changed(
        session,
        update(Membership)
        .where(col(Membership.id) == membership_id, col(Membership.state) == expected)
        .values(state=to, role=role, decided_at=at),
    )


def lock_organisation(session: Session, organisation_id: OrganisationId) -> None:
    """Let one decision about an organisation go on at a time: each is judged by those before it.

    Rows that refer to the organisation may be written meanwhile: who wrote one and then takes this
    lock would otherwise wait for another who did the same.
    """
    session.exec(
        select(col(Organisation.id))
        .where(col(Organisation.id) == organisation_id)
        .with_for_update(key_share=True)
    ).one()


def active_managers(session: Session, organisation_id: OrganisationId) -> int:
    count: int = session.exec(
        select(func.count())
        .select_from(Membership)
        .where(
            col(Membership.organisation_id) == organisation_id,
            col(Membership.state) == MembershipState.ACTIVE,
            col(Membership.role) == "manager",
        )
    ).one()
    return count


def other_members(session: Session, organisation_id: OrganisationId, person_id: PersonId) -> int:
    """Return how many active members there are beside the person."""
    count: int = session.exec(
        select(func.count())
        .select_from(Membership)
        .where(
            col(Membership.organisation_id) == organisation_id,
            col(Membership.state) == MembershipState.ACTIVE,
            col(Membership.person_id) != person_id,
        )
    ).one()
    return count


def sign_in_by_token(session: Session, token_hash: str, now: datetime) -> SignIn | None:
    return session.exec(
        select(SignIn).where(
            col(SignIn.token_hash) == token_hash,
            col(SignIn.revoked_at).is_(None),
            col(SignIn.expires_at) > now,
        )
    ).first()


def open_sign_ins(session: Session, person_id: PersonId, now: datetime) -> list[SignIn]:
    return list(
        session.exec(
            select(SignIn)
            .where(
                col(SignIn.person_id) == person_id,
                col(SignIn.revoked_at).is_(None),
                col(SignIn.expires_at) > now,
            )
            .order_by(col(SignIn.last_seen_at).desc())
        )
    )


def revoke_sign_ins(
    session: Session,
    person_id: PersonId,
    now: datetime,
    *,
    public_id: PublicId | None = None,
    but: PublicId | None = None,
) -> int:
    """Revoke one session of the person, all, or all `but` one. Return how many."""
    statement = (
        update(SignIn)
        .where(col(SignIn.person_id) == person_id, col(SignIn.revoked_at).is_(None))
        .values(revoked_at=now)
    )
    if public_id is not None:
        statement = statement.where(col(SignIn.public_id) == public_id)
    if but is not None:
        statement = statement.where(col(SignIn.public_id) != but)
    return changed(session, statement)


def agreed(session: Session, person_id: PersonId) -> None:
    """Ask no session of the person any more."""
    changed(
        session,
        update(SignIn).where(col(SignIn.person_id) == person_id).values(must_agree=False),
    )


def seen(session: Session, sign_in_id: int, now: datetime) -> None:
    changed(
        session,
        update(SignIn).where(col(SignIn.id) == sign_in_id).values(last_seen_at=now),
    )


def act_for(session: Session, sign_in_id: int, membership_id: MembershipId | None) -> None:
    changed(
        session,
        update(SignIn).where(col(SignIn.id) == sign_in_id).values(membership_id=membership_id),
    )


def token_by_hash(session: Session, token_hash: str, now: datetime) -> ApiToken | None:
    return session.exec(
        select(ApiToken).where(
            col(ApiToken.token_hash) == token_hash,
            col(ApiToken.revoked_at).is_(None),
            col(ApiToken.expires_at) > now,
        )
    ).first()


def tokens_of_person(session: Session, person_id: PersonId, now: datetime) -> list[ApiToken]:
    return list(
        session.exec(
            select(ApiToken)
            .where(
                col(ApiToken.person_id) == person_id,
                col(ApiToken.revoked_at).is_(None),
                col(ApiToken.expires_at) > now,
            )
            .order_by(col(ApiToken.id).desc())
        )
    )


def revoke_token(
    session: Session, person_id: PersonId, now: datetime, public_id: PublicId | None = None
) -> int:
    statement = (
        update(ApiToken)
        .where(col(ApiToken.person_id) == person_id, col(ApiToken.revoked_at).is_(None))
        .values(revoked_at=now)
    )
    if public_id is not None:
        statement = statement.where(col(ApiToken.public_id) == public_id)
    return changed(session, statement)


def revoke_tokens_of_membership(
    session: Session, membership_id: MembershipId, now: datetime
) -> int:
    """End the tokens that act for a membership: who is admitted again begins without any."""
    return changed(
        session,
        update(ApiToken)
        .where(col(ApiToken.membership_id) == membership_id, col(ApiToken.revoked_at).is_(None))
        .values(revoked_at=now),
    )


def consents(session: Session, person_id: PersonId) -> list[Consent]:
    return list(
        session.exec(
            select(Consent).where(col(Consent.person_id) == person_id).order_by(col(Consent.id))
        )
    )


def add_consent(
    session: Session, person_id: PersonId, document: str, version: str, at: datetime
) -> None:
    """Write a consent; one that is there stays as it is."""
    dialect = sqlite if is_sqlite(session) else postgresql
    values = {"person_id": person_id, "document": document, "version": version, "at": at}
    changed(session, dialect.insert(Consent).values(**values).on_conflict_do_nothing())


def link_by_hash(session: Session, token_hash: str, now: datetime) -> OneTimeLink | None:
    return session.exec(
        select(OneTimeLink).where(
            col(OneTimeLink.token_hash) == token_hash,
            col(OneTimeLink.used_at).is_(None),
            col(OneTimeLink.expires_at) > now,
        )
    ).first()


def use_link(session: Session, link_id: int, now: datetime) -> int:
    return changed(
        session,
        update(OneTimeLink)
        .where(col(OneTimeLink.id) == link_id, col(OneTimeLink.used_at).is_(None))
        .values(used_at=now),
    )


def hold_person(session: Session, person_id: PersonId) -> tuple[str | None, str]:
    """Return the hash of the password and the state, which stay so until the transaction ends."""
    query = select(col(Person.password_hash), col(Person.state)).where(col(Person.id) == person_id)
    password_hash, state = session.exec(query.with_for_update(key_share=True)).one()
    return password_hash, state


def rehash(session: Session, person: Person, password_hash: str) -> bool:
    """Put another hash of the same password in place of the person's; False where it changed."""
    same = col(Person.password_hash) == person.password_hash
    statement = update(Person).where(col(Person.id) == person.id, same)
    return changed(session, statement.values(password_hash=password_hash)) == 1


def set_password(session: Session, person_id: PersonId, password_hash: str) -> None:
    changed(
        session,
        update(Person).where(col(Person.id) == person_id).values(password_hash=password_hash),
    )


def set_person_state(session: Session, person_id: PersonId, state: PersonState) -> None:
    changed(session, update(Person).where(col(Person.id) == person_id).values(state=state))
