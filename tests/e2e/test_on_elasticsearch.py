"""The market with Elasticsearch for its index: pages, change log, commands, restoring."""

import dataclasses
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from infra import backup, restore
from infra.cli import main
from infra.settings import Settings
from infra.waiting import work_until_done
from infra.wiring import build_parts, close_parts, open_reader
from market.accounts.policy import OrganisationKind, Role
from market.catalog import drafts, publishing
from market.catalog.schemas import AchievementEditIn, AchievementIn, DemandIn
from market.kit.errors import Conflict
from market.kit.ids import PublicId
from search.document import Deletion, Document
from search.engines.elastic import ElasticEngine
from tests.search.elastics import prefix_of
from tests.support.elastic import Elastic
from tests.support.market import work_for
from tests.support.running import Running

Command = Callable[..., Result]


@pytest.fixture
def settings(settings: Settings, elastic: Elastic, tmp_path: Path) -> Iterator[Settings]:
    prefix = prefix_of(tmp_path)
    yield replace(settings, search_url=elastic.url, search_prefix=prefix)
    elastic.drop(prefix)


@pytest.fixture
def command(settings: Settings) -> Command:
    own = {
        "ZHIHE_DATA_DIR": str(settings.data_dir),
        "ZHIHE_DATABASE_URL": settings.database,
        "ZHIHE_SEARCH_URL": settings.search_url,
        "ZHIHE_SEARCH_PREFIX": settings.search_prefix,
    }

    def run(*arguments: str, **more: str) -> Result:
        return CliRunner().invoke(main, [*arguments], env={**own, **more})

    return run


def shown(running: Running, typed: str) -> str:
    answer = httpx.get(f"{running.url}/search", params={"q": typed}, timeout=30)
    assert answer.status_code == 200, answer.text[:2000]
    return answer.text


def answered(running: Running, typed: str) -> dict[str, Any]:
    answer: dict[str, Any] = running.api().get("/search", params={"q": typed}).json()
    return answer


def found(running: Running, typed: str) -> int:
    total: int = answered(running, typed)["total"]
    return total


def test_from_publishing_to_withdrawing(running: Running) -> None:
    assert isinstance(running.writer, ElasticEngine)
    school = running.actor(Role.MANAGER, name="示范大学一", self_publish=True)
    firm = running.actor(Role.MANAGER, OrganisationKind.COMPANY, self_publish=True)
    with work_for(running.parts, school) as work:
        made = drafts.create(work, AchievementIn(title="车架焊缝气孔在线检测装置", field=3))
        publishing.submit(work, made.public_id)
    with work_for(running.parts, firm) as work:
        wanted = drafts.create(work, DemandIn(title="车架焊缝内部气孔在线检测", body="漏检率低"))
        publishing.submit(work, wanted.public_id)
    running.settle()
    page = shown(running, "焊缝 气孔")
    assert "<mark>焊缝气孔</mark>" in page
    assert "示范大学一" in page
    assert found(running, "示范大学一") == 1, "by the holder's name"
    matches = running.api(firm).get(f"/listings/{wanted.public_id}/matches")
    assert made.public_id in matches.text, "candidates come from Elasticsearch"
    assert "焊缝" in httpx.get(f"{running.url}/listings/{made.public_id}").text

    with work_for(running.parts, school) as work:
        masked = AchievementEditIn(title="车架焊缝气孔在线检测装置", masked=True, based_on=1)
        drafts.edit(work, made.public_id, masked)
        publishing.submit(work, made.public_id)
    running.settle()
    assert found(running, "焊缝气孔") == 1
    assert found(running, "示范大学一") == 0, "the name is masked"
    assert "示范大学一" not in shown(running, "焊缝气孔")

    with work_for(running.parts, school) as work:
        publishing.withdraw(work, PublicId(made.public_id))
    running.settle()
    assert found(running, "焊缝气孔") == 0
    assert running.writer.count() == 1, "the demand"
    ready = httpx.get(f"{running.url}/ready").json()
    assert ready == {"status": "ok", "database": "ok", "schema": "ok", "index": "ok"}


