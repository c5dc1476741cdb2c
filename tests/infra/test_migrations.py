"""The revisions make the tables that the code speaks of, with every trigger, on both databases."""

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

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


def test_every_revision_leaves_the_triggers_of_its_tables(tmp_path: object) -> None:
    """Alembic's batch mode on SQLite drops triggers without a word."""
    url = f"sqlite:///{tmp_path}/step.db"
    database = Database(url)
    with database.writer.begin() as connection:
        script = ScriptDirectory.from_config(configuration(connection))
        steps = [revision.revision for revision in reversed(list(script.walk_revisions()))]
    assert steps
    for step in steps:
        with database.writer.begin() as connection:
            command.upgrade(configuration(connection), step)
            triggers.install(connection)
        with database.reader.connect() as connection:
            present = {
                row[0]
                for row in connection.exec_driver_sql(
                    "SELECT name FROM sqlite_master WHERE type = 'table'"
                )
            }
            wanted = {
                triggers.trigger_name(table, operation)
                for table in present.intersection(triggers.APPEND_ONLY)
                for operation in ("UPDATE", "DELETE")
            }
            assert wanted <= triggers.installed(connection)
    database.close()


def test_the_program_knows_its_newest_revision() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == HEAD
