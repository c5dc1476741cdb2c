"""Triggers that hold a contract to the path by which its price has to be found.

A state-founded seller, leading or joint, assigns or licenses, by what was agreed or by what is
signed, only at a price that was found by law (促进科技成果转化法 18). The service says why a
contract may not be signed yet; these refuse it whoever writes the row:

    pricing_path → cleared    only after the last of the days that the rule in force says, rest days
                              rolled forward by the holiday table, and while no objection is open
    contract     → signed     only with a path that was cleared or dealt by then, for no less
"""

from typing import Final

from sqlalchemy import Connection, inspect, text

TABLES: Final = (
    "contract",
    "pricing_path",
    "objection",
    "organisation",
    "holiday",
    "deal",
    "deal_party",
    "terms",
    "transfer_rule",
)
_RULES: Final = "transfer_rule"
CLEARED, SIGNED = "path_cleared", "contract_by_path"

# A working day from the end of the period up to the day before it is cleared. A month is looked
# through for one; the longest holiday has 9 days.
_WORKED_SQLITE = """
SELECT 1 FROM (WITH RECURSIVE n(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n
  WHERE n < 31) SELECT n FROM n) AS step
WHERE date(NEW.published_on, '+' || (NEW.days + step.n) || ' days') < NEW.cleared_on
  AND (EXISTS (SELECT 1 FROM holiday WHERE kind = 'work' AND falls_on =
        date(NEW.published_on, '+' || (NEW.days + step.n) || ' days'))
    OR (strftime('%w', NEW.published_on, '+' || (NEW.days + step.n) || ' days')
          NOT IN ('0', '6')
        AND NOT EXISTS (SELECT 1 FROM holiday WHERE kind = 'rest' AND falls_on =
          date(NEW.published_on, '+' || (NEW.days + step.n) || ' days'))))"""
_WORKED_POSTGRES = """
SELECT 1 FROM generate_series(0, 31) AS step(n)
WHERE NEW.published_on + NEW.days + step.n < NEW.cleared_on
  AND (EXISTS (SELECT 1 FROM holiday WHERE kind = 'work'
        AND falls_on = NEW.published_on + NEW.days + step.n)
    OR (extract(isodow FROM NEW.published_on + NEW.days + step.n) < 6
        AND NOT EXISTS (SELECT 1 FROM holiday WHERE kind = 'rest'
          AND falls_on = NEW.published_on + NEW.days + step.n)))"""
# The days by the rule in force on the day of publication, as it was known when the path was chosen:
# a rule changed later does not lengthen what runs. Before the first rule: 国发〔2016〕16号.
_DAYS = (
    "SELECT coalesce(max(r.publicity_days), 15) FROM transfer_rule AS r"
    " WHERE r.created_at <= NEW.created_at"
    " AND (r.archived_at IS NULL OR r.archived_at > NEW.created_at)"
    " AND r.effective_from = (SELECT max(s.effective_from) FROM transfer_rule AS s"
    " WHERE s.effective_from <= NEW.published_on AND s.created_at <= NEW.created_at"
    " AND (s.archived_at IS NULL OR s.archived_at > NEW.created_at))"
)
_CLEARS = "NEW.state = 'cleared' AND OLD.state <> 'cleared'"
_UNCLEARED = (
    "OLD.state <> 'publicised' OR NEW.days IS NULL OR NEW.days < ({days}) OR NOT EXISTS ({worked})"
    " OR EXISTS (SELECT 1 FROM objection WHERE pricing_path_id = NEW.id AND state = 'open')"
)
_PRICED = (
    "(NEW.type IN ('TRF', 'LIC') OR EXISTS (SELECT 1 FROM terms AS t JOIN deal AS d"
    " ON d.id = t.deal_id AND d.terms_version = t.version"
    " WHERE d.id = NEW.deal_id AND t.mode NOT IN ('合作开发', '其他')))"
    " AND EXISTS (SELECT 1 FROM organisation AS o WHERE o.state_founded AND (o.id = NEW.seller_id"
    " OR EXISTS (SELECT 1 FROM deal_party AS x WHERE x.deal_id = NEW.deal_id AND x.side = 'seller'"
    " AND x.organisation_id = o.id)))"
)
_UNPRICED = (
    "NOT EXISTS (SELECT 1 FROM pricing_path AS p WHERE p.deal_id = NEW.deal_id"
    " AND ((p.state = 'cleared' AND p.cleared_on <= NEW.signed_on AND NEW.total_fen >= p.price_fen)"
    " OR (p.state = 'dealt' AND p.dealt_on <= NEW.signed_on AND NEW.total_fen >= p.dealt_fen))"
    " AND NOT EXISTS (SELECT 1 FROM objection WHERE pricing_path_id = p.id AND state = 'open'))"
)
_EARLY = "the 公示 has not run out"
_NO_PATH = "no price was found by law"


def install(connection: Connection, *, sqlite: bool) -> None:
    """Write the triggers anew; the tables are all there. None before the revision that makes the
    days of a 公示 data: SQLite changes no table while a trigger names a column that is not there.
    """
    if all(one["name"] != "publicity_days" for one in inspect(connection).get_columns(_RULES)):
        return
    worked = _WORKED_SQLITE if sqlite else _WORKED_POSTGRES
    uncleared = _UNCLEARED.format(days=_DAYS, worked=worked)
    parts = (
        (CLEARED, "pricing_path", "UPDATE", _CLEARS, uncleared, _EARLY),
        (SIGNED, "contract", "UPDATE", _signs(old=True), f"{_PRICED} AND {_UNPRICED}", _NO_PATH),
        (
            f"{SIGNED}_insert",
            "contract",
            "INSERT",
            _signs(old=False),
            f"{_PRICED} AND {_UNPRICED}",
            _NO_PATH,
        ),
    )
    for name, table, operation, when, wrong, message in parts:
        if sqlite:
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
            connection.exec_driver_sql(
                f"CREATE TRIGGER {name} BEFORE {operation} ON {table} WHEN {when} "
                f"BEGIN SELECT RAISE(ABORT, '{message}') WHERE {wrong}; END"
            )
        else:
            connection.execute(
                text(
                    f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ "
                    f"BEGIN IF {wrong} THEN RAISE EXCEPTION '{message}' "
                    "USING ERRCODE = 'check_violation'; END IF; RETURN NEW; END $$"
                )
            )
            connection.exec_driver_sql(
                f"CREATE OR REPLACE TRIGGER {name} BEFORE {operation} ON {table} "
                f"FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION {name}()"
            )


def lift(connection: Connection) -> None:
    """Take the triggers away before revisions run: SQLite cannot put a table in the place of
    another, as Alembic's batch mode does, while a trigger of a third table speaks of it.
    """
    if connection.dialect.name == "sqlite":
        for name in NAMES:
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")


def _signs(*, old: bool) -> str:
    return "NEW.state = 'signed'" + (" AND OLD.state <> 'signed'" if old else "")


NAMES: Final = (CLEARED, SIGNED, f"{SIGNED}_insert")
