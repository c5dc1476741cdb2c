"""What someone can do who has the whole database and not the key: each is a function that changes
rows at random and says what it did; None where these rows do not allow it.
"""

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import JSON, Boolean, Date, DateTime, Integer, Table, delete, insert, select, update
from sqlmodel import Session

from market.deals.models import Contract, ContractLine
from market.kit import triggers
from market.kit.db import is_sqlite, table_of
from market.ledger import chain
from market.ledger.models import Book, Chain, Entry, LedgerHead, Period, Record, Seal, Transaction
from market.ledger.repository_verify import Sides, links
from market.registry.models import PastRegistration, Registration, RegistrationEvent

TABLES = tuple(
    table_of(one)
    for one in (
        Entry,
        Transaction,
        Registration,
        RegistrationEvent,
        Contract,
        ContractLine,
        PastRegistration,
        Period,
        Record,
        Seal,
    )
)
T, E, R, P, H = (table_of(one) for one in (Transaction, Entry, Registration, Period, LedgerHead))
NUMBERED = (E, table_of(Record), table_of(Seal))
"""Tables to whose ids nothing refers."""
OPEN = ("seller_agrees_public", "buyer_agrees_public")
"""What of a contract its parties may change at any time."""
Tamper = Callable[[Session, Random], str | None]


def unguard(session: Session) -> None:
    """Drop every trigger, and hold no reference, as the owner of the database can."""
    connection = session.connection()
    if not is_sqlite(session):
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        return
    for name in sorted(triggers.installed(connection)):
        connection.exec_driver_sql(f"DROP TRIGGER {name}")
    connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
    connection.exec_driver_sql("PRAGMA ignore_check_constraints=ON")


def _rows(session: Session, table: Table) -> list[Any]:
    return list(session.execute(select(table).order_by(table.c.id)).mappings())


def _other(session: Session, column: Any, value: Any, random: Random) -> Any:
    """Return another value for a column, that it could hold."""
    if value is not None and column.nullable and random.random() < 0.2:
        return None
    if isinstance(column.type, JSON):
        return {**(value or {}), "x": [random.randrange(9), "0" * 64]}
    if isinstance(value, str):
        return _text(column, value, random)
    if isinstance(column.type, Date):
        return (value or date(2026, 1, 1)) + timedelta(days=random.choice((-400, -1, 1, 31)))
    if isinstance(column.type, DateTime) or hasattr(column.type, "process_bind_param"):
        return (value or datetime.fromisoformat("2026-01-01T00:00:00+00:00")) + timedelta(
            microseconds=random.choice((1, 10**6, 10**12))
        )
    if isinstance(column.type, Boolean):
        return not value
    if isinstance(column.type, Integer):
        return (value or 0) + random.choice((-1, 1, 7, 100_000))
    return _text(column, value, random)


def _text(column: Any, value: str | None, random: Random) -> str:
    length = getattr(column.type, "length", None) or 40
    if length == 64:
        return f"{random.getrandbits(256):064x}"
    changed = f"{(value or '')[: length - 1]}{random.choice('改零9x')}"
    return changed if changed != value else f"{changed[:-1]}乙"


def update_one(session: Session, random: Random) -> str | None:
    """Another value in one column of one row."""
    table = random.choice((*TABLES, H))
    rows = _rows(session, table) if table is not H else list(session.execute(select(H)).mappings())
    if not rows:
        return None
    row = random.choice(rows)
    column = random.choice(
        [one for one in table.columns if not one.primary_key and one.name not in OPEN]
    )
    value = _other(session, column, row[column.name], random)
    key = next(iter(table.primary_key.columns))
    done = session.execute(update(table).where(key == row[key.name]).values({column.name: value}))
    assert done.rowcount == 1
    return f"UPDATE {table.name}.{column.name} {row[column.name]!r} -> {value!r} of {row[key.name]}"


def delete_one(session: Session, random: Random) -> str | None:
    """The first, the last, or one in the middle."""
    table = random.choice(TABLES)
    rows = _rows(session, table)
    if not rows:
        return None
    row = random.choice((rows[0], rows[-1], random.choice(rows)))
    session.execute(delete(table).where(table.c.id == row["id"]))
    return f"DELETE {table.name} {row['id']}"


