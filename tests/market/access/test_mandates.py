"""Mandates: granted, accepted, refused, ended, and in force only within their term."""

from datetime import date

import pytest

from market.access import mandates
from market.access.models import Mandate, MandateState
from market.access.schemas import MandateDecisionIn, MandateIn
from market.accounts.models import Organisation
from market.accounts.policy import OrganisationKind, Role
from market.accounts.work import Actor, Parts
from market.kit.errors import Conflict, Forbidden, Invalid, NotFound
from tests import factories
from tests.support.clock import FakeClock
from tests.support.market import read_for, work_for
from tests.support.trade import at_once

ACCEPT = MandateDecisionIn(decision="accept")


@pytest.fixture
def office(parts: Parts) -> Organisation:
    return factories.organisation(parts, OrganisationKind.AGENCY)


@pytest.fixture
def agency(parts: Parts, office: Organisation) -> Actor:
    return factories.actor(parts, at=office)


@pytest.fixture
def principal(parts: Parts) -> Actor:
    return factories.actor(parts)


def form(to: Actor, **changes: object) -> MandateIn:
    plain = MandateIn(
        agency=to.organisation_public_id or "",
        as_seller=True,
        scope="先进制造领域成果",
        fee="成交额的3%",
        valid_from=date(2026, 11, 2),
        valid_until=date(2026, 12, 31),
    )
    return plain.model_copy(update=changes)


def grant(parts: Parts, principal: Actor, to: Actor, **changes: object) -> Mandate:
    with work_for(parts, principal) as work:
        return mandates.grant(work, form(to, **changes))


def decide(
    parts: Parts, actor: Actor, row: Mandate, decision: MandateDecisionIn = ACCEPT
) -> Mandate:
    with work_for(parts, actor) as work:
        return mandates.decide(work, row.public_id, decision)


def end(parts: Parts, actor: Actor, row: Mandate) -> Mandate:
    with work_for(parts, actor) as work:
        return mandates.end(work, row.public_id)


def acts_for(parts: Parts, agency: Actor) -> tuple[int, int]:
    """Return for how many sellers and buyers the agency may act today."""
    with read_for(parts, agency) as work:
        served = mandates.served(work)
        return len(served.sellers), len(served.buyers)


def test_a_mandate_is_in_force_once_accepted_and_until_ended(
    parts: Parts, principal: Actor, agency: Actor
) -> None:
    row = grant(parts, principal, agency)
    assert acts_for(parts, agency) == (0, 0)
    assert decide(parts, agency, row).state == MandateState.LIVE
    assert acts_for(parts, agency) == (1, 0)
    assert end(parts, agency, row).state == MandateState.ENDED
    assert acts_for(parts, agency) == (0, 0)
    with pytest.raises(Conflict):
        end(parts, principal, row)


def test_a_mandate_counts_only_within_its_term(
    parts: Parts, clock: FakeClock, principal: Actor, agency: Actor
) -> None:
    late = {"valid_from": date(2026, 11, 10), "valid_until": date(2026, 11, 20)}
    decide(parts, agency, grant(parts, principal, agency, as_buyer=True, **late))
    found = {}
    for day in ("2026-11-09", "2026-11-10", "2026-11-20", "2026-11-21"):
        clock.set_local(f"{day} 12:00")
        found[day] = acts_for(parts, agency)
    assert found == {
        "2026-11-09": (0, 0),
        "2026-11-10": (1, 1),
        "2026-11-20": (1, 1),
        "2026-11-21": (0, 0),
    }
    grant(parts, principal, agency)  # the one whose term is over stands in nobody's way


def test_each_step_has_its_side(
    parts: Parts, principal: Actor, agency: Actor, office: Organisation
) -> None:
    row = grant(parts, principal, agency)
    with pytest.raises(Forbidden):
        decide(parts, principal, row)
    with pytest.raises(Forbidden):
        decide(parts, factories.actor(parts, Role.EDITOR, office), row)
    with pytest.raises(NotFound):
        decide(parts, factories.actor(parts, kind=OrganisationKind.AGENCY), row)
    with pytest.raises(Conflict, match="接受或不接受"):
        end(parts, agency, row)
    with pytest.raises(Forbidden):
        grant(parts, agency, agency)
    refused = decide(parts, agency, row, MandateDecisionIn(decision="refuse", reason="排不开"))
    assert (refused.state, refused.refuse_reason) == (MandateState.REFUSED, "排不开")
    with pytest.raises(Conflict):
        decide(parts, agency, row)


def test_what_a_mandate_must_say(parts: Parts, principal: Actor, agency: Actor) -> None:
    wrong = {
        "as_seller": {"as_seller": False},
        "valid_until": {"valid_until": date(2026, 11, 1)},
        "agency": {"agency": principal.organisation_public_id},
    }
    for field, changes in wrong.items():
        with pytest.raises(Invalid) as error:
            grant(parts, principal, agency, **changes)
        assert list(error.value.fields) == [field]
    grant(parts, principal, agency)
    with pytest.raises(Invalid) as error:
        grant(parts, principal, agency)
    assert "agency" in error.value.fields


def test_an_exclusive_side_is_promised_once(parts: Parts, principal: Actor, agency: Actor) -> None:
    other = factories.actor(parts, kind=OrganisationKind.AGENCY)
    grant(parts, principal, agency, exclusive=True)
    with pytest.raises(Invalid) as error:
        grant(parts, principal, other)
    assert "exclusive" in error.value.fields
    grant(parts, principal, other, as_seller=False, as_buyer=True)


def test_one_mandate_when_sent_many_times(parts: Parts, both_databases: str) -> None:
    principal = factories.actor(parts)
    agency = factories.actor(parts, kind=OrganisationKind.AGENCY)
    wanted = form(agency)
    refused = at_once(parts, [(principal, lambda work: mandates.grant(work, wanted))] * 5)
    assert sum(one is None for one in refused) == 1
    with read_for(parts, agency) as work:
        _, (row,) = mandates.mandates_of_actor(work)
    steps = [
        (agency, lambda work: mandates.decide(work, row.public_id, ACCEPT)),
        (principal, lambda work: mandates.end(work, row.public_id)),
    ]
    accepted, ended = at_once(parts, steps)
    assert accepted is None or ended is None
    with read_for(parts, agency) as work:
        state = mandates.mandate(work, row.public_id).state
    assert state == (MandateState.ENDED if ended is None else MandateState.LIVE)


def test_two_exclusive_promises_at_once_leave_one(parts: Parts, both_databases: str) -> None:
    for _ in range(3):
        principal = factories.actor(parts)
        wanted = [
            form(factories.actor(parts, kind=OrganisationKind.AGENCY), exclusive=True)
            for _ in range(4)
        ]
        steps = [(principal, lambda work, one=one: mandates.grant(work, one)) for one in wanted]
        assert sum(one is None for one in at_once(parts, steps)) == 1
