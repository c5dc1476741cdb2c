"""A market to test on: databases, parts, applications, and a clock that tests set.

The default is SQLite; a test or module that asks for `both_databases` runs on PostgreSQL too.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.migrate import migrate
from infra.settings import Settings
from infra.wiring import build_parts, close_parts
from market.accounts.work import Actor, Parts, Work
from market.kit.db import Database
from tests.support.clock import FakeClock


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty, migrated SQLite database that each test copies."""
    path = tmp_path_factory.mktemp("template") / "zhihe.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(tmp_path: Path, sqlite_template: Path) -> str:
    path = tmp_path / "zhihe.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def both_databases(request: pytest.FixtureRequest) -> str:
    """The database's name; a test with this fixture runs once on each."""
    name: str = request.param
    return name


@pytest.fixture
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    on_postgres = (
        "both_databases" in request.fixturenames
        and request.getfixturevalue("both_databases") == "postgres"
    ) or request.node.get_closest_marker("on_postgres") is not None
    if on_postgres:
        url = request.getfixturevalue("database_url")(migrate)
    else:
        url = request.getfixturevalue("sqlite_url")
    return Settings(data_dir=tmp_path, database_url=url)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def parts(settings: Settings, clock: FakeClock) -> Iterator[Parts]:
    built = build_parts(settings, clock)
    yield built
    close_parts(built)


@pytest.fixture
def database(parts: Parts) -> Database:
    return parts.database


@contextmanager
def work_for(parts: Parts, actor: Actor) -> Iterator[Work]:
    """One writing transaction for an actor, committed at the end of the block."""
    with parts.database.write() as session:
        yield Work(session, parts, actor, parts.clock.now())


@contextmanager
def read_for(parts: Parts, actor: Actor) -> Iterator[Work]:
    """One read-only transaction for an actor."""
    with parts.database.read() as session:
        yield Work(session, parts, actor, parts.clock.now())
