"""A backup while people write: restored on an empty machine, it is one moment of the market.

The full run takes about 3 minutes: 50 and more writes a second on each database.
"""

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx
import pytest
from sqlalchemy import text

from infra.migrate import migrate
from infra.settings import Settings
from infra.wiring import build_parts, close_parts
from market.accounts.policy import Role
from market.accounts.work import Parts
from tests import factories
from tests.support.machine import Machine, Nursery

ROOT = Path(__file__).resolve().parents[2]
PDF = b"%PDF-1.4 proof "


@pytest.fixture
def empty(both_databases: str, request: pytest.FixtureRequest) -> Callable[[Path], Settings]:
    """Give settings of a machine with nothing on it."""

    def made(folder: Path) -> Settings:
        url = request.getfixturevalue("database_url")() if both_databases == "postgres" else ""
        return Settings(data_dir=folder, database_url=url)

    return made


@pytest.fixture
def settings(empty: Callable[[Path], Settings], tmp_path: Path) -> Settings:
    made = empty(tmp_path / "data")
    migrate(made.database)
    return made


@pytest.fixture
def real(settings: Settings) -> Iterator[Parts]:
    built = build_parts(settings)
    yield built
    close_parts(built)


@dataclass
class Write:
    """One write: when it was sent, and when it was acknowledged (seconds, one clock)."""

    sent: float
    done: float


@dataclass
class Writers:
    """Clients that write listings as fast as they are answered, every tenth with a file."""

    url: str
    tokens: list[str]
    writes: dict[str, Write] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self.threads = [
            threading.Thread(target=self._run, args=(n, token))
            for n, token in enumerate(self.tokens)
        ]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def _run(self, who: int, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=f"{self.url}/api/v1", headers=headers, timeout=60) as client:
            number = 0
            while not self.stop.is_set():
                number += 1
                title = f"写入{who}-{number}"
                sent = time.monotonic()
                answer = client.post("/my/achievements", json={"title": title, "body": "检" * 500})
                self.writes[title] = Write(sent, time.monotonic())
                if answer.status_code != 201:
                    self.problems.append(answer.text)
                    return
                if number % 10 == 0:
                    proof = {"file": (f"{title}.pdf", PDF + title.encode(), "application/pdf")}
                    path = f"/my/listings/{answer.json()['id']}/proofs"
                    kept = client.post(path, files=proof)
                    if not kept.is_success:
                        self.problems.append(kept.text)
                        return

    def slow(self, begun: float, ended: float) -> float:
        """Return the 99th percentile of answers in that time, in milliseconds."""
        took = [w.done - w.sent for w in self.writes.copy().values() if begun <= w.sent < ended]
        return 1000 * statistics.quantiles(took, n=100)[98] if len(took) > 1 else 0.0


def zhihe(settings: Settings, *arguments: str) -> Any:
    environment = {
        **os.environ,
        "ZHIHE_DATA_DIR": str(settings.data_dir),
        "ZHIHE_DATABASE_URL": settings.database,
    }
    ran = subprocess.run(
        [sys.executable, "-m", "infra.cli", *arguments, "--json"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr + ran.stdout
    return json.loads(ran.stdout)


@dataclass
class Course:
    rate: float
    seconds: float
    before: float
    during: float
    rows: int
    restored: int


def back_up_while_writing(
    nursery: Nursery,
    settings: Settings,
    parts: Parts,
    target: Settings,
    *,
    lead: float,
) -> Course:
    school = factories.organisation(parts)
    tokens = [
        factories.token(parts, factories.actor(parts, Role.MANAGER, school)) for _ in range(6)
    ]
    file = settings.data_dir.parent / "backup.zip"
    with Machine(nursery, settings) as machine, Writers(machine.url, tokens) as writers:
        start = time.monotonic()
        time.sleep(lead)
        begun = time.monotonic()
        saved = zhihe(settings, "backup", str(file))
        ended = time.monotonic()
        time.sleep(lead / 4)
        writers.stop.set()
        over = time.monotonic()
    assert not writers.problems, writers.problems
    restored = zhihe(target, "restore", str(file))
    assert restored["audit"]["ok"], restored["audit"]
    there = titles(target)
    one_moment(writers.writes, there, begun, ended)
    return Course(
        rate=len([w for w in writers.writes.values() if w.done < over]) / (over - start),
        seconds=ended - begun,
        before=writers.slow(start, begun),
        during=writers.slow(begun, ended),
        rows=saved["rows"],
        restored=len(there),
    )


def titles(settings: Settings) -> set[str]:
    parts = build_parts(settings)
    try:
        with parts.database.read() as session:
            rows = session.scalars(
                text("SELECT title FROM listing_revision WHERE title LIKE '写入%'")
            )
            found = list(rows)
    finally:
        close_parts(parts)
    assert len(found) == len(set(found))
    return set(found)


def one_moment(writes: dict[str, Write], there: set[str], begun: float, ended: float) -> None:
    """What is there was all written by a moment in between, and nothing written by then lacks."""
    assert there <= writes.keys()
    absent = writes.keys() - there
    assert all(writes[one].sent <= ended for one in there), "written after the backup's end"
    assert all(writes[one].done >= begun for one in absent), "acknowledged before its beginning"
    first_absent = min((writes[one].done for one in absent), default=ended)
    last_there = max((writes[one].sent for one in there), default=begun)
    assert last_there <= first_absent, "one was left out that was done before another one began"


def test_while_writing(
    nursery: Nursery,
    settings: Settings,
    real: Parts,
    empty: Callable[[Path], Settings],
    tmp_path: Path,
) -> None:
    course = back_up_while_writing(nursery, settings, real, empty(tmp_path / "new"), lead=2)
    print(course)
    assert course.restored


@pytest.mark.full
def test_while_fifty_write_a_second(
    nursery: Nursery,
    settings: Settings,
    real: Parts,
    empty: Callable[[Path], Settings],
    both_databases: str,
    tmp_path: Path,
    verified: Callable[..., None],
) -> None:
    """Takes about 90 seconds on each database."""
    course = back_up_while_writing(nursery, settings, real, empty(tmp_path / "new"), lead=30)
    assert course.rate >= 50, course
    verified(
        f"写入时备份，在空机器上恢复（{both_databases}）",
        how_many=f"每秒{course.rate:.0f}次写入；备份{course.rows}行，{course.seconds:.1f}秒",
        result=f"恢复的是备份期间的一个时刻，核对一致；写入p99备份前{course.before:.0f}毫秒、"
        f"备份时{course.during:.0f}毫秒",
    )
