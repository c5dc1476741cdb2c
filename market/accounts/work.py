"""One transaction as a service sees it: the session, the time, and who acts.

Every service function takes a `Work` first. It never commits: the edge that opened it does.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from sqlmodel import Session

from market.accounts.policy import (
    POLICY,
    Action,
    OrganisationKind,
    Relation,
    Role,
    allows,
    allows_ever,
)
from market.kit import audit
from market.kit.clock import Clock, local_date
from market.kit.db import Database
from market.kit.errors import Forbidden, MarketError, NotFound, NotSignedIn, Refused
from market.kit.files import FileStore
from market.kit.ids import MembershipId, OrganisationId, PersonId, PublicId
from market.kit.journal import Journal
from market.kit.memo import Memos


@dataclass(frozen=True, slots=True)
class Actor:
    """A person acting for one organisation, or nobody."""

    role: Role = Role.ANONYMOUS
    person_id: PersonId | None = None
    person_name: str = ""
    membership_id: MembershipId | None = None
    organisation_id: OrganisationId | None = None
    organisation_public_id: PublicId | None = None
    organisation_name: str = ""
    kind: OrganisationKind | None = None
    verified: bool = False

    def may(self, action: Action, relation: Relation) -> bool:
        return allows(action, relation, role=self.role, kind=self.kind, verified=self.verified)

    def may_ever(self, action: Action) -> bool:
        return allows_ever(action, role=self.role, kind=self.kind, verified=self.verified)

    @property
    def person(self) -> PersonId:
        """Return the person. Raises NotSignedIn for nobody."""
        if self.person_id is None:
            raise NotSignedIn
        return self.person_id

    @property
    def organisation(self) -> OrganisationId:
        """Return the acting organisation. Raises Forbidden where there is none."""
        if self.organisation_id is None:
            raise Forbidden("请先创建或加入机构，再做这件事")
        return self.organisation_id


ANONYMOUS = Actor()
LOG_DAYS = 190
AUDIT_DAYS = 365  # two looks back at the same time of the year


MemberMoved = Callable[[Session, PersonId, OrganisationId, datetime], None]


@dataclass(frozen=True, slots=True)
class Parts:
    """What wiring built and every transaction needs; one a process.

    `member_moved` is told of every membership that begins, ends or changes, in its transaction:
    other nouns follow it. `audit_days`: how long the audit is kept, never less than the law wants
    (`kit.audit`). `log_days`: how long the log files are, which the processes themselves delete.
    """

    database: Database
    clock: Clock
    files: FileStore
    journal: Journal
    secret: bytes
    demo: bool
    member_moved: MemberMoved
    audit_days: int = AUDIT_DAYS
    log_days: int = LOG_DAYS
    memos: Memos = field(default_factory=Memos)


@dataclass(slots=True)
class Work:
    """One transaction. `now` stands still for its length; `subject` names what it changed."""

    session: Session
    parts: Parts
    actor: Actor
    now: datetime
    subject: str | None = None
    abandoned: bool = False

    @property
    def today(self) -> date:
        """Return today's date in China, by which deadlines count."""
        return local_date(self.now)

    def may(self, action: Action, relation: Relation = Relation.OWN) -> bool:
        return self.actor.may(action, relation)

    def require(self, action: Action, relation: Relation = Relation.OWN) -> None:
        """Go on only where the policy allows it.

        Raises NotSignedIn for nobody, Forbidden for others. Call it after the object was found to
        be visible; an object that is not visible is NotFound.
        """
        if self.may(action, relation):
            return
        if self.actor.role is Role.ANONYMOUS:
            raise NotSignedIn
        raise Forbidden(why_not(self.actor, action))

    def touched(self, kind: str, public_id: str) -> None:
        """Name the object of this change for the audit row."""
        self.subject = f"{kind}:{public_id}"

    def abandon(self) -> None:
        """Undo all of this transaction; what follows in it only reads (a form shown again)."""
        self.session.rollback()
        self.abandoned = True


def why_not(actor: Actor, action: Action) -> str:
    """Return the sentence that tells a person why the policy refuses."""
    rule = POLICY[action]
    if actor.organisation_id is None and actor.role is Role.PERSON:
        return "请先创建或加入机构，再做这件事"
    if rule.verified and not actor.verified and replace(actor, verified=True).may_ever(action):
        return "贵单位还没有通过科技局核验，核验后才能做这件事"
    return Forbidden.default


def require_ever(actor: Actor, action: Action) -> None:
    """Turn away, before anything is looked up, an actor who may never do the action."""
    if actor.may_ever(action):
        return
    if actor.role is Role.ANONYMOUS:
        raise NotSignedIn
    raise Forbidden(why_not(actor, action))


@contextmanager
def writing(parts: Parts, actor: Actor, action: str) -> Iterator[Work]:
    """Open a writing transaction for an actor known beforehand (command line, jobs).

    The audit row of the change is written with it.
    """
    with parts.database.write() as session:
        work = Work(session, parts, actor, parts.clock.now())
        yield work
        record_done(work, action)


def record_done(work: Work, action: str) -> None:
    if work.abandoned:
        return
    audit.write(
        work.session,
        at=work.now,
        person_id=work.actor.person_id,
        organisation_id=work.actor.organisation_id,
        role=work.actor.role,
        action=action,
        subject=work.subject,
        outcome=audit.Outcome.DONE,
    )


def record_refusal(
    parts: Parts, actor: Actor, action: str, subject: str | None, error: MarketError
) -> None:
    """Write the audit row of a refusal in a transaction of its own, after the rollback."""
    if not isinstance(error, (Refused, NotSignedIn)):
        return
    # Guessing at ids is worth a row; a stranger's 404 on a public page is not.
    if isinstance(error, NotFound | NotSignedIn) and actor.person_id is None:
        return
    with parts.database.write() as session:
        audit.write(
            session,
            at=parts.clock.now(),
            person_id=actor.person_id,
            organisation_id=actor.organisation_id,
            role=actor.role,
            action=action,
            subject=subject,
            outcome=audit.Outcome.REFUSED,
            detail=error.message,
        )
