"""Who reads a registration, and what of it.

Related are those who are its parties now (`standing`), and the further parties of the deal, who
read and leave the steps to those that lead. A party that left by a change goes on reading the
registration as it stood while it was one: its steps, names and amounts, and nothing after.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from market.access import mandates
from market.access.mandates import Served
from market.accounts.policy import Relation, Role
from market.accounts.work import Work
from market.deals import service as deals
from market.kit.clock import local_date
from market.registry import repository, standing
from market.registry.models import Registration, RegistrationEvent
from market.registry.repository import Filed

_AFTER: dict[str, Any] = {
    "reversal_id": None,
    "withdraw_reason": "",
    "withdrawn_by": None,
    "withdrawn_at": None,
    "end_cause": "",
}


def of(work: Work, found: Filed) -> tuple[Filed, Relation]:
    """Return what the actor reads of a registration, and what it is to it."""
    return of_many(work, [found])[0]


def of_many(work: Work, found: Sequence[Filed]) -> list[tuple[Filed, Relation]]:
    """As `of`, of several; the steps of those that were changed are read at once."""
    if work.actor.role is Role.OFFICER:
        return [(one, Relation.OTHER) for one in found]
    # Where nothing moved a party, there is nobody who left.
    moved = [one.row.id for one in found if one.row.changes]
    steps = repository.events_of(work.session, moved) if moved else {}
    joint = deals.further_sides(work, [one.deal for one in found])
    served = mandates.served(work)
    return [
        _one(work, one, steps.get(one.row.id, ()), joint=one.deal.id in joint, served=served)
        for one in found
    ]


def _one(
    work: Work, found: Filed, steps: Sequence[RegistrationEvent], *, joint: bool, served: Served
) -> tuple[Filed, Relation]:
    row, contract = found.row, found.contract
    now = _relation(work, standing.of(row, contract), served)
    if now in (Relation.OWN, Relation.COUNTERPART):
        return found, now
    if joint:
        return replace(found, reads_only=True), Relation.COUNTERPART
    if now is not None:
        return found, now
    first = standing.registered(row, contract)
    for step in reversed(steps):
        then = _relation(work, first | step.in_force, served)
        if then is not None:
            return _as_of(found, step, steps), then
    return found, Relation.OTHER


def _relation(work: Work, parties: dict[str, Any], served: Served) -> Relation | None:
    return deals.relation_to(
        work, seller_id=parties["seller_id"], buyer_id=parties["buyer_id"], served=served
    )


def _as_of(found: Filed, step: RegistrationEvent, steps: Sequence[RegistrationEvent]) -> Filed:
    """Return a registration as it stood after a step, for reading: the row is a copy."""
    then = {
        "state": step.to_state,
        "total_fen": step.total_fen,
        "technical_fen": step.technical_fen,
        "in_force": step.in_force,
    }
    row = Registration(**(found.row.model_dump() | _AFTER | then))
    left = next(one for one in steps if one.place > step.place)
    return replace(found, row=row, reads_only=True, until=step.place, left_on=local_date(left.at))


def party_left(found: Filed) -> bool:
    """Return whether a change has put another party in the place of one that signed."""
    return bool({"seller_id", "buyer_id", "seller_name", "buyer_name"} & found.row.in_force.keys())
