"""Whoever has the whole database, and not the key, changes nothing that the audit does not find."""

import random as randomness
from collections import Counter
from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from market import chaining
from market.accounts.work import Parts
from market.jobs import AUDITS
from market.kit.across import Finding
from market.kit.jobs import Runner
from market.ledger import service as ledger
from market.ledger import tasks
from market.registry import past, service
from market.registry.schemas import DecideIn, TakeOutIn, UndoIn
from tests.market.ledger.test_ledger import subject
from tests.support import history, papers, tampering
from tests.support.market import work_for

pytestmark = pytest.mark.usefixtures("both_databases")
BOOKS = ("账", "登记")


@pytest.fixture
def books(parts: Parts, clock) -> Parts:
    """A market with contracts in every state, two closed months and heads outside."""
    chaining.begin(parts)
    pair = papers.sides(parts)
    done = [papers.registered(parts, pair) for _ in range(4)]
    papers.submitted(parts, pair)
    refused = papers.submitted(parts, pair)
    with work_for(parts, pair.officer) as work:
        form = DecideIn(decision="not_registered", refusal_reason="subject", note="标的不明确")
        service.decide(work, refused.row.public_id, form)
        service.undo(work, done[0].row.public_id, UndoIn(reason="抄错编号"))
    withdrawn = papers.submitted(parts, pair)
    with work_for(parts, pair.seller_actor) as work:
        service.withdraw(work, withdrawn.row.public_id)
    rows = [history.row(seller=pair.seller.name, seller_region=None) for _ in range(5)]
    outcomes = history.bring_in(parts, pair.officer, rows)
    with work_for(parts, pair.officer) as work:
        one = history.public_id(parts, outcomes[0])
        past.take_out(work, one, TakeOutIn(cause="cancelled", reason="登记处已注销"))
        tasks.close(work.session, "2023-06", by=pair.officer.person, at=work.now)
    settle(parts)
    clock.set_local("2026-12-15 09:00")
    with work_for(parts, pair.officer) as work:
        _changed(work.session, done[1].row.transaction_id, parts)
        tasks.owe_night(work.session, work.today, at=work.now)
    settle(parts)
    papers.registered(parts, pair)
    chaining.sign_now(parts)
    return parts


def _changed(session: Session, register: int | None, parts: Parts) -> None:
    assert register is not None
    before = ledger.get(session, register)
    other = subject(1, key=before.subject_key, technical_fen=90 * papers.WAN, field=7)
    ledger.post_change(
        session,
        register,
        other,
        key="change",
        effective_on=date(2026, 12, 15),
        at=parts.clock.now(),
    )


def settle(parts: Parts) -> None:
    """Run what is owed of the ledger, until nothing is."""
    handlers = tasks.handlers(parts.database, parts.clock)
    runner = Runner(parts.database, parts.clock, handlers)
    while runner.run_one():
        pass


def found(session: Session) -> list[Finding]:
    return [one for name in BOOKS for one in AUDITS[name](session)]


def tampered(parts: Parts, tamper: tampering.Tamper, random: randomness.Random) -> str | None:
    """Do one, hold it against the audit and take it back. Return what was done, None where these
    rows or the database's own constraints do not allow it.
    """
    with parts.database.write() as session:
        tampering.unguard(session)
        try:
            what = tamper(session, random)
        except DBAPIError:
            what = None
        if what is not None:
            session.expire_all()
            assert found(session), what
        session.rollback()
        if parts.database.sqlite:
            session.connection().exec_driver_sql("PRAGMA ignore_check_constraints=OFF")
            session.rollback()
    return what


def hold(parts: Parts, times: int, seed: int) -> Counter[str]:
    random = randomness.Random(seed)
    tampers, weights = zip(*tampering.TAMPERS, strict=True)
    done: Counter[str] = Counter()
    tries = 0
    while sum(done.values()) < times:
        tries += 1
        assert tries < 4 * times, "too few of them can be done"
        (tamper,) = random.choices(tampers, weights)
        if tampered(parts, tamper, random) is not None:
            done[tamper.__name__] += 1
    return done


def test_a_sound_market_is_found_sound(books: Parts) -> None:
    with books.database.read() as session:
        assert found(session) == []


def test_a_tenth_of_the_tamperings_is_found(books: Parts) -> None:
    seed = randomness.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    assert len(hold(books, 100, seed)) >= 6


@pytest.mark.parametrize("tamper", [one for one, _ in tampering.TAMPERS])
def test_every_way_of_it_is_found(books: Parts, tamper: tampering.Tamper) -> None:
    random = randomness.Random(7)
    done = [tampered(books, tamper, random) for _ in range(9)]
    assert any(done)


@pytest.mark.full
def test_a_thousand_tamperings_are_found(
    books: Parts, both_databases: str, verified: Callable[..., None]
) -> None:
    seed = randomness.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    done = hold(books, 1000, seed)
    ways = "、".join(f"{name} {number}" for name, number in sorted(done.items()))
    verified(
        f"账本被改，{both_databases}",
        how_many=f"1000次：{ways}",
        result="zhihe audit 全部发现",
        seed=seed,
    )
