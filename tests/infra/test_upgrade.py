"""A market that has been at work since the first revision comes through the later ones whole."""

from datetime import UTC, datetime

import pytest
from alembic import command
from sqlalchemy import inspect, text
from sqlmodel import Session

from infra.migrate import configuration, migrate
from infra.settings import Settings
from infra.wiring import build_parts, close_parts
from market import chaining
from market.accounts import repository as accounts
from market.accounts.models import SignIn
from market.accounts.policy import OrganisationKind
from market.catalog.models import Listing
from market.imports.models import ImportRun, RunProblem, RunState
from market.kit import dump, triggers
from market.kit.db import Database
from market.kit.errors import Conflict
from market.kit.ids import PersonId, TransactionId
from market.ledger import periods, verify
from market.ledger import service as ledger
from market.ledger.schemas import Reversal, Slice

AT = "2026-11-20 08:00:00+00:00"
_NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
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


REGISTRATION = f"""INSERT INTO ledger_transaction (id, book, seq, kind, idempotency_key,
    subject_key, generation, digest, effective_on, original_on, posted_at, reverses_id,
    contract_type, sub_type, field, project_name, seller_name, buyer_name, seller_id, buyer_id,
    seller_region, buyer_region, total_fen, technical_fen) VALUES
    (31, 'statistics', 1, 'register', 'a', '示范:1', 0, '{"a" * 64}', '2026-09-02', NULL, '{AT}',
    NULL, 'DEV', '', 3, '项目', '甲', '乙', 7, 0, '500106', '500106', 120, 100),
    (32, 'statistics', 2, 'register', 'b', '示范:2', 0, '{"b" * 64}', '2026-09-03', NULL, '{AT}',
    NULL, 'DEV', '', 3, '项目', '甲', '乙', 7, 0, '500106', '500106', 120, 50),
    (33, 'statistics', 3, 'reverse', 'c', '示范:1', 0, '{"c" * 64}', '2026-10-05', '2026-09-02',
    '{AT}', 31, 'DEV', '', 3, '项目', '甲', '乙', 7, 0, '500106', '500106', 120, 100)"""
ENTRIES = """INSERT INTO ledger_entry (id, transaction_id, account, amount_fen) VALUES
    (1, 31, 'counted:500106', 100), (2, 31, 'contracts', -100), (3, 32, 'counted:500106', 50),
    (4, 32, 'contracts', -50), (5, 33, 'counted:500106', -100), (6, 33, 'contracts', 100)"""


def test_what_was_posted_is_linked_once(old: str, tmp_path) -> None:
    """With the key that is made outside, and a first head; a second time nothing is to be done."""
    database = Database(old)
    with database.writer.begin() as connection:
        connection.execute(text("INSERT INTO ledger_head (book, seq) VALUES ('statistics', 3)"))
        for statement in (REGISTRATION, ENTRIES):
            connection.execute(text(statement))
        dump.go_on_counting(connection)
    database.close()
    migrate(old)
    settings = Settings(data_dir=tmp_path / "data", database_url=old)
    parts = build_parts(settings)
    with pytest.raises(Conflict, match="zhihe migrate"), parts.database.write() as session:
        ledger.reverse_many(session, [Reversal(TransactionId(32), "d", "d" * 64, None)], at=_NOW)
    assert (chaining.begin(parts), chaining.begin(parts)) == (3, None)
    assert (settings.data_dir / "ledger.key").stat().st_mode & 0o77 == 0
    with parts.database.read() as session:
        assert [*ledger.verify(session), *verify.links(session)] == []
        assert ledger.total(session, Slice()).technical_fen == 50
        assert [one.month for one in periods.listed(session)] == ["2026-10", "2026-09"]
    with parts.database.write() as session:
        ledger.reverse_many(session, [Reversal(TransactionId(32), "d", "d" * 64, None)], at=_NOW)
    close_parts(parts)
    (settings.data_dir / "ledger.key").unlink()
    parts = build_parts(settings)  # no other key is made in its place
    with parts.database.read() as session:
        assert any("密钥不在这里" in one for one in verify.links(session))
    close_parts(parts)
    assert not (settings.data_dir / "ledger.key").exists()
