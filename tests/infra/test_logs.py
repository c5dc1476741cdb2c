"""Logs of the real processes: what people entered is in none of them, and the rest is.

The text fields of everything sent carry a mark; sign-up, sign-in, search, an inquiry and failures
in the middle of them are driven over HTTP, and every line of every log is searched for the mark.
"""

import json
import logging
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from infra.logs import DayFiles
from infra.requests import visitor_key
from infra.settings import Settings
from infra.wiring import build_parts, close_parts, open_writer
from market.accounts.work import Parts
from market.kit import faults
from tests import factories
from tests.support.processes import PRODUCTION, SECRET, Program, program, until
from tests.support.trade import trade

MARK = "zqxmark"
PERSONAL = (MARK, "示范王丙", "13800000000", "127.0.0.1")


@pytest.fixture
def real(settings: Settings) -> Iterator[Parts]:
    built = build_parts(settings)
    yield built
    close_parts(built)


@pytest.fixture
def web(settings: Settings, tmp_path: Path) -> Iterator[Program]:
    open_writer(settings).close()  # an empty index, so that there is one to search
    with program(settings, "serve", **PRODUCTION, ZHIHE_LOG_DIR=str(tmp_path / "logs")) as running:
        yield running


def lines(text_: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text_.splitlines() if line.strip()]


def sign_up(client: httpx.Client) -> httpx.Response:
    form = {
        "name": f"示范王丙{MARK}",
        "email": f"{MARK}@example.com",
        "phone": "13800000000",
        "password": f"{MARK} horse battery",
        "agreed": "1",
    }
    return client.post("/signup", data=form)


def drive(client: httpx.Client, real: Parts) -> dict[str, int]:
    """Send the mark in all that a person can send; return the statuses by what was done."""
    made = trade(real)
    api = {"Authorization": f"Bearer {factories.token(real, made.buyer)}"}
    listing = made.achievement.public_id
    inquiry = {"listing": listing, "message": f"{MARK}请问节拍？"}
    wrong = {"email": f"{MARK}@example.com", "password": f"{MARK} not this one"}
    return {
        "sign up": sign_up(client).status_code,
        "sign in": client.post("/login", data=wrong).status_code,
        "token": client.post("/api/v1/tokens", json=wrong).status_code,
        "search": client.get("/search", params={"q": f"{MARK} 示范王丙"}).status_code,
        "address": client.get(f"/{MARK}/{MARK}?x={MARK}").status_code,
        "agent": client.get("/login", headers={"User-Agent": MARK}).status_code,
        "inquiry": client.post("/api/v1/inquiries", json=inquiry, headers=api).status_code,
        "wrong body": client.post(
            "/api/v1/inquiries", json={**inquiry, "budget": MARK}, headers=api
        ).status_code,
        "one listing": client.get(f"/api/v1/listings/{listing}").status_code,
        "no json": client.post(
            "/api/v1/tokens", content=f"{{{MARK}", headers={"content-type": "application/json"}
        ).status_code,
        "bad token": client.get(
            "/api/v1/me", headers={"Authorization": f"Bearer zh_{MARK}"}
        ).status_code,
    }


