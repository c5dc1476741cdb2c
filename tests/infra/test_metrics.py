"""Probes and figures over HTTP; dashboard and alerts name only figures that exist."""

import dataclasses
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from infra.pulse import Pulse
from infra.settings import Mode, Settings
from infra.web import create_app, in_thread
from infra.wiring import open_reader, open_writer
from market.accounts.policy import Role
from market.accounts.work import Parts
from market.kit import changes, jobs
from market.kit.changes import Consumer, SubjectKind
from tests.support.clock import FakeClock
from tests.support.running import Running

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "a-token-of-the-operators"
NAME = re.compile(r"\b((?:zhihe|process)_[a-z_]+)\b")
LABELS = {"kind", "state", "consumer", "route", "method", "status", "name", "book", "version", "le"}


@contextmanager
def serving(parts: Parts, settings: Settings) -> Iterator[httpx.Client]:
    open_writer(settings).close()
    reader = open_reader(settings)
    server, thread, port = in_thread(
        create_app(parts, reader, settings), dataclasses.replace(settings, port=0)
    )
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        yield client
    server.stop()
    thread.join(timeout=10)
    reader.close()


def production(settings: Settings, **more: str) -> Settings:
    return dataclasses.replace(
        settings, mode=Mode.PRODUCTION, hosts=("market.example.com",), secret="s" * 40, **more
    )


@pytest.mark.usefixtures("both_databases")
def test_ready_says_what_is_missing(parts: Parts, settings: Settings) -> None:
    with serving(parts, settings) as client:
        ready = client.get("/ready")
        assert ready.status_code == 200
        assert ready.json() == {"status": "ok", "database": "ok", "schema": "ok", "index": "ok"}
        with parts.database.writer.begin() as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'elsewhere'")
        late = client.get("/ready")
        assert late.status_code == 503
        assert late.json()["schema"] == "not at head"
        with parts.database.writer.begin() as connection:
            connection.exec_driver_sql("DROP TABLE alembic_version")
        assert client.get("/ready").status_code == 503
        assert client.get("/health").json() == {"status": "ok"}
        assert client.head("/health").content == b""


def test_without_an_index_the_rest_is_served(parts: Parts, settings: Settings) -> None:
    reader = open_reader(settings)  # nothing has been indexed
    server, thread, port = in_thread(
        create_app(parts, reader, settings), dataclasses.replace(settings, port=0)
    )
    found = httpx.get(f"http://127.0.0.1:{port}/ready")
    assert found.status_code == 200
    assert found.json()["status"] == "degraded"
    assert found.json()["index"] == "down"
    server.stop()
    thread.join(timeout=10)
    reader.close()


def test_a_database_that_is_no_database(parts: Parts, settings: Settings) -> None:
    with serving(parts, settings) as client:
        parts.database.close()
        path = Path(settings.database.removeprefix("sqlite:///"))
        for rest in path.parent.glob(f"{path.name}-*"):
            rest.unlink()
        path.write_bytes(b"no database" * 1000)
        with pytest.raises(sqlite3.DatabaseError):
            sqlite3.connect(path).execute("SELECT 1 FROM person").close()
        down = client.get("/ready")
        assert down.status_code == 503
        assert down.json()["database"] == "down"
        figures = client.get("/metrics")
        assert figures.status_code == 200
        assert "zhihe_database_up 0.0" in figures.text
        page = client.get("/")
        assert page.status_code == 503
        assert page.headers["x-request-id"] in page.text, "the number may be quoted"


def test_metrics_are_not_for_the_public(parts: Parts, settings: Settings) -> None:
    with serving(parts, settings) as client:
        assert client.get("/metrics").status_code == 200
        forwarded = client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"})
        assert forwarded.status_code == 404
    with serving(parts, production(settings)) as client:
        assert client.get("/metrics").status_code == 404
        assert client.get("/ready").status_code == 200, "asked by an address of its own"
        assert client.get("/").status_code == 400, "others are held to the public name"
    with serving(parts, production(settings, metrics_token=TOKEN)) as client:
        assert client.get("/metrics").status_code == 404
        wrong = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}x"})
        assert wrong.status_code == 404
        right = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert right.status_code == 200


