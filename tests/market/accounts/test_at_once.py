"""Two requests at once about one organisation or one account; on both databases."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from fastapi.testclient import TestClient
from sqlmodel import col, select

from market import personal
from market.accounts import organisations, passwords, repository, signin, throttle
from market.accounts.models import ApiToken, Membership, Person, SignIn
from market.accounts.policy import Role
from market.accounts.schemas import DecideMemberIn, JoinIn, SignUpIn
from market.accounts.work import Actor, Parts, Work
from market.api import build_api
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


# A password that changes while something is asked for with the old one

OLD, NEW = "the-old-passphrase", "the-new-passphrase"
FORM = SignUpIn(email="zhang@example.com", name="示范张甲", password=OLD, agreed=True)
HERE = "192.0.2.1"


def ways_in(parts: Parts) -> int:
    with parts.database.read() as session:
        return sum(
            len(session.exec(select(table).where(col(table.revoked_at).is_(None))).all())
            for table in (SignIn, ApiToken)
        )


def changed(parts: Parts, person: Person, new: str = NEW) -> None:
    signin.change_password(parts, Actor(Role.PERSON, person.id, person.name), OLD, new, HERE)


def test_a_password_checked_before_it_changed_opens_nothing(parts: Parts) -> None:
    signin.sign_up(parts, FORM, HERE)
    checked = signin.check_password(parts, FORM.email, OLD, HERE)
    changed(parts, checked)
    with pytest.raises(Invalid):
        signin.open_session(parts, checked, "")
    with pytest.raises(Invalid), parts.database.write() as session:
        signin.require_unchanged(session, checked)
    assert ways_in(parts) == 0
    signin.open_session(parts, signin.check_password(parts, FORM.email, NEW, HERE), "")


def test_nothing_asked_for_with_the_old_password_outlives_its_change(parts: Parts) -> None:
    person = signin.sign_up(parts, FORM, HERE)
    site = TestClient(build_api(parts))
    wanted = {"email": FORM.email, "password": OLD, "name": "脚本"}

    def ask(n: int) -> None:
        if n == MANY // 2:
            changed(parts, person)
        elif n % 2:
            signin.open_session(parts, signin.check_password(parts, FORM.email, OLD, HERE), "")
        else:
            site.post("/api/v1/tokens", json=wanted)

    assert many_at_once(ask)["done"] > 0
    signin.check_password(parts, FORM.email, NEW, "192.0.2.2")
    assert ways_in(parts) == 0


def test_a_password_changed_twice_at_once_changes_once(parts: Parts) -> None:
    person = signin.sign_up(parts, FORM, HERE)
    outcomes = many_at_once(lambda n: changed(parts, person, f"{NEW}-{n}"))
    assert outcomes["done"] == 1


def test_a_hash_renewed_too_late_does_not_bring_the_old_password_back(parts: Parts) -> None:
    signin.sign_up(parts, FORM, HERE)
    checked = signin.check_password(parts, FORM.email, OLD, HERE)
    changed(parts, checked)
    with parts.database.write() as session:
        assert not repository.rehash(session, checked, passwords.hashed(OLD))
    signin.check_password(parts, FORM.email, NEW, HERE)


def test_an_account_is_not_deleted_with_the_password_of_before(parts: Parts) -> None:
    person = signin.sign_up(parts, FORM, HERE)
    who = Actor(Role.PERSON, person.id, person.name)

    def step(n: int) -> None:
        if n % 2:
            changed(parts, person)
        else:
            personal.delete(parts, who, OLD, personal.CONFIRM, HERE)

    assert many_at_once(step)["done"] == 1
