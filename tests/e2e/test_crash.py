"""kill -9 at random moments: what was acknowledged stays, nothing is doubled, all agrees.

The full run takes about 15 minutes: 200 moments over both databases.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from infra.audit import look
from infra.migrate import migrate
from infra.settings import Settings
from infra.wiring import build_parts, close_parts
from market.accounts.work import Parts
from market.discovery.drain import left_to_do
from tests.e2e.trading import AMOUNT, Done, Trading
from tests.support.machine import PROGRAMS, Machine, Nursery, until

TARGETS = [*((name,) for name in PROGRAMS), tuple(PROGRAMS)]


@pytest.fixture
def real(settings: Settings) -> Iterator[Parts]:
    built = build_parts(settings)
    yield built
    close_parts(built)


@pytest.fixture
def settings(both_databases: str, request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    folder = tmp_path / "data"
    folder.mkdir()
    made = request.getfixturevalue("database_url")() if both_databases == "postgres" else ""
    settings = Settings(data_dir=folder, database_url=made)
    migrate(settings.database)
    return settings


def test_ten_moments(settings: Settings, real: Parts, nursery: Nursery) -> None:
    seed = int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    done, again = run_and_kill(nursery, settings, real, moments=5, seed=seed)
    print(f"{len(done.titles)} listings, {len(done.registered)} registrations, {again} sent again")


@pytest.mark.full
def test_two_hundred_moments(
    settings: Settings,
    real: Parts,
    nursery: Nursery,
    both_databases: str,
    verified: Callable[..., None],
) -> None:
    """Takes about 8 minutes on each database."""
    seed = random.SystemRandom().randrange(10**6)
    begun = time.monotonic()
    done, again = run_and_kill(nursery, settings, real, moments=100, seed=seed)
    verified(
        f"任意时刻 kill -9 网页、任务、索引进程（{both_databases}）",
        how_many=f"100个时刻；{len(done.titles)}条成果、{len(done.signed)}份合同、"
        f"{len(done.registered)}次登记、{len(done.imports)}次导入，{again}个请求没有得到回答而重发",
        result="已答复的没有丢失，没有重复，每次重启后 zhihe audit 一致；"
        f"{(time.monotonic() - begun) / 60:.1f}分钟",
        seed=seed,
    )


def run_and_kill(
    nursery: Nursery, settings: Settings, parts: Parts, *, moments: int, seed: int
) -> tuple[Done, int]:
    chance = random.Random(seed)
    with Machine(nursery, settings) as machine:
        trading = Trading(parts, machine.url)
        try:
            for moment in range(moments):
                time.sleep(chance.uniform(0.05, 0.8))
                names = chance.choice(TARGETS)
                machine.kill(names)
                machine.start(*names)
                if chance.random() < 0.3:  # and once more, in the middle of its start
                    time.sleep(chance.uniform(0.0, 0.3))
                    machine.kill(names)
                    machine.start(*names)
                assert not trading.failed, trading.failed
                with trading.gate.closed():
                    settled(parts)
                    told = f"seed {seed}, moment {moment}, {names}"
                    agrees(settings, parts, trading.done, told)
        finally:
            trading.end()
        settled(parts)
        agrees(settings, parts, trading.done, f"seed {seed}, at the end")
        return trading.done, sum(one.again for one in trading.clients)


def settled(parts: Parts) -> None:
    until(lambda: left_to_do(parts).total == 0, 60, "jobs, index and matches done")


def agrees(settings: Settings, parts: Parts, done: Done, told: str) -> None:
    report = look(settings, parts, lambda *_: None)
    assert not report.findings, f"{told}: {report.findings}"
    titles = Counter(column(parts, "SELECT title FROM listing_revision WHERE title LIKE '第%'"))
    assert done.titles <= titles.keys(), told
    assert set(titles.values()) <= {1}, told
    of_title = (
        "SELECT r.title FROM {} JOIN listing l ON l.id = {} "
        "JOIN listing_revision r ON r.listing_id = l.id"
    )
    asked = Counter(column(parts, of_title.format("inquiry i", "i.listing_id")))
    assert done.asked <= asked.keys(), told
    assert set(asked.values()) <= {1}, told
    deals = Counter(column(parts, of_title.format("deal d", "d.achievement_id")))
    assert set(deals.values()) <= {1}, told
    contracts = Counter(column(parts, "SELECT project_name FROM contract"))
    assert done.signed <= contracts.keys(), told
    assert set(contracts.values()) <= {1}, told
    ledger(parts, done, told)
    imported = Counter(column(parts, "SELECT own_number FROM listing WHERE own_number LIKE 'K%'"))
    assert {one for numbers in done.imports.values() for one in numbers} <= imported.keys(), told
    assert set(imported.values()) <= {1}, told
    assert set(column(parts, "SELECT state FROM job")) <= {"done"}, told


def ledger(parts: Parts, done: Done, told: str) -> None:
    """Each acknowledged registration stands in the books once, with its amount."""
    rows = "SELECT subject_key || ' ' || kind FROM ledger_transaction"
    posted = Counter(column(parts, rows))
    assert set(posted.values()) <= {1}, told
    for number, amount in done.registered.items():
        keys = [key for key in posted if f":{number} " in key]
        assert any(key.endswith(" register") for key in keys), f"{told}: {number}"
        assert amount or any(key.endswith(" reverse") for key in keys), f"{told}: {number}"
    amounts = column(parts, "SELECT technical_fen FROM ledger_transaction")
    assert set(amounts) <= {AMOUNT}


def column(parts: Parts, query: str) -> list[object]:
    with parts.database.read() as session:
        return list(session.scalars(text(query)))
