"""The index built anew while the processes run and people write: nothing missing, nothing stale, and
searches answered throughout. Killed at any moment, it begins again."""

import errno
import os
import random
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from infra.audit import audit
from infra.indexer import build_anew, indexing
from infra.settings import Settings
from infra.waiting import work_until_done
from infra.wiring import open_writer
from market.accounts.models import Organisation
from market.accounts.work import Parts
from market.catalog.models import Listing
from market.discovery import rebuild
from market.discovery.matching import Matcher
from search.document import Document
from search.port import SearchEngine
from search.query import SearchRequest
from tests.market.discovery.conftest import FLOOR, Market, Start
from tests.market.discovery.test_processes import holds, until

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def writing(real: Parts, reader: SearchEngine) -> Market:
    return Market(real, reader, Matcher(FLOOR))  # type: ignore[arg-type]


def publish(market: Market, school: Organisation, number: int) -> list[Listing]:
    return [market.achievement(school, f"镁合金低温成形{one}型") for one in range(number)]


def spoil(settings: Settings, listing: Listing) -> None:
    """Give the index a later version than the database has, as a restored database may meet."""
    engine = open_writer(settings)
    engine.write([Document(listing.id, 10**6, {"title": "别的"})])
    engine.close()


def clean(settings: Settings) -> None:
    report = audit(settings, lambda *_: None)
    assert report.findings == (), report.findings


def test_under_writes(
    settings: Settings, start: Start, writing: Market, reader: SearchEngine
) -> None:
    school = writing.organisation()
    made = publish(writing, school, 80)
    work_until_done(settings, writing.parts)
    spoil(settings, made[0])
    stop, totals = threading.Event(), list[int]()

    def search() -> None:
        while not stop.is_set():
            totals.append(reader.search(SearchRequest(limit=1)).total)
            time.sleep(0.001)

    def write() -> None:
        chance = random.Random(7)
        while not stop.is_set():
            if chance.random() < 0.3:
                writing.withdraw(school, made.pop(chance.randrange(1, len(made))))
            else:
                made.append(writing.achievement(school, f"污泥原位减量菌剂{len(made)}号"))
            time.sleep(0.02)

    with start("indexer"), ThreadPoolExecutor(2) as pool:
        until(lambda: holds(settings, "indexer.lock"))
        others = [pool.submit(search), pool.submit(write)]
        try:
            command = [sys.executable, "-m", "infra.cli", "rebuild"]
            own = {
                "ZHIHE_DATA_DIR": str(settings.data_dir),
                "ZHIHE_DATABASE_URL": settings.database,
            }
            environment = {**os.environ, **own}
            done = subprocess.run(
                command,
                cwd=ROOT,
                env=environment,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
        finally:
            time.sleep(0.3)
            stop.set()
        for one in others:
            one.result()
        assert done.returncode == 0, done.stderr
        work_until_done(settings, writing.parts)
    assert "已换上新建的索引" in done.stdout
    clean(settings)
    assert {one for one, _ in reader.scan()} == {one.id for one in made}
    assert min(totals) >= 60, "never an empty or half an index"
    assert len(list(settings.index_dir.glob("tantivy-*/"))) == 2


def test_killed_again_and_again_it_begins_anew(
    settings: Settings, start: Start, writing: Market, reader: SearchEngine
) -> None:
    school = writing.organisation()
    made = publish(writing, school, 30)
    work_until_done(settings, writing.parts)
    spoil(settings, made[0])
    asked = rebuild.ask(writing.parts)
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    while rebuild.outcome(writing.parts, asked) is None:
        with start("indexer"):
            until(lambda: holds(settings, "indexer.lock"))
            time.sleep(chance.uniform(0, 1.5))
        assert reader.count() == 30
    assert rebuild.outcome(writing.parts, asked) == (True, "共30条")
    work_until_done(settings, writing.parts)
    clean(settings)


def test_one_that_breaks_off_each_time_is_given_up(
    settings: Settings, writing: Market, reader: SearchEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that does not hold two indexes would be filled again and again."""
    school = writing.organisation()
    publish(writing, school, 3)
    work_until_done(settings, writing.parts)

    def full(_source: rebuild.Listings, _ids: list[int]) -> object:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(rebuild.Listings, "read", full)
        process = indexing(settings, writing.parts)
        asked = rebuild.ask(writing.parts)
        for _ in range(40):
            with suppress(OSError):
                process.step()
        publish(writing, school, 1)
        process.step()
        process.close()
    assert rebuild.asked(writing.parts) is None
    good, detail = rebuild.outcome(writing.parts, asked) or (True, "")
    assert not good
    assert "磁盘已满" in detail
    assert reader.count() == 4, "the live one goes on"
    assert build_anew(settings, writing.parts, lambda: None) == (True, "共4条")


def test_one_that_is_not_put_in_place_says_so_and_is_not_tried_for_ever(
    settings: Settings, writing: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    school = writing.organisation()
    publish(writing, school, 5)
    work_until_done(settings, writing.parts)
    read, times = rebuild.Listings.read, list[int]()

    def other_the_first_time(source: rebuild.Listings, ids: list[int]) -> object:
        documents, deletions = read(source, ids)
        times.append(len(ids))
        texts = {"title": "别的"}
        changed = [replace(one, texts=texts) for one in documents]
        return (changed if len(times) == 1 else documents), deletions

    monkeypatch.setattr(rebuild.Listings, "read", other_the_first_time)
    process = indexing(settings, writing.parts)
    asked = rebuild.ask(writing.parts)
    while rebuild.outcome(writing.parts, asked) is None:
        assert process.step()
    process.close()
    ended = rebuild.outcome(writing.parts, asked)
    assert ended is not None
    assert not ended[0]
    assert rebuild.asked(writing.parts) is None
    clean(settings)
    assert build_anew(settings, writing.parts, lambda: None) == (True, "共5条")
    clean(settings)
