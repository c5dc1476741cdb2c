"""Triggers that keep append-only tables append-only, on both databases.

Alembic's batch mode on SQLite drops triggers without a word, so every migration ends by calling
`install`, and a test lists them after each revision.
"""

from sqlalchemy import Connection, inspect, text

APPEND_ONLY = ("audit", "ledger_transaction", "ledger_entry")
_OPERATIONS = ("UPDATE", "DELETE")


def install(connection: Connection) -> None:
    """Create the triggers where they are missing. Safe to run again, and after any revision:
    a table that does not exist yet is passed over.
    """
    present = set(inspect(connection).get_table_names())
    sqlite = connection.dialect.name == "sqlite"
    if not sqlite:
        connection.execute(
            text(
                "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'append-only: %', TG_TABLE_NAME; END $$"
            )
        )
    for table in sorted(present.intersection(APPEND_ONLY)):
        for operation in _OPERATIONS:
            name = trigger_name(table, operation)
            if sqlite:
                connection.exec_driver_sql(
                    f"CREATE TRIGGER IF NOT EXISTS {name} BEFORE {operation} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, 'append-only: {table}'); END"
                )
            else:
                connection.exec_driver_sql(
                    f"CREATE OR REPLACE TRIGGER {name} BEFORE {operation} ON {table} "
                    "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
                )
        if not sqlite:
            connection.exec_driver_sql(
                f"CREATE OR REPLACE TRIGGER {trigger_name(table, 'TRUNCATE')} "
                f"BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
            )


def trigger_name(table: str, operation: str) -> str:
    return f"append_only_{table}_{operation.lower()}"


def installed(connection: Connection) -> set[str]:
    """Return the names of the triggers that stand in the database."""
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if connection.dialect.name == "sqlite"
        else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
    )
    return {row[0] for row in connection.execute(text(query))}
