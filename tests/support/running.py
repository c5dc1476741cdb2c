"""The market as it runs: pages and API on a real port, the clock in the test's hand.

Indexing and matching run when the test says so (`settle`), by the functions that the processes
loop over.
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from infra.settings import Settings
from infra.web import create_app, in_thread
from infra.wiring import open_for_people, open_writer
from market.accounts.policy import OrganisationKind, Role
from market.accounts.work import Actor, Parts
from market.discovery.drain import drain_index, drain_matches
from market.discovery.matching import Matcher
from market.jobs import handlers
from market.kit.jobs import Runner
from search.port import SearchEngine
from tests import factories
from tests.support.clock import FakeClock


@dataclass
class Running:
    """A market that answers at `url`."""

    url: str
    parts: Parts
    clock: FakeClock
    settings: Settings
    writer: SearchEngine
    matcher: Matcher
    runner: Runner
    clients: list[httpx.Client]

    def settle(self) -> None:
        """Do all that is owed: jobs, index, matches."""
        while (
            self.runner.run_one()
            or drain_index(self.parts, self.writer)
            or drain_matches(self.parts, self.writer, self.matcher)
        ):
            pass

    def actor(
        self,
        role: Role,
        kind: OrganisationKind = OrganisationKind.UNIVERSITY,
        **organisation: object,
    ) -> Actor:
        place = factories.organisation(self.parts, kind, **organisation)  # type: ignore[arg-type]
        return factories.actor(self.parts, role, place)

    def api(self, who: Actor | None = None) -> httpx.Client:
        """Return a client of the API, acting as `who`."""
        headers = {"Authorization": f"Bearer {factories.token(self.parts, who)}"} if who else {}
        client = httpx.Client(base_url=f"{self.url}/api/v1", headers=headers, timeout=30)
        self.clients.append(client)
        return client


@pytest.fixture
def running(parts: Parts, clock: FakeClock, settings: Settings) -> Iterator[Running]:
    writer = open_writer(settings)
    reader = open_for_people(settings)
    settings = dataclasses.replace(settings, port=0)
    server, thread, port = in_thread(create_app(parts, reader, settings), settings)
    clients: list[httpx.Client] = []
    yield Running(
        url=f"http://127.0.0.1:{port}",
        parts=parts,
        clock=clock,
        settings=settings,
        writer=writer,
        matcher=Matcher(settings.match_floor, feedback=settings.match_feedback),
        runner=Runner(parts.database, clock, handlers(parts)),
        clients=clients,
    )
    for client in clients:
        client.close()
    server.stop()
    thread.join(timeout=10)
    reader.close()
    writer.close()
