"""My data: everything the market holds of a person, as a copy, and its deletion.

Each noun says its part in its `personal` module; here they are put together.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from market.access import personal as access
from market.accounts import organisations, repository, repository_personal, signin, throttle
from market.accounts import personal as accounts
from market.accounts.models import Organisation, Verification
from market.accounts.policy import Action
from market.accounts.work import Actor, Parts, Work, writing
from market.brokerage import personal as brokerage
from market.catalog import personal as catalog
from market.deals import personal as deals
from market.imports import personal as imports
from market.kit.across import Erase, Held, Holds, Records, Ties
from market.kit.errors import Conflict, Invalid
from market.notices import personal as notices
from market.payments import personal as payments
from market.registry import personal as registry
from market.rewards import personal as rewards

HOLDS: Final[Sequence[Holds]] = (
    accounts.held,
    catalog.held,
    access.held,
    deals.held,
    brokerage.held,
    payments.held,
    rewards.held,
    registry.held,
    notices.held,
    imports.held,
)
# Accounts last: the others find by name and address what they hold.
ERASES: Final[Sequence[Erase]] = (deals.erase, notices.erase, accounts.erase)
TIES: Final[Sequence[Ties]] = (catalog.ties, access.ties, deals.ties, payments.ties, rewards.ties)
KEPT: Final = (
    *accounts.KEPT,
    *catalog.KEPT,
    *deals.KEPT,
    *brokerage.KEPT,
    *payments.KEPT,
    *rewards.KEPT,
    *registry.KEPT,
    *imports.KEPT,
    "您办理的其他事项（对匹配的取舍、增长计划、转化规则、关账）：机构和科技局的业务记录，办理人只以编号记。",
)
"""What stays after a deletion, in sentences that are shown beforehand."""

CONFIRM: Final = "注销账号"
"""What is typed to confirm."""


def copy(work: Work) -> Records:
    """Return everything that is held of the acting person, by heading."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in held(work):
        found.setdefault(one.title, []).extend(one.rows(work.session))
    return found


def counts(work: Work) -> Mapping[str, int]:
    """Return how many rows the copy has under each heading."""
    found: Counter[str] = Counter()
    for one in held(work):
        found[one.title] += one.count(work.session)
    return found


def held(work: Work) -> Iterator[Held[Any]]:
    work.require(Action.DATA_OWN)
    for one in HOLDS:
        yield from one(work.session, work.actor.person)


def obstacles(work: Work, *, deciding: bool = False) -> list[Organisation]:
    """Return the organisations that would be left without a manager: those that others belong to,
    and verified ones that have anything in the market. Somebody else has to be named manager
    first, or the bureau has to close it, which is to say that it is verified no longer.
    """

    def has_any(organisation: Organisation) -> bool:
        return any(ties(work.session, organisation.id) for ties in TIES)

    return [
        organisation
        for organisation, others in organisations.held_by(work, deciding=deciding)
        if others or (organisation.verification == Verification.VERIFIED and has_any(organisation))
    ]


def delete(parts: Parts, actor: Actor, password: str, typed: str, address: str) -> None:
    """Delete the acting person's account: what may go goes, what law keeps stays (KEPT).

    The address may sign up again at once. Raises Invalid at `password` or `confirm`, TooMany,
    Conflict while an organisation depends on the person alone.
    """
    if typed != CONFIRM:
        raise Invalid(fields={"confirm": f"请照样输入“{CONFIRM}”，现在是“{typed[:20]}”"})
    person = signin.require_password(parts, actor, password, "password", address)
    with writing(parts, actor, Action.DATA_OWN) as work:
        signin.require_unchanged(work.session, person)
        if held := obstacles(work, deciding=True):
            names = "、".join(one.name for one in held)
            raise Conflict(f"您是{names}唯一的管理员，请先把另一位成员设为管理员，再注销账号")
        for row, _ in repository.memberships_of_person(work.session, person.id):
            organisations.part(work, row)
        keys = throttle.guess_keys(parts, person.email, address)
        repository_personal.forget_throttle(work.session, keys[:1])
        for erase in ERASES:
            erase(work.session, person.id, work.now)
        work.touched("person", person.public_id)
