"""What stands in the record of a registration is what was done: the audit finds every rewriting."""

from typing import Any

import pytest
from sqlalchemy import text

from market import chaining
from market.accounts.work import Parts
from market.ledger import records
from market.registry import kept, service
from market.registry.audit import audit
from market.registry.schemas import CancelIn, ChangeIn
from tests.support import papers, tampering
from tests.support.market import work_for

pytestmark = pytest.mark.usefixtures("both_databases")
WAN = papers.WAN


@pytest.fixture
def changed(parts: Parts) -> Parts:
    """A market with one registration that was changed and then cancelled."""
    chaining.begin(parts)
    pair = papers.sides(parts)
    filed = papers.registered(parts, pair)
    change = ChangeIn(total_fen=60 * WAN, technical_fen=50 * WAN, reason="调减")
    cancel = CancelIn(cause="rescinded", reason="解除")
    with work_for(parts, pair.officer) as work:
        service.change(work, filed.row.public_id, change)
        service.cancel(work, filed.row.public_id, cancel)
    return parts


REWRITTEN: list[tuple[str, str, Any]] = [
    *(
        ("registration_event", column, value)
        for column, value in (
            ("note", "别的原因"),
            ("at", "2020-01-01 00:00:00.000000"),
            ("person_id", None),
            ("effective_on", "2020-01-01"),
            ("due_on", "2020-01-01"),
            ("cause", "fraud"),
        )
    ),
    ("contract", "technical_fen", 1),
    ("contract", "sub_type", "合作开发"),
    ("contract", "signed_on", "2025-01-03"),
    ("contract_line", "amount_fen", 1),
    ("contract_line", "name", "别的明细"),
    ("contract_line", "reasonable_quantity", True),
]


@pytest.mark.parametrize(("table", "column", "value"), REWRITTEN)
def test_what_was_handed_in_and_done_is_not_rewritten_unseen(
    changed: Parts, table: str, column: str, value: object
) -> None:
    with changed.database.write() as session:
        assert list(audit(session)) == []
        tampering.unguard(session)
        session.execute(text(f"UPDATE {table} SET {column} = :value"), {"value": value})
        assert [one for one in audit(session) if one.where == "登记的记录"]
        session.rollback()
        if changed.database.sqlite:
            session.connection().exec_driver_sql("PRAGMA ignore_check_constraints=OFF")
            session.rollback()


@pytest.mark.parametrize("step", ["change", "cancel"])
def test_a_reason_is_held_against_the_ledger_too(changed: Parts, step: str) -> None:
    """Even where the chain of records was forged to fit: the ledger has the document's digest."""
    with changed.database.write() as session:
        tampering.unguard(session)
        session.execute(
            text("UPDATE registration_event SET note = '别的原因' WHERE step = :step"),
            {"step": step},
        )
        for key, digest in kept.all_histories(session):
            session.execute(
                text(
                    "UPDATE ledger_record SET digest = :digest"
                    " WHERE subject_kind = 'registration_history' AND subject_key = :key"
                ),
                {"digest": digest, "key": key},
            )
        assert [one for one in audit(session) if "摘要不符" in one.what]
        session.rollback()


def test_a_market_of_before_is_kept_from_now_on(changed: Parts) -> None:
    """Its steps were not kept when they were taken."""
    with changed.database.write() as session:
        tampering.unguard(session)
        session.execute(
            text("DELETE FROM ledger_record WHERE subject_kind = 'registration_history'")
        )
        assert not records.any_kept(session, kept.HISTORY)
    assert chaining.begin(changed) is None
    with changed.database.read() as session:
        assert list(audit(session)) == []