def test_no_log_holds_what_people_entered(
    settings: Settings, real: Parts, web: Program, tmp_path: Path
) -> None:
    with httpx.Client(base_url=web.url, headers={"origin": web.url}, timeout=30) as client:
        done = drive(client, real)
        assert done["sign up"] == 303
        assert done["search"] == 200
        assert done["inquiry"] == 201, done
        assert max(done.values()) < 500, done
        failed = fail_in_the_middle(settings, client)
    with (
        program(settings, "worker", **PRODUCTION) as worker,
        program(settings, "indexer", **PRODUCTION) as indexer,
    ):
        until(lambda: "started" in worker.said() and "started" in indexer.said())
        assert worker.stop() == 0
        assert indexer.stop() == 0
    assert web.stop() == 0
    files = list((tmp_path / "logs").glob("web-*.log"))
    assert len(files) == 1
    texts = [web.said(), worker.said(), indexer.said(), files[0].read_text(encoding="utf-8")]
    assert texts[0] == texts[3], "the file holds what the supervisor got"
    for content in texts:
        for personal in PERSONAL:
            assert personal not in content
    logged = lines(texts[0])
    requests = [line for line in logged if line["event"] == "request"]
    assert len(requests) >= len(done) + 2
    by_route = {(line["method"], line["route"]) for line in requests}
    assert ("POST", "/api/v1/inquiries") in by_route
    assert ("GET", "/api/v1/listings/{listing_id}") in by_route
    assert ("GET", "/search") in by_route
    assert ("GET", "other") in by_route
    acting = [line for line in requests if line["route"].endswith("/inquiries")]
    assert all(isinstance(line["person"], int) for line in acting)
    assert all(isinstance(line["organisation"], int) for line in acting)
    known = visitor_key(SECRET.encode(), "127.0.0.1")
    assert {line["visitor"] for line in requests} == {known}
    assert {line["process"] for line in logged} == {"web"}
    numbers = [line["request"] for line in logged if line["event"] == "request failed"]
    assert numbers == failed, "each failure is one line, under the number that people were shown"
    for line in logged:
        if line["event"] == "request failed":
            assert line["frames"]
            assert line["error"].startswith("OperationalError")


def fail_in_the_middle(settings: Settings, client: httpx.Client) -> list[str]:
    """Take a table away under a page and under the API; return the numbers of the answers."""
    path = settings.database.removeprefix("sqlite:///")
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute("PRAGMA legacy_alter_table=ON")
        connection.execute("ALTER TABLE person RENAME TO person_away")
    connection.close()
    client.cookies.clear()
    page = sign_up(client)
    wrong = {"email": f"{MARK}@example.com", "password": f"{MARK} not this one"}
    api = client.post("/api/v1/tokens", json=wrong)
    assert (page.status_code, api.status_code) == (503, 503)
    numbers = [answer.headers["x-request-id"] for answer in (page, api)]
    assert numbers[0] in page.text
    assert numbers[1] in api.json()["error"]["message"]
    return numbers


@pytest.mark.usefixtures("both_databases")
def test_a_refusal_of_the_database_is_told_without_its_values(real: Parts) -> None:
    someone = factories.person(real)
    with pytest.raises(IntegrityError) as caught, real.database.write() as session:
        session.execute(
            text(
                "INSERT INTO person (public_id, email, name, phone, state, created_at) "
                "VALUES ('x', :email, :name, '', 'active', '2026-01-01')"
            ),
            {"email": someone.email, "name": MARK},
        )
    told = faults.told(caught.value)
    assert someone.email not in told
    assert MARK not in told
    assert "Integrity" in told or "Unique" in told
    assert MARK not in str(caught.value), "nor in what a library may print"


def test_files_are_kept_as_long_as_asked_and_no_longer(tmp_path: Path) -> None:
    today = datetime.now(UTC)
    for days in (3, 189, 191, 400):
        day = (today - timedelta(days=days)).date().isoformat()
        (tmp_path / f"web-{day}.log").write_text("{}\n", encoding="utf-8")
    (tmp_path / "worker-2020-01-01.log").write_text("{}\n", encoding="utf-8")
    handler = DayFiles(tmp_path, "web", 190)
    handler.emit(logging.makeLogRecord({"msg": "first"}))
    handler.emit(logging.makeLogRecord({"msg": "second"}))
    handler.close()
    left = sorted(path.name for path in tmp_path.glob("web-*.log"))
    assert len(left) == 3
    newest = tmp_path / left[-1]
    assert newest.read_text(encoding="utf-8") == "first\nsecond\n"
    assert newest.stat().st_mode & 0o007 == 0
    assert (tmp_path / "worker-2020-01-01.log").exists(), "another process's are not touched"


def test_a_full_disk_costs_lines_and_nothing_else(tmp_path: Path) -> None:
    handler = DayFiles(tmp_path / "logs", "web", 190)
    (tmp_path / "logs").rmdir()
    handler.emit(logging.makeLogRecord({"msg": "lost"}))
    (tmp_path / "logs").mkdir()
    handler.emit(logging.makeLogRecord({"msg": "kept"}))
    handler.close()
    (file,) = (tmp_path / "logs").iterdir()
    assert file.read_text(encoding="utf-8") == "kept\n"
