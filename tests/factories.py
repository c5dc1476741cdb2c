"""Ready-made people, organisations and listings, made through the services where it matters."""

import itertools
from datetime import timedelta

from market.accounts import consent, creditcode, signin
from market.accounts.models import (
    Membership,
    MembershipState,
    Organisation,
    Person,
    SignIn,
    Verification,
)
from market.accounts.policy import OrganisationKind, Role
from market.accounts.work import Actor, Parts
from market.kit.ids import new_public_id, new_secret
from tests.support.market import work_for

_COUNTER = itertools.count(1)


def credit_code(n: int | None = None) -> str:
    """Return a code with a right check digit, in a range that is not assigned."""
    first17 = f"93990000{(n or next(_COUNTER)):09d}"
    return first17 + creditcode.check_digit(first17)


def organisation(
    parts: Parts,
    kind: OrganisationKind = OrganisationKind.UNIVERSITY,
    *,
    name: str | None = None,
    verified: bool = True,
    state_founded: bool = False,
    self_publish: bool = False,
    region: str = "500106",
) -> Organisation:
    n = next(_COUNTER)
    now = parts.clock.now()
    row = Organisation(
        public_id=new_public_id(),
        kind=kind,
        name=name or f"示范机构{n}",
        credit_code=credit_code(n),
        region=region,
        state_founded=state_founded,
        self_publish=self_publish,
        verification=Verification.VERIFIED if verified else Verification.PENDING,
        verified_at=now if verified else None,
        created_at=now,
    )
    with parts.database.write() as session:
        session.add(row)
    return row


def person(parts: Parts, *, name: str | None = None, password_hash: str | None = None) -> Person:
    n = next(_COUNTER)
    row = Person(
        public_id=new_public_id(),
        email=f"p{n}@example.com",
        name=name or f"示范人{n}",
        password_hash=password_hash,
        created_at=parts.clock.now(),
    )
    with parts.database.write() as session:
        session.add(row)
        session.flush()
        consent.give(session, row.id, parts.clock.now())
    return row


def actor(
    parts: Parts,
    role: Role = Role.MANAGER,
    at: Organisation | None = None,
    *,
    kind: OrganisationKind = OrganisationKind.UNIVERSITY,
) -> Actor:
    """Return an actor: a new person with a role in an organisation (a new one by default)."""
    if role is Role.ANONYMOUS:
        return Actor()
    someone = person(parts)
    if role is Role.PERSON:
        return Actor(role, someone.id, someone.name)
    special = {
        Role.OFFICER: OrganisationKind.BUREAU,
        Role.OPERATOR: OrganisationKind.PLATFORM,
        Role.AUDITOR: OrganisationKind.PLATFORM,
    }
    place = at or organisation(parts, special.get(role, kind))
    membership = Membership(
        public_id=new_public_id(),
        person_id=someone.id,
        organisation_id=place.id,
        role=role,
        state=MembershipState.ACTIVE,
        created_at=parts.clock.now(),
        decided_at=parts.clock.now(),
    )
    with parts.database.write() as session:
        session.add(membership)
    return signin.acting(someone, membership, place)


def join(parts: Parts, who: Actor, organisation: Organisation) -> None:
    """Let somebody be of another organisation, too."""
    now = parts.clock.now()
    with parts.database.write() as session:
        session.add(
            Membership(
                public_id=new_public_id(),
                person_id=who.person,
                organisation_id=organisation.id,
                role=Role.VIEWER,
                state=MembershipState.ACTIVE,
                created_at=now,
                decided_at=now,
            )
        )


def token(parts: Parts, who: Actor) -> str:
    """Return an API token of the actor."""
    with work_for(parts, who) as work:
        return signin.new_token(work, who.person, "test", who.membership_id)[1]


def cookie(parts: Parts, who: Actor) -> tuple[str, str]:
    """Return (session cookie, csrf token) of the actor, acting for the actor's organisation."""
    secret, csrf = new_secret(), new_secret()
    now = parts.clock.now()
    with parts.database.write() as session:
        session.add(
            SignIn(
                public_id=new_public_id(),
                token_hash=signin.digest(secret),
                person_id=who.person,
                membership_id=who.membership_id,
                csrf=csrf,
                created_at=now,
                last_seen_at=now,
                expires_at=now + timedelta(days=365),
            )
        )
    return secret, csrf
