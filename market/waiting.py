"""What waits for a person, across nouns: every noun says it, the open tasks follow."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlmodel import Session

from market.access import waiting as access
from market.accounts import waiting as accounts
from market.accounts.work import MemberMoved, Parts
from market.brokerage import waiting as brokerage
from market.catalog import waiting as catalog
from market.deals import waiting as deals
from market.deals import waiting_plans as plans
from market.imports import waiting as imports
from market.kit import notify
from market.kit.ids import OrganisationId, PersonId
from market.kit.jobs import Chunk, ChunkHandler, Job
from market.kit.notify import Task
from market.payments import waiting as payments
from market.registry import waiting as registry
from market.rules.versions import RECOUNT

_NOUNS: Final[Mapping[str, tuple[Collection[str], Callable[[Session], Iterator[Task]]]]] = {
    "accounts": (accounts.KINDS, accounts.tasks),
    "catalog": (catalog.KINDS, catalog.tasks),
    "access": (access.KINDS, access.tasks),
    "deals": (deals.KINDS, deals.tasks),
    "brokerage": (brokerage.KINDS, brokerage.tasks),
    "payments": (payments.KINDS, payments.tasks),
    "registry": (registry.KINDS, registry.tasks),
    "imports": (imports.KINDS, imports.tasks),
}


MEMBER_MOVED: Final[Sequence[MemberMoved]] = (imports.member_moved, plans.member_moved)
ROUNDS: Final = 5


def member_moved(
    session: Session, person_id: PersonId, organisation_id: OrganisationId, at: datetime
) -> None:
    """Let what waits for a person on behalf of an organisation follow the membership."""
    for follow in MEMBER_MOVED:
        follow(session, person_id, organisation_id, at)


def put_right(session: Session, at: datetime) -> int:
    """Make the open tasks of all nouns what waits in them: after an upgrade from before there were
    any, or where an audit finds them different. Return how many were not.

    Others go on meanwhile, and what they end while this looks may be begun again: it looks again
    until it finds nothing, which on a market in motion may take a few rounds.
    """
    return sum(_until_right(session, kinds, tasks, at) for kinds, tasks in _NOUNS.values())


def _until_right(
    session: Session,
    kinds: Collection[str],
    tasks: Callable[[Session], Iterator[Task]],
    at: datetime,
) -> int:
    wrong = 0
    for _ in range(ROUNDS):
        session.expire_all()
        found = notify.put_right(session, kinds, tasks(session), at=at)
        wrong += found
        if not found:
            break
    return wrong


def handlers(parts: Parts) -> Mapping[str, ChunkHandler]:
    """Return the job that follows a change of rules or holidays: all days are computed anew."""

    def recount(session: Session, _job: Job) -> Chunk:
        put_right(session, parts.clock.now())
        return Chunk(None)

    return {RECOUNT: recount}