def insert_one(session: Session, random: Random) -> str | None:
    """One more, made after another; a contract that is not handed in says nothing."""
    table = random.choice([one for one in TABLES if one is not table_of(Contract)])
    rows = _rows(session, table)
    if not rows:
        return None
    values = dict(random.choice(rows))
    values["id"] = rows[-1]["id"] + 1
    for name, fresh in (
        ("seq", max((one.get("seq") or 0) for one in rows) + 1),
        ("number", None),
        ("place", 90 + random.randrange(9)),
        ("position", 90 + random.randrange(9)),
        ("month", f"20{random.randrange(30, 99)}-01"),
        ("public_id", f"forged{random.randrange(10**9):09d}"),
        ("idempotency_key", f"forged{random.random()}"),
        ("subject_key", f"forged{random.random()}"),
        ("fingerprint", f"{random.getrandbits(256):064x}"),
        ("transaction_id", None),
        ("reversal_id", None),
        ("supersedes_id", None),
        ("previous_id", None),
        ("reverses_id", None),
    ):
        if name in values and not (table is E and name == "transaction_id"):
            values[name] = fresh
    _make_whole(table, values, rows, random)
    session.execute(insert(table).values(values))
    return f"INSERT {table.name} {values}"


def _make_whole(table: Table, values: dict[str, Any], rows: list[Any], random: Random) -> None:
    if table is T:
        values |= {"kind": "register", "register_id": None}
    if table is R:
        values |= {"state": "withdrawn", "number": None}
    if table is table_of(PastRegistration):
        taken = random.choice(rows)
        values |= {
            "number": f"{random.randrange(10**16):016d}",
            "state": "counted",
            "cause": None,
            "transaction_id": 10**6 + taken["id"],
        }
    if table is table_of(Seal):
        values |= {"number": rows[-1]["number"] + 1, "cause": "night", "month": None}
    if table is E:
        values["account"] = "counted:110101"


def swap(session: Session, random: Random) -> str | None:
    """What one row says and what another says, the one in the place of the other."""
    table = random.choice(TABLES)
    unique = {"id", "public_id"}
    rows = _rows(session, table)
    if len(rows) < 2:
        return None
    one, other = random.sample(rows, 2)
    names = [c.name for c in table.columns if c.name not in unique and one[c.name] != other[c.name]]
    if not names:
        return None
    chosen = names if random.random() < 0.5 else [random.choice(names)]
    if table in NUMBERED and _renumbered(table, one, other, chosen):
        return None  # only their ids went, to which nothing refers
    for row in (one, other):  # out of the way of what is unique
        session.execute(
            update(table)
            .where(table.c.id == row["id"])
            .values({name: _aside(table.c[name], row) for name in chosen if _unique(table, name)})
        ) if any(_unique(table, name) for name in chosen) else None
    for row, said in ((one, other), (other, one)):
        session.execute(
            update(table)
            .where(table.c.id == row["id"])
            .values({name: said[name] for name in chosen})
        )
    return f"SWAP {table.name} {one['id']} {other['id']} {chosen}"


def _renumbered(table: Table, one: Any, other: Any, chosen: list[str]) -> bool:
    names = [column.name for column in table.columns if column.name != "id"]
    return all(one[name] == other[name] for name in names if name not in chosen)


def _unique(table: Table, name: str) -> bool:
    held = [one.columns.keys() for one in table.constraints if hasattr(one, "columns")]
    held += [one.columns.keys() for one in table.indexes if one.unique]
    return any(name in names for names in held) and not isinstance(table.c[name].type, Date)


def _aside(column: Any, row: Any) -> Any:
    if isinstance(column.type, Integer):
        return None if column.nullable else 10**7 + row["id"]
    if row[column.name] is None:
        return None
    length = column.type.length or 40
    if column.name in ("state", "kind", "book", "cause"):
        return row[column.name]
    return f"~{row['id']}"[:length]


def two_contracts(session: Session, random: Random) -> str | None:
    """Swap what two registrations and their transactions point at."""
    rows = [one for one in _rows(session, R) if one["transaction_id"] and one["state"] != "x"]
    if len(rows) < 2:
        return None
    one, other = random.sample(rows, 2)
    for row in (one, other):
        session.execute(
            update(R).where(R.c.id == row["id"]).values(contract_id=-row["id"], transaction_id=None)
            if is_sqlite(session)
            else update(R).where(R.c.id == row["id"]).values(contract_id=-row["id"])
        )
    for row, said in ((one, other), (other, one)):
        session.execute(
            update(R).where(R.c.id == row["id"]).values(contract_id=said["contract_id"])
        )
    if is_sqlite(session):
        for row in (one, other):
            session.execute(
                update(R).where(R.c.id == row["id"]).values(transaction_id=row["transaction_id"])
            )
    return f"CONTRACTS of {one['id']} and {other['id']}"


