"""What one side keeps beside a deal is in no answer to anybody else: every route, every role."""

from collections.abc import Iterator
from io import BytesIO

import pytest
from fastapi.testclient import TestClient

from infra import access
from infra.settings import Settings
from infra.web import create_app
from infra.wiring import open_reader, open_writer
from market.accounts.work import Parts
from market.deals import next_steps, service, sharing
from market.deals.models import Deal
from market.deals.schemas import NextStepIn, NoteIn
from market.deals.vocabulary import Audience
from market.kit.ids import PublicId
from tests.infra.test_access import Walker
from tests.infra.world import BROKER, BUYER, SELLER, World, build
from tests.support.clock import FakeClock
from tests.support.market import work_for

SIDES = (SELLER, BUYER, BROKER)
# Who besides the writer reads what was written for these.
READERS = {
    Audience.OWN: set(),
    Audience.BROKERS: {BROKER},
    Audience.PARTIES: {SELLER, BUYER},
    Audience.ALL: set(SIDES),
}


@pytest.fixture
def world(parts: Parts, clock: FakeClock, settings: Settings) -> Iterator[World]:
    writer, reader = open_writer(settings), open_reader(settings)
    app = create_app(parts, reader, settings)
    with TestClient(app):
        yield build(app, parts, clock, writer)
    reader.close()
    writer.close()


def plant(world: World) -> dict[str, set[str]]:
    """Write notes, files and plans under words that stand nowhere else; return by each word the
    sides that may read it.
    """
    may_read: dict[str, set[str]] = {}
    deal = PublicId(world.ids["deal_id"])
    for n, side in enumerate(SIDES):
        who = world.actors[f"{side} manager"]
        audiences = (Audience.OWN, Audience.ALL) if side == BROKER else tuple(Audience)
        for audience in audiences:
            # The broker of this market is the seller's: the buyer has none.
            others = READERS[audience] if (side, audience) != (BUYER, Audience.BROKERS) else set()
            for kind in ("note", "file", "said"):
                may_read[f"zq{kind}{n}{audience.value}zq"] = others | {side}
            with work_for(world.parts, who) as work:
                note = NoteIn(audience=audience, text=f"zqnote{n}{audience.value}zq")
                service.note(work, deal, note)
                content = BytesIO(b"%PDF-1.7 " + f"{n}{audience}".encode())
                name, said = f"zqfile{n}{audience.value}zq.pdf", f"zqsaid{n}{audience.value}zq"
                sharing.attach(work, deal, name, content, audience, said)
        may_read[f"zqplan{n}zq"] = {side}
    return may_read


def test_no_answer_has_what_another_side_keeps(world: World) -> None:
    """Answers to every GET route of pages and API, as each kind of reader, and what the writer's
    own pages show, so that the words are there to be found.
    """
    with world.parts.database.write() as session:
        row = service.repository.deal_by_public_id(session, PublicId(world.ids["deal_id"]))
        assert isinstance(row, Deal)
        row.concluded_at = None  # plans belong to deals under way
    may_read = plant(world)
    for n, side in enumerate(SIDES):
        with work_for(world.parts, world.actors[f"{side} manager"]) as work:
            step = NextStepIn(text=f"zqplan{n}zq", due_on=work.today)
            next_steps.plan(work, PublicId(world.ids["deal_id"]), step)
    walker = Walker(world)
    names = [name for name in world.actors if name.endswith(" manager")]
    names += ["anonymous", "person", "operator", "auditor"]
    found: dict[str, set[str]] = {}
    wrong = []
    for route in access.routes(world.app, world.app.state.api):
        if route.method != "GET":
            continue
        for name in names:
            text = walker.request(route, name).text
            side = name.removesuffix(" manager")
            for word, readers in may_read.items():
                if word not in text:
                    continue
                found.setdefault(word, set()).add(side)
                if side not in readers:
                    wrong.append(f"{route.path} tells {name} of {word}")
    assert wrong == []
    assert found == may_read
