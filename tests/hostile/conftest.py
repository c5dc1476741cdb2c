"""One market with one object of everything, for what somebody hostile sends to it."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from infra.settings import Settings
from infra.web import create_app
from infra.wiring import open_reader, open_writer
from market.accounts.work import Parts
from tests.infra.world import World, build
from tests.support.clock import FakeClock


@pytest.fixture
def world(parts: Parts, clock: FakeClock, settings: Settings) -> Iterator[World]:
    writer, reader = open_writer(settings), open_reader(settings)
    app = create_app(parts, reader, settings)
    with TestClient(app):
        yield build(app, parts, clock, writer)
    reader.close()
    writer.close()