def families(text: str) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{k}={v}" for k, v in sorted(sample.labels.items()))
            found.setdefault(sample.name, {})[labels] = sample.value
            assert sample.labels.keys() <= LABELS, sample
    return found


def everything(running: Running, clock: FakeClock) -> dict[str, dict[str, float]]:
    """Let there be some of everything, and read the figures."""
    with running.parts.database.write() as session:
        jobs.enqueue(session, "imports.bring", "a", {}, at=clock.now())
        changes.record(session, SubjectKind.LISTING, 7, "edited", at=clock.now(), actor_id=None)
    for kind in ("web", "worker", "indexer"):
        Pulse(running.parts, kind).beat()
    clock.advance(seconds=90)
    client = running.api()
    client.get("/board")
    client.get("/listings/22222222222222")
    client.post("/tokens", json={"email": "who@example.com", "password": "wrong one here"})
    return families(httpx.get(f"{running.url}/metrics").text)


@pytest.mark.usefixtures("both_databases")
def test_figures_say_what_stands(running: Running, clock: FakeClock) -> None:
    found = everything(running, clock)
    assert found["zhihe_jobs"] == {"kind=imports.bring,state=waiting": 1}
    assert found["zhihe_job_oldest_seconds"] == {"kind=imports.bring": 90}
    assert found["zhihe_imports_running"][""] == 1
    assert found["zhihe_deliveries"]["consumer=index,state=waiting"] == 1
    assert found["zhihe_delivery_oldest_seconds"]["consumer=match"] == 90
    assert found["zhihe_database_up"][""] == 1
    assert found["zhihe_process_seen_timestamp_seconds"].keys() == {
        "kind=web", "kind=worker", "kind=indexer",
    }  # fmt: skip
    routes = found["zhihe_requests_total"]
    assert routes["method=GET,route=/api/v1/board,status=200"] == 1
    assert routes["method=GET,route=/api/v1/listings/{listing_id},status=404"] == 1
    assert not any("2222" in labels for labels in routes), "templates, not addresses"
    assert found["zhihe_sign_in_failures"][""] == 1
    for name, value in found["zhihe_memory_bytes"].items():
        assert value > 1e6, name


def test_addresses_that_do_not_exist_make_no_new_series(running: Running) -> None:
    with httpx.Client(base_url=running.url) as client:
        for n in range(30):
            client.get(f"/nothing/{n}")
            client.request(f"FOO{n}"[:7], "/")
    found = families(httpx.get(f"{running.url}/metrics").text)["zhihe_requests_total"]
    assert len(found) < 6, found


def test_dashboard_and_alerts_name_figures_that_exist(running: Running, clock: FakeClock) -> None:
    there = everything(running, clock).keys()
    dashboard = json.loads((ROOT / "infra/grafana/zhihe.json").read_text(encoding="utf-8"))
    alerts = yaml.safe_load((ROOT / "infra/grafana/alerts.yml").read_text(encoding="utf-8"))
    rules = [rule for group in alerts["groups"] for rule in group["rules"]]
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    assert len(asked) > 20
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    for expression in asked + [rule["expr"] for rule in rules]:
        for name in NAME.findall(expression):
            assert name in there, f"{name} in {expression}"
        assert expression.count("(") == expression.count(")")
    for rule in rules:
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"]
    text = " ".join(asked)
    own = {name.removesuffix("_bucket") for name in there if name.startswith("zhihe_")}
    unseen = {n for n in own if n not in text and not n.endswith(("_sum", "_count"))}
    assert not unseen, "every figure of ours is on the dashboard"


@pytest.mark.usefixtures("both_databases")
def test_operators_page_and_figures_agree(running: Running, clock: FakeClock) -> None:
    everything(running, clock)
    operator = running.api(running.actor(Role.OPERATOR))
    seen = operator.get("/operations").json()
    assert [one["count"] for one in seen["jobs"]] == [1]
    assert {one["kind"] for one in seen["deliveries"]} == set(Consumer)
    assert all(not one["alive"] for one in seen["processes"])
