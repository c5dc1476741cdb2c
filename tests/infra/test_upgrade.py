"""A market that has been at work since the first revision comes through the later ones whole."""

import pytest
from alembic import command
from sqlalchemy import inspect, text
from sqlmodel import Session

from infra.migrate import configuration, migrate
from market.accounts import repository as accounts
from market.accounts.models import SignIn
from market.accounts.policy import OrganisationKind
from market.catalog.models import Listing
from market.imports.models import ImportRun, RunProblem, RunState
from market.kit import triggers
from market.kit.db import Database
from market.kit.ids import PersonId

AT = "2026-11-20 08:00:00+00:00"
_BEFORE = (
    f"""INSERT INTO organisation (id, public_id, kind, name, credit_code, region, address,
    state_founded, self_publish, verification, verification_note, verified_at, demo, created_at)
    VALUES (7, 'org23456789abc', 'university', '示范大学一', 'X1990000000001011U', '500106', '',
    true, false, 'verified', '', '{AT}', false, '{AT}')""",
    f"""INSERT INTO person (id, public_id, email, name, phone, state, created_at)
    VALUES (3, 'per23456789abc', 'manager@daxue1.example', '示范张甲', '', 'active', '{AT}')""",
    f"""INSERT INTO sign_in (id, public_id, token_hash, person_id, csrf, agent, created_at,
    last_seen_at, expires_at) VALUES (5, 'sig23456789abc', '{"0" * 64}', 3, 'x', '', '{AT}', '{AT}',
    '{AT}')""",
    f"""INSERT INTO stored_file (id, public_id, organisation_id, name, media_type, size, sha256,
    created_at) VALUES (4, 'fil23456789abc', 7, '成果.csv', 'text/csv', 3, '{"1" * 64}', '{AT}')""",
    f"""INSERT INTO import_run (id, public_id, organisation_id, kind, file_id, publish, state, rows,
    created, updated, unchanged, refused, unknown, created_at)
    VALUES (11, 'imp23456789abc', 7, 'achievement', 4, false, 'done', 2, 1, 0, 0, 1, '["备注"]',
    '{AT}'), (12, 'imp23456789abd', 7, 'achievement', 4, false, 'running', 2, 1, 0, 0, 0, '[]',
    '{AT}')""",
    """INSERT INTO import_problem (id, run_id, "row", "column", reason)
    VALUES (21, 11, 3, '名称', '不能是空的')""",
    f"""INSERT INTO listing (id, public_id, kind, organisation_id, masked, state, review_state,
    content_hash, import_run_id, created_at, updated_at)
    VALUES (9, 'lis23456789abc', 'achievement', 7, false, 'private', 'draft', 'h', 11, '{AT}',
    '{AT}')""",
)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def old(request, tmp_path) -> str:
    """Return the address of a database at the first revision, with something in it."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/old.db"
    else:
        url = request.getfixturevalue("database_url")(None)
    database = Database(url)
    with database.writer.begin() as connection:
        command.upgrade(configuration(connection), "0001")
        triggers.install(connection)
        for statement in _BEFORE:
            connection.execute(text(statement))
    database.close()
    return url


def test_what_was_there_is_there(old: str) -> None:
    migrate(old)
    migrate(old)
    database = Database(old)
    with database.read() as session:
        organisation = accounts.organisation_by_code(session, "X1990000000001011U")
        assert organisation is not None
        assert (organisation.kind, organisation.edits) == (OrganisationKind.UNIVERSITY, 0)
        assert accounts.person(session, PersonId(3)).deleted_at is None
        assert session.get_one(SignIn, 5).must_agree is False
        listing = session.get_one(Listing, 9)
        assert (listing.import_run_id, listing.edits, listing.removed_at) == (11, 0, None)
        runs = {one: session.get_one(ImportRun, one) for one in (11, 12)}
        assert [run.state for run in runs.values()] == [RunState.DONE, RunState.FAILED]
        assert runs[11].unknown == ["备注"]
        assert session.get_one(RunProblem, 21).reason == "不能是空的"
    with database.reader.connect() as connection:
        assert not {"import_run", "import_problem"} & set(inspect(connection).get_table_names())
        assert triggers.installed(connection)
    with database.write() as session:
        assert _next_run(session) > 12
    database.close()


def _next_run(session: Session) -> int:
    """Return the id of a run written now: ids go on after those that were carried over."""
    run = ImportRun(
        public_id="imp23456789abe",
        organisation_id=7,
        kind="demand",
        file_id=4,
        created_at=session.get_one(ImportRun, 11).created_at,
    )
    session.add(run)
    session.flush()
    return run.id
