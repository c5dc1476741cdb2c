"""Files brought in by jobs that run when the test says so."""

import io
import json
from collections.abc import Mapping

from sqlalchemy import func
from sqlmodel import col, select

from market.accounts.models import Organisation
from market.accounts.policy import Role
from market.accounts.work import Actor, Parts
from market.catalog.models import Listing
from market.catalog.repository import revisions
from market.catalog.texts import Text, text_of
from market.imports import service, tasks
from market.imports.models import ImportRun, Kind
from market.imports.service import RunView
from market.kit.jobs import Runner
from market.kit.notify import Notice
from tests import factories
from tests.support.market import work_for

A, D = Kind.ACHIEVEMENT, Kind.DEMAND


def lines(*objects: object) -> bytes:
    return b"".join(json.dumps(one, ensure_ascii=False).encode() + b"\n" for one in objects)


def table(*rows: str) -> bytes:
    return "\n".join(rows).encode() + b"\n"


class Bringing:
    """An organisation, its editor, and files for it."""

    def __init__(self, parts: Parts, home: Organisation) -> None:
        self.parts = parts
        self.home = home
        self.editor = factories.actor(parts, Role.EDITOR, home)
        self.operator = factories.actor(parts, Role.OPERATOR)

    def start(
        self,
        content: bytes,
        name: str = "a.jsonl",
        kind: Kind = A,
        *,
        publish: bool = True,
        ask: bool = False,
        actor: Actor | None = None,
    ) -> ImportRun:
        received = service.receive(self.parts.files, name, io.BytesIO(content))
        with work_for(self.parts, actor or (self.editor if ask else self.operator)) as work:
            return service.start(
                work, self.home.id, kind, received, ask=ask, publish=publish and not ask
            )

    def settle(self) -> None:
        runner = Runner(self.parts.database, self.parts.clock, tasks.handlers(self.parts))
        while runner.run_one():
            pass

    def view(self, run: ImportRun) -> RunView:
        with self.parts.database.read() as session:
            return service.run_of(self.parts, session, run.public_id)

    def bring(
        self, content: bytes, name: str = "a.jsonl", kind: Kind = A, *, publish: bool = True
    ) -> RunView:
        """Bring a file in as an operator does, to its end."""
        run = self.start(content, name, kind, publish=publish)
        self.settle()
        return self.view(run)

    def ask(self, content: bytes, name: str = "a.csv", kind: Kind = A) -> RunView:
        """Send a file as a person does, up to where somebody is asked."""
        run = self.start(content, name, kind, ask=True)
        self.settle()
        return self.view(run)

    def mapped(self, view: RunView, chosen: Mapping[str, str]) -> RunView:
        with work_for(self.parts, self.editor) as work:
            service.map_headings(work, view.run.public_id, chosen)
        self.settle()
        return self.view(view.run)

    def confirmed(self, view: RunView) -> RunView:
        with work_for(self.parts, self.editor) as work:
            service.confirm(work, view.run.public_id)
        self.settle()
        return self.view(view.run)

    def undone(self, view: RunView) -> RunView:
        with work_for(self.parts, self.editor) as work:
            service.undo(work, view.run.public_id)
        self.settle()
        return self.view(view.run)

    def stored(self) -> dict[str | None, Listing]:
        """Return the listings that there are, by own number."""
        with self.parts.database.read() as session:
            rows = session.exec(select(Listing).where(col(Listing.removed_at).is_(None)))
            return {row.own_number: row for row in rows}

    def text(self, listing: Listing) -> Text:
        with self.parts.database.read() as session:
            (found,) = revisions(session, [listing.working_revision_id]).values()
            return text_of(*found)

    def count(self, model: type) -> int:
        with self.parts.database.read() as session:
            return session.exec(select(func.count()).select_from(model)).one()

    def notices(self, *, waits: bool = False) -> list[str]:
        """Return what the editor is told, or what waits for the editor."""
        with self.parts.database.read() as session:
            query = select(Notice.title).where(
                Notice.person_id == self.editor.person_id, Notice.waits == waits
            )
            if waits:
                query = query.where(col(Notice.settled_at).is_(None))
            return list(session.exec(query.order_by(col(Notice.id))))


def counted(view: RunView) -> tuple[int, int, int, int]:
    assert view.state == "done", view.run.problem
    assert view.done == view.run.rows
    run = view.run
    return run.created, run.updated, run.unchanged, run.refused