def test_commands(running: Running, settings: Settings, command: Command) -> None:
    school = running.actor(Role.MANAGER, self_publish=True)
    with work_for(running.parts, school) as work:
        for title in ("镁合金低温成形", "污泥原位减量菌剂", "山区边坡监测装置"):
            publishing.submit(work, drafts.create(work, AchievementIn(title=title)).public_id)
    work_until_done(settings, running.parts)
    told = command("audit", "--json")
    assert told.exit_code == 0, told.output
    lost = next(iter(running.writer.scan()))
    running.writer.write([], [Deletion(lost[0], lost[1])])
    told = command("audit", "--json")
    assert told.exit_code == 1
    assert [one["what"] for one in json.loads(told.stdout)["findings"]] == ["已公开，索引里没有"]
    rebuilt = command("reindex")
    assert rebuilt.exit_code == 0, rebuilt.output
    assert "共3条" in rebuilt.stdout
    assert command("audit").exit_code == 0
    away = command("reindex", ZHIHE_SEARCH_URL="http://127.0.0.1:1")
    assert away.exit_code == 1
    assert "搜索索引不能用" in away.stderr


def test_an_index_gone_wrong_is_built_anew_under_writes(
    running: Running, settings: Settings, command: Command, elastic: Elastic
) -> None:
    school = running.actor(Role.MANAGER, self_publish=True)

    def publish(title: str) -> int:
        with work_for(running.parts, school) as work:
            return publishing.submit(
                work, drafts.create(work, AchievementIn(title=title)).public_id
            ).id

    made = [publish(f"镁合金低温成形{number}型") for number in range(40)]
    work_until_done(settings, running.parts)
    wrong = Document(made[0], 10**6, {"title": "从别处恢复来的新版本"})
    running.writer.write([wrong])
    assert "应为第1版" in command("audit").output, "no write of ours can put this right"
    stop = threading.Event()
    answers: list[tuple[bool, int]] = []

    def search() -> None:
        while not stop.is_set():
            answer = answered(running, "镁合金")
            answers.append((answer["degraded"], answer["total"]))

    def write() -> None:
        number = 0
        while not stop.is_set():
            made.append(publish(f"镁合金高温成形{(number := number + 1)}型"))
            stop.wait(0.05)

    with ThreadPoolExecutor(2) as pool:
        others = [pool.submit(search), pool.submit(write)]
        try:
            told = command("rebuild")
        finally:
            stop.set()
        for one in others:
            one.result()
    assert told.exit_code == 0, told.output
    work_until_done(settings, running.parts)
    assert command("audit").exit_code == 0
    assert found(running, "镁合金") == len(made)
    assert all(total >= 39 for _, total in answers)
    # on a busy machine the database may answer one: it knows what the index is still to be told
    of_the_index = [total for degraded, total in answers if not degraded]
    assert of_the_index, "the index answered"
    assert of_the_index == sorted(of_the_index), "searches never saw less than before"
    with elastic.client() as client:
        assert len(client.indices.get(index=f"{settings.search_prefix}-*")) == 2


def test_an_index_that_was_lost_is_made_whole(
    running: Running, settings: Settings, elastic: Elastic
) -> None:
    school = running.actor(Role.MANAGER, self_publish=True)
    with work_for(running.parts, school) as work:
        for title in ("镁合金低温成形", "污泥原位减量菌剂"):
            publishing.submit(work, drafts.create(work, AchievementIn(title=title)).public_id)
    work_until_done(settings, running.parts)
    elastic.drop(settings.search_prefix)
    assert "由数据库代为查找" in shown(running, "镁合金")
    assert httpx.get(f"{running.url}/ready").json()["index"] == "down"
    with work_for(running.parts, school) as work:
        publishing.submit(work, drafts.create(work, AchievementIn(title="边坡监测")).public_id)
    work_until_done(settings, running.parts)
    assert found(running, "镁合金") == found(running, "边坡") == 1
    assert running.writer.count() == 3


def test_a_backup_is_restored_beside_the_old_index_and_not_into_it(
    running: Running, settings: Settings, elastic: Elastic, tmp_path: Path
) -> None:
    school = running.actor(Role.MANAGER, self_publish=True)
    with work_for(running.parts, school) as work:
        publishing.submit(work, drafts.create(work, AchievementIn(title="镁合金成形")).public_id)
    work_until_done(settings, running.parts)
    saved = tmp_path / "saved.zip"
    backup.save(settings, saved, lambda *_: None)
    place = {"data_dir": tmp_path / "new", "database_url": ""}
    target = dataclasses.replace(settings, **place)
    with pytest.raises(Conflict, match="ZHIHE_SEARCH_PREFIX"):
        restore.restore(target, saved, lambda *_: None)
    target = dataclasses.replace(target, search_prefix=f"{settings.search_prefix}-2")
    restore.restore(target, saved, lambda *_: None)
    parts = build_parts(target)
    engine = open_reader(target)
    assert engine.count() == 1
    engine.close()
    close_parts(parts)
