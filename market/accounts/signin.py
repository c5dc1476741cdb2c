"""Signing in and out: sessions of the site, tokens of the API, one-time links.

Hashing a password takes 20 ms and more; it is done between transactions, never inside one that
holds the write lock.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from market.accounts import consent, passwords, repository, throttle
from market.accounts.law import Edition
from market.accounts.models import (
    ApiToken,
    Membership,
    MembershipState,
    OneTimeLink,
    Organisation,
    Person,
    PersonState,
    SignIn,
    Verification,
)
from market.accounts.policy import Action, OrganisationKind, Role
from market.accounts.schemas import SignUpIn
from market.accounts.work import ANONYMOUS, Actor, Parts, Work, record_done
from market.kit import audit
from market.kit.errors import Invalid, NotFound
from market.kit.ids import MembershipId, PersonId, PublicId, new_public_id, new_secret

SESSION_LIFE = timedelta(days=14)
SESSION_IDLE = timedelta(hours=12)
TOKEN_LIFE = timedelta(days=365)
LINK_LIFE = timedelta(days=3)
SEEN_EVERY = timedelta(minutes=1)

WRONG = "邮箱或密码不对"
REGISTERED = "这个邮箱已经注册，请直接登录"
USED_LINK = "这个链接用过了或已过期，请向管理员再要一个"


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a request comes from, and the session it came with."""

    actor: Actor
    sign_in: SignIn | None = None


def actor_of(session: Session, person: Person, membership_id: MembershipId | None) -> Actor:
    """Return the actor for a person and the membership the session or token is bound to.

    A membership that is no longer active leaves the person acting for no organisation.
    """
    membership = repository.membership(session, membership_id) if membership_id else None
    if (
        membership is None
        or membership.state != MembershipState.ACTIVE
        or membership.person_id != person.id
    ):
        return Actor(role=Role.PERSON, person_id=person.id, person_name=person.name)
    organisation = repository.organisation(session, membership.organisation_id)
    return acting(person, membership, organisation)


def acting(person: Person, membership: Membership, organisation: Organisation) -> Actor:
    return Actor(
        role=Role(membership.role),
        person_id=person.id,
        person_name=person.name,
        membership_id=membership.id,
        organisation_id=organisation.id,
        organisation_public_id=organisation.public_id,
        organisation_name=organisation.name,
        kind=OrganisationKind(organisation.kind),
        verified=organisation.verification == Verification.VERIFIED,
    )


def by_session(session: Session, token: str, now: datetime) -> Identity:
    """Return the identity behind a session cookie, or nobody."""
    row = repository.sign_in_by_token(session, digest(token), now)
    if row is None or now - row.last_seen_at > SESSION_IDLE:
        return Identity(ANONYMOUS)
    person = repository.person(session, row.person_id)
    if person.state != PersonState.ACTIVE:
        return Identity(ANONYMOUS)
    return Identity(actor_of(session, person, row.membership_id), row)


def by_token(session: Session, token: str, now: datetime) -> Actor | None:
    """Return the actor behind an API token, or None where it is unknown, revoked or expired."""
    row = repository.token_by_hash(session, digest(token), now)
    if row is None:
        return None
    person = repository.person(session, row.person_id)
    if person.state != PersonState.ACTIVE:
        return None
    return actor_of(session, person, row.membership_id)


def check_password(parts: Parts, email: str, password: str, address: str) -> Person:
    """Return the person whose password this is.

    What is granted for it is written later, after `require_unchanged`. Raises Invalid at
    `password`, or TooMany after too many failures of this account or address.
    """
    now = parts.clock.now()
    keys = throttle.guess_keys(parts, email, address)
    with parts.database.write() as session:
        counted = throttle.count_guess(session, keys, now)
        person = repository.person_by_email(session, email)
    if (
        not passwords.matches(password, person.password_hash if person else None)
        or person is None
        or person.state != PersonState.ACTIVE
    ):
        actor = Actor(person_id=person.id) if person else ANONYMOUS
        _record_wrong_password(parts, actor, Action.SIGN_IN, now)
        raise Invalid(WRONG, {"password": WRONG})
    outdated = person.password_hash is not None and passwords.outdated(person.password_hash)
    fresh = passwords.hashed(password) if outdated else None
    with parts.database.write() as session:
        throttle.take_back(session, counted)
        if fresh and repository.rehash(session, person, fresh):
            person.password_hash = fresh
    return person


