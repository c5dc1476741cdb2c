"""The revisions make the tables that the code speaks of, with every trigger, on both databases."""

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from infra.migrate import MIGRATIONS, configuration, migrate
from infra.schema import HEAD
from market.accounts.work import Parts
from market.kit import triggers
from market.kit.db import Database
from market.tables import metadata


@pytest.mark.usefixtures("both_databases")
def test_revisions_make_the_tables(parts: Parts) -> None:
    with parts.database.reader.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata()) == []


@pytest.mark.usefixtures("both_databases")
def test_migrating_again_changes_nothing(parts: Parts) -> None:
    migrate(parts.database.url.render_as_string(hide_password=False))


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def empty(request, tmp_path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/step.db"
    return request.getfixturevalue("database_url")(None)


def test_every_revision_leaves_the_triggers_of_its_tables(empty: str) -> None:
    """Alembic's batch mode on SQLite drops triggers without a word."""
    database = Database(empty)
    with database.writer.begin() as connection:
        script = ScriptDirectory.from_config(configuration(connection))
        steps = [revision.revision for revision in reversed(list(script.walk_revisions()))]
    assert steps
    for step in steps:
        with database.writer.begin() as connection:
            command.upgrade(configuration(connection), step)
            triggers.install(connection)
        with database.reader.connect() as connection:
            present = set(inspect(connection).get_table_names())
            wanted = {
                triggers.trigger_name(table, operation)
                for table in present.intersection(triggers.APPEND_ONLY)
                for operation in ("UPDATE", "DELETE")
            }
            if triggers.PERIOD in present:
                wanted |= {"period_closed_update", "period_kept_delete", "period_closed_insert"}
            assert wanted <= triggers.installed(connection)
    with database.reader.connect() as connection:
        assert triggers.missing(connection) == []
    database.close()


def test_the_program_knows_its_newest_revision() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == HEAD
