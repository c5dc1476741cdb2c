"""A market with a real index, and short ways to publish in it."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from infra.settings import Settings
from infra.wiring import build_parts, close_parts, open_reader
from market.accounts.models import Organisation
from market.accounts.policy import OrganisationKind, Role
from market.accounts.work import Actor, Parts
from market.catalog import drafts, publishing
from market.catalog.models import Listing
from market.catalog.schemas import AchievementEditIn, AchievementIn, DemandEditIn, DemandIn
from market.discovery.documents import SCHEMA
from market.discovery.drain import drain_index, drain_matches
from market.discovery.matching import Matcher
from market.discovery.tasks import handlers
from market.kit.ids import PublicId
from market.kit.jobs import Runner
from search.engines.tantivy import TantivyEngine
from search.port import SearchEngine
from tests import factories
from tests.support.machine import Nursery, alive, until
from tests.support.market import work_for

FLOOR = 0.09


@dataclass
class Market:
    """Publishes through the services and drains like the two background processes do."""

    parts: Parts
    engine: TantivyEngine
    matcher: Matcher
    people: dict[int, Actor] = field(default_factory=dict)

    def organisation(
        self, kind: OrganisationKind = OrganisationKind.UNIVERSITY, **given: Any
    ) -> Organisation:
        return factories.organisation(self.parts, kind, **{"self_publish": True, **given})

    def person_of(self, organisation: Organisation) -> Actor:
        if organisation.id not in self.people:
            made = factories.actor(self.parts, Role.MANAGER, organisation)
            self.people[organisation.id] = made
        return self.people[organisation.id]

    def achievement(self, at: Organisation, title: str, **given: Any) -> Listing:
        return self._post(at, AchievementIn(title=title, **given))

    def demand(self, at: Organisation, title: str, **given: Any) -> Listing:
        return self._post(at, DemandIn(title=title, **given))

    def _post(self, at: Organisation, form: AchievementIn | DemandIn) -> Listing:
        with work_for(self.parts, self.person_of(at)) as work:
            listing = drafts.create(work, form)
            return publishing.submit(work, listing.public_id)

    def edit(
        self, at: Organisation, listing: Listing, title: str, based_on: int, **given: Any
    ) -> None:
        model = AchievementEditIn if listing.kind == "achievement" else DemandEditIn
        with work_for(self.parts, self.person_of(at)) as work:
            drafts.edit(work, listing.public_id, model(title=title, based_on=based_on, **given))
            publishing.submit(work, listing.public_id)

    def withdraw(self, at: Organisation, listing: Listing) -> None:
        with work_for(self.parts, self.person_of(at)) as work:
            publishing.withdraw(work, PublicId(listing.public_id))

    def index(self) -> None:
        while drain_index(self.parts, self.engine):
            pass

    def match(self) -> None:
        while drain_matches(self.parts, self.engine, self.matcher):
            pass

    def settle(self) -> None:
        """Do all that is owed: documents, jobs, matches."""
        self.index()
        runner = Runner(self.parts.database, self.parts.clock, handlers(self.parts))
        while runner.run_one():
            self.index()
        self.match()


@pytest.fixture
def index_folder(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def open_engine(index_folder: Path) -> Iterator[Callable[..., TantivyEngine]]:
    opened = []

    def fresh(*, read_only: bool = False) -> TantivyEngine:
        opened.append(TantivyEngine(index_folder, SCHEMA, read_only=read_only))
        return opened[-1]

    yield fresh
    for engine in opened:
        engine.close()


@pytest.fixture
def engine(open_engine: Callable[..., TantivyEngine]) -> TantivyEngine:
    return open_engine()


@pytest.fixture
def market(parts: Parts, engine: TantivyEngine) -> Market:
    return Market(parts, engine, Matcher(FLOOR))


@pytest.fixture
def real(settings: Settings) -> Iterator[Parts]:
    """Parts on the system's clock, as the processes have it."""
    built = build_parts(settings)
    yield built
    close_parts(built)


@pytest.fixture
def reader(settings: Settings) -> Iterator[SearchEngine]:
    engine = open_reader(settings)
    yield engine
    engine.close()


@dataclass(frozen=True)
class Child:
    """A process of the market, forked from one that has the code loaded."""

    pid: int

    def alive(self) -> bool:
        return alive(self.pid)

    def kill(self) -> None:
        """kill -9; return when it is gone."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        until(lambda: not self.alive(), 60, "end of a killed process")


Start = Callable[[str], AbstractContextManager[Child]]


@pytest.fixture
def start(settings: Settings, nursery: Nursery, tmp_path: Path) -> Start:
    """`with start("indexer")`: a process on the test's data, killed at the end."""
    environment = {
        "ZHIHE_DATA_DIR": str(settings.data_dir),
        "ZHIHE_DATABASE_URL": settings.database_url,
        **({"ZHIHE_SEARCH_URL": settings.search_url} if settings.search_url else {}),
        **({"ZHIHE_SEARCH_PREFIX": settings.search_prefix} if settings.search_url else {}),
    }

    @contextmanager
    def started(program: str) -> Iterator[Child]:
        child = Child(nursery.start(program, environment, tmp_path / f"{program}.output"))
        try:
            yield child
        finally:
            child.kill()

    return started