def require_unchanged(session: Session, person: Person, field: str = "password") -> None:
    """Hold the account as it was when its password was checked, until the transaction ends.

    Raises Invalid at `field` where the password was changed, or the account closed, meanwhile:
    what is asked for with the old password must not outlive the change, which ends all there is.
    """
    if repository.hold_person(session, person.id) != (person.password_hash, PersonState.ACTIVE):
        raise Invalid(WRONG, {field: WRONG})


def _record_wrong_password(parts: Parts, actor: Actor, action: str, now: datetime) -> None:
    with parts.database.write() as session:
        audit.write(
            session,
            at=now,
            person_id=actor.person_id,
            organisation_id=actor.organisation_id,
            role=actor.role,
            action=action,
            subject=None,
            outcome=audit.Outcome.FAILED,
        )


def require_password(parts: Parts, actor: Actor, password: str, field: str, address: str) -> Person:
    """Return the signed-in person whose own password was given again at `field`.

    Raises Invalid at `field`, or TooMany: a session left open on a desk is no way to guess it.
    """
    now = parts.clock.now()
    with parts.database.write() as session:
        person = repository.person(session, actor.person)
        keys = throttle.guess_keys(parts, person.email, address)
        counted = throttle.count_guess(session, keys, now)
    if not passwords.matches(password, person.password_hash):
        _record_wrong_password(parts, actor, "password.check", now)
        raise Invalid(fields={field: "密码不对"})
    with parts.database.write() as session:
        throttle.take_back(session, counted)
    return person


def open_session(parts: Parts, person: Person, agent: str) -> str:
    """Open a session under a new id and return its token for the cookie.

    It acts for the person's first active membership. Raises Invalid at `password` where it was
    changed since it was checked.
    """
    token, now = new_secret(), parts.clock.now()
    with parts.database.write() as session:
        require_unchanged(session, person)
        active = [
            membership
            for membership, _ in repository.memberships_of_person(session, person.id)
            if membership.state == MembershipState.ACTIVE
        ]
        session.add(
            SignIn(
                public_id=new_public_id(),
                token_hash=digest(token),
                person_id=person.id,
                membership_id=active[0].id if active else None,
                csrf=new_secret(),
                agent=agent[:120],
                created_at=now,
                last_seen_at=now,
                expires_at=now + SESSION_LIFE,
                must_agree=bool(consent.missing(session, person.id, now)),
            )
        )
        work = Work(
            session, parts, actor_of(session, person, active[0].id if active else None), now
        )
        record_done(work, Action.SIGN_IN)
    return token


def sign_up(parts: Parts, form: SignUpIn, address: str) -> Person:
    """Create an account of somebody who agrees to what is in force.

    Raises Invalid at `agreed`, at `email` where it is taken, or TooMany from one address.
    """
    consent.require(agreed=form.agreed)
    throttle.count_sign_up(parts, address)
    password_hash = passwords.hashed(form.password)
    with parts.database.write() as session:
        if repository.person_by_email(session, form.email) is not None:
            raise Invalid(fields={"email": REGISTERED})
        person = Person(
            public_id=new_public_id(),
            email=form.email,
            name=form.name,
            phone=form.phone,
            password_hash=password_hash,
            created_at=parts.clock.now(),
        )
        session.add(person)
        try:
            session.flush()
        except IntegrityError:  # the same form sent twice at once
            raise Invalid(fields={"email": REGISTERED}) from None
        consent.give(session, person.id, parts.clock.now())
        work = Work(session, parts, Actor(Role.PERSON, person.id, person.name), parts.clock.now())
        work.touched("person", person.public_id)
        record_done(work, "sign_up")
    return person


def note_seen(parts: Parts, sign_in: SignIn, now: datetime) -> None:
    """Remember that a session is in use, after the answer; a minute's precision will do."""
    if now - sign_in.last_seen_at >= SEEN_EVERY:
        sign_in_id = sign_in.id
        parts.journal.add(
            f"seen:{sign_in_id}", lambda session: repository.seen(session, sign_in_id, now)
        )


