"""Two requests at once about one organisation or one account; on both databases."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlmodel import select

from market.accounts import organisations, repository, signin
from market.accounts.models import Membership, Person
from market.accounts.policy import Role
from market.accounts.schemas import DecideMemberIn, JoinIn, SignUpIn
from market.accounts.work import Actor, Parts, Work
from market.kit.errors import Conflict, Invalid
from tests import factories
from tests.support.market import read_for
from tests.support.trade import Step, at_once

pytestmark = pytest.mark.usefixtures("both_databases")
ROUNDS = 4


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_two_managers_who_remove_each_other_leave_one(parts: Parts, _round: int) -> None:
    home = factories.organisation(parts)
    one, two = factories.actor(parts, at=home), factories.actor(parts, at=home)

    def remove(other: Actor) -> Step:
        def step(work: Work) -> None:
            row = repository.membership_of(work.session, other.person, home.id)
            assert row is not None
            organisations.decide_member(work, row.public_id, DecideMemberIn(decision="remove"))

        return step

    outcomes = at_once(parts, [(one, remove(two)), (two, remove(one))])
    assert sorted(type(one) for one in outcomes if one is not None) == [Conflict]
    with read_for(parts, one) as work:
        assert repository.active_managers(work.session, home.id) == 1


def test_two_managers_who_leave_at_once_leave_one(parts: Parts) -> None:
    home = factories.organisation(parts)
    one, two = factories.actor(parts, at=home), factories.actor(parts, at=home)
    outcomes = at_once(parts, [(one, organisations.leave), (two, organisations.leave)])
    assert sorted(type(one) for one in outcomes if one is not None) == [Conflict]
    with read_for(parts, one) as work:
        assert repository.active_managers(work.session, home.id) == 1


def test_asking_to_join_twice_at_once_is_one_request(parts: Parts) -> None:
    home, who = factories.organisation(parts), factories.actor(parts, Role.PERSON)
    outcomes = at_once(
        parts, [(who, lambda work: organisations.join(work, home.public_id, JoinIn()))] * 4
    )
    assert sorted(type(one).__name__ for one in outcomes) == ["Conflict"] * 3 + ["NoneType"]
    with parts.database.read() as session:
        assert len(session.exec(select(Membership)).all()) == 1


def test_signing_up_twice_at_once_is_one_account(parts: Parts) -> None:
    form = SignUpIn(
        email="zhang@example.com", name="示范张甲", password="a-long-passphrase", agreed=True
    )
    barrier = Barrier(4)

    def sign_up(_: int) -> str:
        barrier.wait()
        try:
            signin.sign_up(parts, form, "127.0.0.1")
        except Invalid as error:
            return error.fields["email"]
        return ""

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(sign_up, range(4)))
    assert sorted(outcomes) == ["", *[signin.REGISTERED] * 3]
    with parts.database.read() as session:
        assert len(session.exec(select(Person)).all()) == 1
