"""Append-only tables refuse change on both databases, whatever statement tries."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import DatabaseError

from market.accounts.work import ANONYMOUS, Parts
from market.kit import audit, triggers
from tests.support.market import work_for


@pytest.mark.usefixtures("both_databases")
@pytest.mark.parametrize(
    "statement", ["UPDATE audit SET action = 'x'", "DELETE FROM audit"], ids=["update", "delete"]
)
def test_rows_stay_as_written(parts: Parts, statement: str) -> None:
    with work_for(parts, ANONYMOUS) as work:
        audit.write(
            work.session,
            at=datetime.now(UTC) - timedelta(days=audit.LEAST_DAYS - 1),
            person_id=None,
            organisation_id=None,
            role="anonymous",
            action="test",
            subject=None,
            outcome=audit.Outcome.DONE,
        )
    with pytest.raises(DatabaseError, match="append-only"), parts.database.write() as session:
        session.connection().exec_driver_sql(statement)


@pytest.mark.usefixtures("both_databases")
def test_every_append_only_table_has_its_triggers(parts: Parts) -> None:
    with parts.database.read() as session:
        installed = triggers.installed(session.connection())
    wanted = {
        triggers.trigger_name(table, operation)
        for table in triggers.APPEND_ONLY
        for operation in ("UPDATE", "DELETE")
    }
    assert wanted <= installed
