"""Triggers that keep append-only tables append-only, on both databases, and the books balanced.

Alembic's batch mode on SQLite drops triggers without a word, so every migration ends by calling
`install`, and a test lists them after each revision.
"""

from typing import Final

from sqlalchemy import Connection, inspect, text

from market.kit import triggers_pricing
from market.kit.audit import LEAST_DAYS

LEDGER = ("ledger_transaction", "ledger_entry")
OFFERS = ("terms", "terms_instalment", "deal_stage")
APPEND_ONLY = ("audit", "consent", "ledger_record", "ledger_seal", *LEDGER, *OFFERS)
PERIOD = "ledger_period"
_OPERATIONS = ("UPDATE", "DELETE")
# Rows of a log may go once the law no longer wants them, by the database's own clock.
LOGS = {"audit": "at"}
_YOUNG_SQLITE = f"WHEN OLD.{{column}} > datetime('now', '-{LEAST_DAYS} days') "
_YOUNG_POSTGRES = f"WHEN (OLD.{{column}} > now() - interval '{LEAST_DAYS} days') "
_BALANCED = "balanced_"
# SQLite has no deferred triggers: there the ledger's service asserts, and its audit finds.
_REFUSE_IMBALANCE = """
CREATE OR REPLACE FUNCTION refuse_imbalance() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE one bigint := (to_jsonb(NEW) ->> TG_ARGV[0])::bigint;
BEGIN
  IF (SELECT count(*) < 2 OR sum(amount_fen) <> 0 FROM ledger_entry WHERE transaction_id = one)
  THEN RAISE EXCEPTION 'ledger transaction % does not balance', one;
  END IF;
  RETURN NULL;
END $$
"""


def install(connection: Connection) -> None:
    """Write the triggers anew. Safe to run again, and after any revision: a table that does not
    exist yet is passed over.
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
            when = _when(table, operation, sqlite=sqlite)
            if sqlite:
                connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
                connection.exec_driver_sql(
                    f"CREATE TRIGGER {name} BEFORE {operation} ON {table} {when}"
                    f"BEGIN SELECT RAISE(ABORT, 'append-only: {table}'); END"
                )
            else:
                connection.exec_driver_sql(
                    f"CREATE OR REPLACE TRIGGER {name} BEFORE {operation} ON {table} "
                    f"FOR EACH ROW {when}EXECUTE FUNCTION refuse_change()"
                )
        if not sqlite:
            connection.exec_driver_sql(
                f"CREATE OR REPLACE TRIGGER {trigger_name(table, 'TRUNCATE')} "
                f"BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
            )
    if not sqlite and present.issuperset(LEDGER):
        _keep_balanced(connection)
    if present.issuperset(triggers_pricing.TABLES):
        triggers_pricing.install(connection, sqlite=sqlite)
    if PERIOD in present:
        _keep_periods(connection, sqlite=sqlite)


def _when(table: str, operation: str, *, sqlite: bool) -> str:
    if operation != "DELETE" or table not in LOGS:
        return ""
    return (_YOUNG_SQLITE if sqlite else _YOUNG_POSTGRES).format(column=LOGS[table])


def _keep_balanced(connection: Connection) -> None:
    """Refuse, at commit, a transaction whose entries do not sum to 0."""
    connection.execute(text(_REFUSE_IMBALANCE))
    present = installed(connection)
    for table, key in zip(LEDGER, ("id", "transaction_id"), strict=True):
        if f"{_BALANCED}{table}" not in present:  # a constraint trigger cannot be replaced
            connection.exec_driver_sql(
                f"CREATE CONSTRAINT TRIGGER {_BALANCED}{table} AFTER INSERT ON {table} DEFERRABLE "
                f"INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_imbalance('{key}')"
            )


_PERIODS: Final = {
    # name: (table, operation, when; on PostgreSQL a condition of its own function)
    "period_closed_update": (PERIOD, "UPDATE", "OLD.state = 'closed'"),
    "period_kept_delete": (PERIOD, "DELETE", "TRUE"),
    "period_closed_insert": (
        "ledger_transaction",
        "INSERT",
        (
            "EXISTS (SELECT 1 FROM ledger_period p WHERE p.book = NEW.book AND p.state <> 'open'"
            " AND p.ends_on >= NEW.effective_on)"
        ),
    ),
}
"""What is closed stays as it is, and nothing falls into it."""


def _keep_periods(connection: Connection, *, sqlite: bool) -> None:
    for name, (table, operation, when) in _PERIODS.items():
        if sqlite:
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
            connection.exec_driver_sql(
                f"CREATE TRIGGER {name} BEFORE {operation} ON {table} WHEN {when} "
                f"BEGIN SELECT RAISE(ABORT, 'closed period: {table}'); END"
            )
            continue
        row = "OLD" if operation == "DELETE" else "NEW"
        connection.exec_driver_sql(
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF {when} THEN RAISE EXCEPTION 'closed period: {table}'; END IF; "
            f"RETURN {row}; END $$"
        )
        connection.exec_driver_sql(
            f"CREATE OR REPLACE TRIGGER {name} BEFORE {operation} ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {name}()"
        )


def lift(connection: Connection, table: str, operation: str) -> None:
    """Take one guard away until `install`, in the same transaction."""
    on = "" if connection.dialect.name == "sqlite" else f" ON {table}"
    connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {trigger_name(table, operation)}{on}")


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


def missing(connection: Connection) -> list[str]:
    """Return the names of the triggers that should stand in the database and do not."""
    sqlite = connection.dialect.name == "sqlite"
    operations = _OPERATIONS if sqlite else (*_OPERATIONS, "TRUNCATE")
    wanted = {trigger_name(table, each) for table in APPEND_ONLY for each in operations}
    if not sqlite:
        wanted |= {f"{_BALANCED}{table}" for table in LEDGER}
    wanted |= set(triggers_pricing.NAMES) | _PERIODS.keys()
    return sorted(wanted - installed(connection))
