"""People, the organisations they act for, and the proofs of who they are."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field

from market.accounts.law import Document
from market.accounts.policy import OrganisationKind, Role
from market.kit.columns import (
    Table,
    check,
    choice,
    fk,
    moment,
    one_of,
    pk,
    public_id,
    words,
)
from market.kit.ids import MembershipId, OrganisationId, PersonId, PublicId


class PersonState(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"


class Verification(StrEnum):
    PENDING = "pending"
    VERIFIED = "verified"
    REFUSED = "refused"


class MembershipState(StrEnum):
    REQUESTED = "requested"
    ACTIVE = "active"
    REFUSED = "refused"
    LEFT = "left"


class Person(Table, table=True):
    """`deleted_at` is when the person withdrew; from then on the row is but a pseudonym."""

    __tablename__ = "person"
    __table_args__ = (one_of("state", PersonState),)

    id: PersonId = pk()
    public_id: PublicId = public_id()
    email: str = Field(max_length=200, unique=True)
    name: str = words(60)
    phone: str = words(30, default="")
    password_hash: str | None = words(200, nullable=True)
    state: str = choice(default=PersonState.ACTIVE)
    created_at: datetime = moment()
    deleted_at: datetime | None = moment(nullable=True)


class Consent(Table, table=True):
    """That a person agreed to one edition of a document; append-only, kept as the proof of it."""

    __tablename__ = "consent"
    __table_args__ = (
        one_of("document", Document),
        UniqueConstraint("person_id", "document", "version"),
    )

    id: int = pk()
    person_id: PersonId = fk("person.id", index=False)
    document: str = choice()
    version: str = words(20)
    at: datetime = moment()


class Organisation(Table, table=True):
    """One university, company, agency, the bureau, or the platform's own team.

    `state_founded` units price by law (促进科技成果转化法 18). `self_publish` is the bureau's leave
    to publish without review. `region` is a GB/T 2260 code.
    """

    __tablename__ = "organisation"
    __table_args__ = (
        one_of("kind", OrganisationKind),
        one_of("verification", Verification),
        Index("ix_organisation_name", "name"),
    )

    id: OrganisationId = pk()
    public_id: PublicId = public_id()
    kind: str = choice()
    name: str = words(120)
    credit_code: str | None = Field(default=None, max_length=18, unique=True)
    region: str = words(6)
    address: str = words(200, default="")
    state_founded: bool = Field(default=False)
    self_publish: bool = Field(default=False)
    verification: str = choice(default=Verification.PENDING, index=True)
    verification_note: str = words(300, default="")
    verified_at: datetime | None = moment(nullable=True)
    demo: bool = Field(default=False)
    # Raised by every edit, by a manager or by the bureau.
    edits: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    created_at: datetime = moment()


class Membership(Table, table=True):
    __tablename__ = "membership"
    __table_args__ = (
        one_of("role", Role),
        one_of("state", MembershipState),
        UniqueConstraint("person_id", "organisation_id"),
    )

    id: MembershipId = pk()
    public_id: PublicId = public_id()
    person_id: PersonId = fk("person.id")
    organisation_id: OrganisationId = fk("organisation.id")
    role: str = choice()
    state: str = choice()
    created_at: datetime = moment()
    decided_at: datetime | None = moment(nullable=True)


class SignIn(Table, table=True):
    """A session of the site; the browser holds the token, the row its hash (revocable).

    `must_agree`: a newer privacy notice or newer terms are asked about before anything else.
    """

    __tablename__ = "sign_in"

    id: int = pk()
    public_id: PublicId = public_id()
    token_hash: str = Field(max_length=64, unique=True)
    person_id: PersonId = fk("person.id")
    membership_id: MembershipId | None = fk("membership.id", nullable=True, index=False)
    csrf: str = words(60)
    agent: str = words(120, default="")
    created_at: datetime = moment()
    last_seen_at: datetime = moment()
    expires_at: datetime = moment()
    revoked_at: datetime | None = moment(nullable=True)
    must_agree: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})


class ApiToken(Table, table=True):
    """A token for the API, bound to one membership; shown once, kept as a hash."""

    __tablename__ = "api_token"

    id: int = pk()
    public_id: PublicId = public_id()
    token_hash: str = Field(max_length=64, unique=True)
    person_id: PersonId = fk("person.id")
    membership_id: MembershipId | None = fk("membership.id", nullable=True)
    name: str = words(60)
    created_at: datetime = moment()
    expires_at: datetime = moment()
    revoked_at: datetime | None = moment(nullable=True)


class OneTimeLink(Table, table=True):
    """A link by which a person sets the password once: first accounts and lost passwords."""

    __tablename__ = "one_time_link"

    id: int = pk()
    token_hash: str = Field(max_length=64, unique=True)
    person_id: PersonId = fk("person.id")
    created_at: datetime = moment()
    expires_at: datetime = moment()
    used_at: datetime | None = moment(nullable=True)


class SignInFailure(Table, table=True):
    """One event that a throttle counts: a wrong password by account and by address, a sign-up by
    address. The keys are hashed and name nobody.
    """

    __tablename__ = "sign_in_failure"
    __table_args__ = (
        check("key_length", "length(key) = 64"),
        Index("ix_sign_in_failure_key", "key", "at"),
    )

    id: int = pk()
    key: str = words(64)
    at: datetime = moment()