def inflate(session: Session, random: Random) -> str | None:
    """A larger amount everywhere at once: registration, transaction and both entries."""
    rows = [one for one in _rows(session, R) if one["state"] == "registered"]
    if not rows:
        return None
    row = random.choice(rows)
    more = random.choice((1, 100, 10**8))
    own = row["transaction_id"]
    grown = {"technical_fen": row["technical_fen"] + more, "total_fen": row["total_fen"] + more}
    session.execute(update(R).where(R.c.id == row["id"]).values(grown))
    session.execute(update(T).where(T.c.id == own).values(grown))
    for sign, found in ((1, E.c.account != "contracts"), (-1, E.c.account == "contracts")):
        session.execute(
            update(E)
            .where(E.c.transaction_id == own, found)
            .values(amount_fen=E.c.amount_fen + sign * more)
        )
    return f"INFLATE {row['id']} by {more}"


def rewrite_all(session: Session, random: Random) -> str | None:
    """Inflate, and make every hash, head and seal anew with a key of one's own."""
    what = inflate(session, random)
    if what is None:
        return None
    key = chain.Key(random.randbytes(32))
    link, seqs = chain.beginning(Chain.STATISTICS), {}
    sides = Sides(session, Book.STATISTICS)
    for row in list(links(session, Book.STATISTICS)):
        values = row._mapping
        seqs[values["id"]] = values["seq"]
        own = [(account, fen, seqs[of]) for _, account, fen, of in sides.of(values["id"])]
        link = key.link(link, chain.of_transaction(values, seqs, own))
        session.execute(update(T).where(T.c.id == values["id"]).values(keyed_hash=link))
    session.execute(update(H).where(H.c.book == "statistics").values(hash=link))
    if random.random() < 0.5:
        session.execute(update(H).values(key_id=key.id))
    return f"REWRITE after {what}"


def cut_off(session: Session, random: Random) -> str | None:
    """Cut the end off with everything that hangs on it, the heads put back as they stood, and what
    was signed since taken away too: an old copy in the place of the new one.
    """
    rows = _rows(session, T)
    number = random.randint(1, min(5, len(rows)))
    gone = rows[-number:]
    ids = [one["id"] for one in gone]
    for table in (R, table_of(PastRegistration)):
        session.execute(delete(table).where(table.c.transaction_id.in_(ids)))
        session.execute(
            update(table)
            .where(table.c.reversal_id.in_(ids))
            .values(
                {"reversal_id": None, "state": "registered"}
                if table is R
                else {"reversal_id": None, "state": "counted", "cause": None}
            )
        )
    session.execute(delete(E).where(E.c.transaction_id.in_(ids)))
    session.execute(delete(T).where(T.c.id.in_(ids)))
    left = rows[: len(rows) - number]
    session.execute(
        update(H)
        .where(H.c.book == "statistics")
        .values(seq=len(left), hash=left[-1]["keyed_hash"] if left else "")
    )
    if random.random() < 0.5:
        session.execute(delete(table_of(Seal)))
    return f"CUT {number}"


def cut_records(session: Session, random: Random) -> str | None:
    """Cut off the end of what rows said, and take the rows of which nothing is left."""
    kept = table_of(Record)
    rows = _rows(session, kept)
    number = random.randint(1, min(5, len(rows)))
    left = rows[: len(rows) - number]
    session.execute(delete(kept).where(kept.c.id.in_([one["id"] for one in rows[-number:]])))
    session.execute(
        update(H)
        .where(H.c.book == "records")
        .values(seq=len(left), hash=left[-1]["keyed_hash"] if left else "")
    )
    return f"CUT RECORDS {number}"


def reopen(session: Session, random: Random) -> str | None:
    """Open a closed month again, or let it have come to something else."""
    rows = [one for one in _rows(session, P) if one["state"] != "open"]
    if not rows:
        return None
    row = random.choice(rows)
    values = random.choice(
        (
            {"technical_fen": row["technical_fen"] + 1},
            {"count": row["count"] + 1},
            {"closed_by": None, "closing_at": row["closing_at"] - timedelta(days=1)},
            {
                "state": "open",
                **dict.fromkeys(
                    (
                        "closing_at",
                        "closed_at",
                        "closed_by",
                        "count",
                        "technical_fen",
                        "total_fen",
                        "head_seq",
                        "head_hash",
                    )
                ),
            },
        )
    )
    session.execute(update(P).where(P.c.id == row["id"]).values(values))
    return f"REOPEN {row['month']} {sorted(values)}"


TAMPERS: tuple[tuple[Tamper, int], ...] = (
    (update_one, 40),
    (delete_one, 20),
    (insert_one, 12),
    (swap, 14),
    (two_contracts, 3),
    (inflate, 4),
    (rewrite_all, 3),
    (cut_off, 5),
    (cut_records, 3),
    (reopen, 4),
)
"""Each with how often it comes among a hundred or so."""


def plain(what: object) -> str:
    return json.dumps(what, ensure_ascii=False, default=str)