def switch_organisation(work: Work, sign_in_token: str, membership: PublicId) -> None:
    """Let the session act for another of the person's organisations."""
    row = repository.membership_by_public_id(work.session, membership)
    sign_in = repository.sign_in_by_token(work.session, digest(sign_in_token), work.now)
    if (
        row is None
        or sign_in is None
        or row.person_id != work.actor.person
        or row.state != MembershipState.ACTIVE
    ):
        raise NotFound
    repository.act_for(work.session, sign_in.id, row.id)


def agree(work: Work) -> None:
    """Write that the person agrees to what is in force, and ask no session of theirs again."""
    consent.give(work.session, work.actor.person, work.now)
    repository.agreed(work.session, work.actor.person)


def sign_out_others(work: Work, this: PublicId | None) -> int:
    """Revoke all sessions of the person but this one. Return how many."""
    return repository.revoke_sign_ins(work.session, work.actor.person, work.now, but=this)


def sign_out(work: Work, sign_in: PublicId | None) -> None:
    """Revoke one session of the person, or all of them where none is named."""
    if (
        repository.revoke_sign_ins(work.session, work.actor.person, work.now, public_id=sign_in)
        == 0
    ):
        raise NotFound


def new_token(
    work: Work, person_id: PersonId, name: str, membership_id: MembershipId | None
) -> tuple[ApiToken, str]:
    """Make an API token and return it with its secret, which is shown this once."""
    secret = f"zh_{new_secret()}"
    row = ApiToken(
        public_id=new_public_id(),
        token_hash=digest(secret),
        person_id=person_id,
        membership_id=membership_id,
        name=name,
        created_at=work.now,
        expires_at=work.now + TOKEN_LIFE,
    )
    work.session.add(row)
    work.session.flush()
    work.touched("token", row.public_id)
    return row, secret


def revoke_token(work: Work, token: PublicId) -> None:
    if repository.revoke_token(work.session, work.actor.person, work.now, token) == 0:
        raise NotFound
    work.touched("token", token)


def new_link(work: Work, person_id: PersonId) -> str:
    """Return the secret of a link by which the person sets the password once."""
    secret = new_secret()
    work.session.add(
        OneTimeLink(
            token_hash=digest(secret),
            person_id=person_id,
            created_at=work.now,
            expires_at=work.now + LINK_LIFE,
        )
    )
    return secret


def link_asks(session: Session, secret: str, now: datetime) -> tuple[Edition, ...] | None:
    """Return what the person of a good link has still to agree to, or None for no good link."""
    link = repository.link_by_hash(session, digest(secret), now)
    if link is None or repository.person(session, link.person_id).state != PersonState.ACTIVE:
        return None
    return consent.missing(session, link.person_id, now)


def set_password_by_link(parts: Parts, secret: str, password: str, *, agreed: bool) -> None:
    """Set the password, use the link up and end all sessions and tokens.

    Raises NotFound, Invalid at `agreed` for somebody who has not agreed to what is in force.
    """
    with parts.database.read() as session:
        asked = link_asks(session, secret, parts.clock.now())
    if asked is None:
        raise NotFound(USED_LINK)
    if asked:
        consent.require(agreed=agreed)
    password_hash = passwords.hashed(password)
    now = parts.clock.now()
    with parts.database.write() as session:
        link = repository.link_by_hash(session, digest(secret), now)
        if link is None or repository.use_link(session, link.id, now) != 1:
            raise NotFound(USED_LINK)
        person = repository.person(session, link.person_id)
        if agreed:
            consent.give(session, person.id, now)
        _replace_password(session, person, password_hash, now)
        work = Work(session, parts, Actor(Role.PERSON, person.id, person.name), now)
        record_done(work, "password.set")


def change_password(parts: Parts, actor: Actor, old: str, new: str, address: str) -> None:
    """Change one's own password, end all sessions and tokens. Raises Invalid at `old`, TooMany."""
    person = require_password(parts, actor, old, "old", address)
    password_hash, now = passwords.hashed(new), parts.clock.now()
    with parts.database.write() as session:
        require_unchanged(session, person, "old")
        _replace_password(session, person, password_hash, now)
        record_done(Work(session, parts, actor, now), "password.set")


def _replace_password(session: Session, person: Person, password_hash: str, now: datetime) -> None:
    repository.set_password(session, person.id, password_hash)
    repository.revoke_sign_ins(session, person.id, now)
    repository.revoke_token(session, person.id, now)
