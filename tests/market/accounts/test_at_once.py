"""Two requests at once about one organisation or one account; on both databases."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlmodel import select

from market.accounts import organisations, repository, signin, throttle
from market.accounts.models import Membership, Person
from market.accounts.policy import Role
from market.accounts.schemas import DecideMemberIn, JoinIn, SignUpIn
from market.accounts.work import Actor, Parts, Work
from market.kit.errors import Conflict, Invalid, MarketError
from tests import factories
from tests.support.market import read_for
from tests.support.trade import Step, at_once

pytestmark = pytest.mark.usefixtures("both_databases")
ROUNDS = 4
MANY = 20


def many_at_once(step: Callable[[int], object]) -> Counter[str]:
    """Return how often the step ended in what, begun in many threads at once."""
    barrier = Barrier(MANY)

    def run(n: int) -> str:
        barrier.wait()
        try:
            step(n)
        except MarketError as error:
            return type(error).__name__
        return "done"

    with ThreadPoolExecutor(MANY) as pool:
        return Counter(pool.map(run, range(MANY)))


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


def test_passwords_guessed_at_once_are_limited(parts: Parts) -> None:
    def guess(n: int) -> None:
        signin.check_password(parts, "zhang@example.com", f"wrong-{n}", "192.0.2.1")

    limit = throttle.ACCOUNT_FAILURES
    assert many_at_once(guess) == {"Invalid": limit, "TooMany": MANY - limit}


def test_ones_own_password_guessed_at_once_is_limited(parts: Parts) -> None:
    who = factories.actor(parts)

    def guess(n: int) -> None:
        signin.change_password(parts, who, f"wrong-{n}", "a-long-passphrase", "192.0.2.1")

    limit = throttle.ACCOUNT_FAILURES
    assert many_at_once(guess) == {"Invalid": limit, "TooMany": MANY - limit}


def test_a_right_password_is_no_failure(parts: Parts) -> None:
    form = SignUpIn(
        email="zhang@example.com", name="示范张甲", password="a-long-passphrase", agreed=True
    )
    signin.sign_up(parts, form, "192.0.2.1")
    for _ in range(throttle.ACCOUNT_FAILURES + 1):
        person = signin.check_password(parts, form.email, form.password, "192.0.2.1")
        actor = Actor(Role.PERSON, person.id, person.name)
        signin.require_password(parts, actor, form.password, "password", "192.0.2.1")


def test_accounts_made_at_once_from_one_address_are_limited(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "ADDRESS_SIGN_UPS", 5)

    def sign_up(n: int) -> None:
        form = SignUpIn(
            email=f"{n}@example.com", name="示范张甲", password="a-long-passphrase", agreed=True
        )
        signin.sign_up(parts, form, "192.0.2.1")

    assert many_at_once(sign_up) == {"done": 5, "TooMany": MANY - 5}
