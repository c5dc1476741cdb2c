"""Registrations of before the desk had its steps come through with their states and a history."""

import json
from datetime import date

import pytest
from alembic import command
from sqlalchemy import text

from infra.migrate import configuration, migrate
from market.kit import triggers
from market.kit.db import Database
from market.registry.certificate import mark
from market.registry.states import EDGES, RegistrationState, Step

AT, ON = "2026-11-20 08:00:00+00:00", "2026-11-20"
ORGANISATIONS = ((1, "university", "示范大学一"), (2, "company", "示例机电有限责任公司"))
STATES = ("submitted", "registered", "not_registered", "withdrawn", "undone")


def _insert(table: str, **values: object) -> str:
    told = ", ".join(
        "NULL" if v is None else str(v).lower() if isinstance(v, bool) else repr(v)
        for v in values.values()
    )
    return f"INSERT INTO {table} ({', '.join(values)}) VALUES ({told})"


def _before() -> list[str]:
    found = [
        _insert(
            "organisation",
            id=key,
            public_id=f"org{key:011d}",
            kind=kind,
            name=name,
            region="500106",
            address="",
            state_founded=True,
            self_publish=False,
            verification="verified",
            verification_note="",
            demo=False,
            edits=0,
            created_at=AT,
        )
        for key, kind, name in ORGANISATIONS
    ]
    found.append(
        _insert(
            "person",
            id=3,
            public_id="per23456789abc",
            email="a@example.com",
            name="甲",
            phone="",
            state="active",
            created_at=AT,
        )
    )
    found.append(
        _insert(
            "listing",
            id=9,
            public_id="lis23456789abc",
            kind="achievement",
            organisation_id=1,
            masked=False,
            state="private",
            review_state="draft",
            content_hash="h",
            edits=0,
            created_at=AT,
            updated_at=AT,
        )
    )
    for n, state in enumerate(STATES, 1):
        found += _one(n, state)
    return found


def _one(n: int, state: str) -> list[str]:
    counted = state in ("registered", "undone")
    parties = {"seller_id": 1, "buyer_id": 2}
    names = {"seller_name": "示范大学一", "buyer_name": "示例机电有限责任公司"}
    regions = {"seller_region": "500106", "buyer_region": "500106"}
    money = {"total_fen": 120, "technical_fen": 100}
    about = {"sub_type": "委托开发", "field": 3, "project_name": f"项目{n}"}
    rows = [
        _insert(
            "deal",
            id=n,
            public_id=f"deal{n:010d}",
            number=f"N-{n}",
            title=f"项目{n}",
            **parties,
            achievement_id=9,
            state="agreed",
            terms_version=0,
            seller_confirmed=0,
            buyer_confirmed=0,
            lost_note="",
            concluded_at=AT,
            created_at=AT,
            updated_at=AT,
        ),
        _insert(
            "contract",
            id=n,
            public_id=f"con{n:011d}",
            deal_id=n,
            number="",
            state="signed",
            **about | {"type": "DEV"},
            **parties | names | regions | money,
            seller_credit_code="",
            buyer_credit_code="",
            pay_method="lump",
            begins_on=ON,
            ends_on=ON,
            signed_on=ON,
            seller_agrees_public=False,
            buyer_agrees_public=False,
            drafted_by=3,
            created_at=AT,
        ),
    ]
    for kind, key in (("register", n), ("reverse", n + 10)):
        if counted and (kind == "register" or state == "undone"):
            rows.append(
                _insert(
                    "ledger_transaction",
                    id=key,
                    book="statistics",
                    seq=key,
                    kind=kind,
                    idempotency_key=f"{kind}{n}",
                    subject_key=f"default:{n}",
                    generation=0,
                    digest="d" * 64,
                    effective_on=ON,
                    posted_at=AT,
                    reverses_id=None if kind == "register" else n,
                    contract_type="DEV",
                    **about | parties | names | regions | money,
                )
            )
    decided = state != "submitted" and state != "withdrawn"
    gone = state in ("withdrawn", "undone")
    rows.append(
        _insert(
            "registration",
            id=n,
            public_id=f"reg{n:011d}",
            contract_id=n,
            state="withdrawn" if gone else state,
            registry_name="default",
            fingerprint=f"{n:064d}",
            submitted_by=3,
            submitted_at=AT,
            number=f"000020260000000{n}" if counted else None,
            **(money if counted else {}),
            difference_reason="",
            decided_on=ON if counted else None,
            digest="d" * 64 if counted else "",
            transaction_id=n if counted else None,
            refusal_reason="evidence" if state == "not_registered" else "",
            note="意见" if decided else "",
            decided_by=3 if decided else None,
            decided_at=AT if decided else None,
            reversal_id=n + 10 if state == "undone" else None,
            withdraw_reason="抄错" if state == "undone" else "",
            withdrawn_by=3 if gone else None,
            withdrawn_at=AT if gone else None,
        )
    )
    return rows


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def old(request, tmp_path) -> str:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/old.db"
    else:
        url = request.getfixturevalue("database_url")(None)
    database = Database(url)
    with database.writer.begin() as connection:
        command.upgrade(configuration(connection), "0006")
        for statement in _before():
            connection.execute(text(statement))
        connection.execute(text("UPDATE registration SET supersedes_id = 5 WHERE id = 2"))
        triggers.install(connection)
    database.close()
    return url


def test_states_and_their_steps_are_carried_over(old: str) -> None:
    migrate(old)
    database = Database(old)
    with database.reader.connect() as connection:
        rows = connection.execute(text("SELECT * FROM registration ORDER BY id")).mappings().all()
        events = (
            connection.execute(
                text("SELECT * FROM registration_event ORDER BY registration_id, place")
            )
            .mappings()
            .all()
        )
    database.close()
    assert [row["state"] for row in rows] == [
        "submitted",
        "registered",
        "not_registered",
        "withdrawn",
        "withdrawn",
    ]
    assert rows[1]["supersedes_id"] == 5
    assert {str(row["handed_in_on"]) for row in rows} == {ON}
    assert [row["registered_type"] for row in rows] == ["", "DEV", "", "", "DEV"]
    for row in rows:
        items = row["items"]
        assert (json.loads(items) if isinstance(items, str) else items) == {}
        names = ("示范大学一", "示例机电有限公司", f"项目{row['id']}")
        assert row["fingerprint"] == mark(*names, date(2026, 11, 20), 120)
        its = [one for one in events if one["registration_id"] == row["id"]]
        state = "draft"
        for one in its:
            pair = (RegistrationState(one["from_state"]), RegistrationState(one["to_state"]))
            assert one["from_state"] == state
            assert pair in EDGES[Step(one["step"])].pairs
            state = one["to_state"]
        assert state == row["state"]
    assert [one["step"] for one in events if one["registration_id"] == 5] == [
        "hand_in",
        "accept",
        "register",
        "undo",
    ]
    assert [one["transaction_id"] for one in events if one["transaction_id"]] == [2, 5, 15]
