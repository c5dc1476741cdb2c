"""Imports over HTTP: every step, sent twice, and by the wrong people."""

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from infra.settings import Settings
from infra.web import create_app
from infra.wiring import open_reader
from market.accounts.policy import Role
from market.accounts.work import Actor, Parts
from market.imports import tasks
from market.imports.models import ImportRun
from market.kit.files import MAX_IMPORT_BYTES
from market.kit.jobs import Runner
from tests import factories
from tests.market.imports.bringing import Bringing, table


@pytest.fixture
def client(parts: Parts, settings: Settings) -> Iterator[TestClient]:
    reader = open_reader(settings)
    app = create_app(parts, reader, settings)
    with TestClient(app, base_url="http://127.0.0.1", follow_redirects=False) as client:
        yield client
    reader.close()


@pytest.fixture
def at(parts: Parts) -> Bringing:
    return Bringing(parts, factories.organisation(parts))


def settle(parts: Parts) -> None:
    runner = Runner(parts.database, parts.clock, tasks.handlers(parts))
    while runner.run_one():
        pass


def bearer(parts: Parts, who: Actor) -> dict[str, str]:
    return {"Authorization": f"Bearer {factories.token(parts, who)}"}


def test_every_step_over_the_api(client: TestClient, parts: Parts, at: Bringing) -> None:
    owner = bearer(parts, at.editor)
    base = "/api/v1/my/imports"
    content = table("我们的叫法,编号", "甲,1", ",2")
    data = {"kind": "achievement", "ask": "true"}
    sent = client.post(base, data=data, files={"file": ("a.csv", content)}, headers=owner)
    assert sent.status_code == 202, sent.text
    path = f"{base}/{sent.json()['id']}"
    assert client.get(f"{path}/mapping", headers=owner).status_code == 409
    settle(parts)
    assert client.get(path, headers=owner).json()["state"] == "mapping"
    mapping = client.get(f"{path}/mapping", headers=owner).json()
    assert mapping["headings"][0] == {"heading": "我们的叫法", "column": None, "sample": "甲"}
    assert {"key": "title", "label": "成果名称", "required": True} in mapping["columns"]
    wrong = client.put(f"{path}/mapping", json={"columns": {"别的": "title"}}, headers=owner)
    assert wrong.status_code == 422
    told = {"columns": {"我们的叫法": "title"}}
    assert client.put(f"{path}/mapping", json=told, headers=owner).status_code == 200
    assert client.post(f"{path}/confirmation", headers=owner).status_code == 409
    settle(parts)
    ready = client.get(path, headers=owner).json()
    assert ready["checked"] == {"created": 1, "updated": 0, "unchanged": 0, "refused": 1}
    assert ready["preview"] == [{"title": "甲", "own_number": "1"}]
    stranger = bearer(parts, factories.actor(parts, Role.EDITOR))
    for step in ("confirmation", "undo"):
        assert client.post(f"{path}/{step}", headers=stranger).status_code == 404
        viewer = bearer(parts, factories.actor(parts, Role.VIEWER, at.home))
        assert client.post(f"{path}/{step}", headers=viewer).status_code == 403
    answers = [client.post(f"{path}/confirmation", headers=owner) for _ in range(2)]
    assert [one.status_code for one in answers] == [200, 409]
    settle(parts)
    assert client.get(path, headers=owner).json()["created"] == 1
    errors = client.get(f"{path}/errors", headers=owner)
    assert "a-%E6%9C%AA%E5%AF%BC%E5%85%A5.csv" in errors.headers["content-disposition"]
    assert errors.content.decode("utf-8-sig").splitlines() == [
        "我们的叫法,编号,原因",
        ",2,我们的叫法：不能是空的，每一行都要有名称",
    ]
    exported = client.get("/api/v1/my/export?format=csv", headers=owner)
    assert "甲" in exported.content.decode("utf-8-sig")
    assert client.get("/api/v1/my/export?kind=contract", headers=owner).status_code == 404
    template = client.get("/api/v1/my/import-template?kind=demand", headers=owner)
    assert template.content.startswith(b"PK")
    answers = [client.post(f"{path}/undo", headers=owner) for _ in range(2)]
    assert [one.status_code for one in answers] == [200, 409]
    settle(parts)
    undone = client.get(path, headers=owner).json()
    assert (undone["state"], undone["undone"], undone["kept"]) == ("undone", 1, [])
    assert at.stored() == {}


def test_an_upload_sent_twice_is_one_run(client: TestClient, parts: Parts, at: Bringing) -> None:
    owner = bearer(parts, at.editor) | {"Idempotency-Key": "upload-1"}
    files = {"file": ("a.csv", table("成果名称", "甲"))}
    sent = [
        client.post("/api/v1/my/imports", data={"kind": "demand"}, files=files, headers=owner)
        for _ in range(2)
    ]
    assert [one.status_code for one in sent] == [202, 202]
    assert sent[0].json()["id"] == sent[1].json()["id"]
    secret, csrf = factories.cookie(parts, at.editor)
    client.cookies.set("zhihe_session", secret)
    form = {"kind": "achievement", "csrf": csrf, "once": "abcdefghijkl"}
    headers = {"Origin": "http://127.0.0.1"}
    pages = [client.post("/my/imports", data=form, files=files, headers=headers) for _ in range(2)]
    assert [one.status_code for one in pages] == [303, 303]
    assert pages[0].headers["location"] == pages[1].headers["location"]
    assert at.count(ImportRun) == 2


def test_nothing_is_kept_of_who_may_not_send(
    client: TestClient, parts: Parts, at: Bringing
) -> None:
    files = {"file": ("a.csv", table("成果名称", "甲"))}
    viewer = bearer(parts, factories.actor(parts, Role.VIEWER, at.home))
    for headers, status in (({}, 401), (viewer, 403)):
        sent = client.post(
            "/api/v1/my/imports", data={"kind": "demand"}, files=files, headers=headers
        )
        assert sent.status_code == status
    assert list(parts.files.stored()) == []


def test_the_bureau_brings_in_its_own_kinds(client: TestClient, parts: Parts) -> None:
    officer = bearer(parts, factories.actor(parts, Role.OFFICER))
    files = {"file": ("a.csv", table("成果名称", "甲"))}
    base = "/api/v1/my/imports"
    refused = client.post(base, data={"kind": "demand"}, files=files, headers=officer)
    assert refused.json()["error"]["fields"][0]["field"] == "kind"
    sent = client.post(base, data={"kind": "contract"}, files=files, headers=officer)
    assert sent.status_code == 202
    settle(parts)
    run = client.get(f"{base}/{sent.json()['id']}", headers=officer).json()
    assert run["state"] == "refused"
    assert "第一行应为表头" in run["problem"]
    for kind in ("contract", "organisation"):
        answer = client.get(f"/api/v1/my/import-template?kind={kind}", headers=officer)
        assert answer.content.startswith(b"PK"), kind


@pytest.mark.usefixtures("both_databases")
def test_another_file_of_the_same_length_is_another_request(
    client: TestClient, parts: Parts, at: Bringing
) -> None:
    owner = bearer(parts, at.editor) | {"Idempotency-Key": "upload-1"}

    def send(title: str) -> tuple[int, str]:
        files = {"file": ("a.csv", table("成果名称", title))}
        data = {"kind": "achievement"}
        sent = client.post("/api/v1/my/imports", data=data, files=files, headers=owner)
        return sent.status_code, sent.text

    assert send("甲")[0] == 202
    status, text = send("乙")
    assert (status, "Idempotency-Key" in text) == (409, True)
    assert send("甲")[0] == 202
    assert at.count(ImportRun) == 1


def test_a_broken_upload_with_a_key_is_refused(
    client: TestClient, parts: Parts, at: Bringing
) -> None:
    owner = bearer(parts, at.editor) | {"Idempotency-Key": "upload-1"}
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    sent = client.post("/api/v1/my/imports", content=b"no form", headers=owner | form)
    assert (sent.status_code, "应为一个完整的表单" in sent.text) == (422, True)
    other = client.post("/api/v1/my/achievements", content=b"--x--", headers=owner | form)
    assert other.status_code in (400, 422)


def signed_in(client: TestClient, parts: Parts, at: Bringing) -> dict[str, str]:
    secret, csrf = factories.cookie(parts, at.editor)
    client.cookies.set("zhihe_session", secret)
    return {"csrf": csrf}


@pytest.mark.usefixtures("both_databases")
def test_what_was_chosen_for_headings_stays(client: TestClient, parts: Parts, at: Bringing) -> None:
    form = signed_in(client, parts, at)
    asked = at.ask(table("成果名称,列甲,列乙", "一,二,三"))
    here = f"/my/imports/{asked.run.public_id}"
    chosen = form | {"column-0": "title", "column-1": "advantage", "column-2": ""}
    origin = {"Origin": "http://127.0.0.1"}
    for page in (
        client.post(f"{here}/mapping", data=chosen, headers=origin),
        client.post(f"{here}/mapping", data=chosen, headers=origin),
        client.get(here),
    ):
        assert "“列乙”还没有说明" in page.text or page.status_code == 200
        assert re.search(r'name="column-1".*?value="advantage" selected', page.text, re.DOTALL)
    sent = client.post(f"{here}/mapping", data=chosen | {"column-2": "-"}, headers=origin)
    assert sent.status_code in (200, 303)
    at.settle()
    assert at.view(asked.run).state == "ready"


@pytest.mark.parametrize(
    ("self_publish", "words"), [(False, "提交科技局审核（待审核）"), (True, "立即公开")]
)
def test_the_dry_run_says_what_follows_and_what_changes(
    client: TestClient, parts: Parts, self_publish: bool, words: str
) -> None:
    at = Bringing(parts, factories.organisation(parts, self_publish=self_publish))
    at.bring(table("成果编号,成果名称", "1,旧名称"), "a.csv")
    asked = at.ask(table("成果编号,成果名称", "1,新名称"))
    signed_in(client, parts, at)
    page = client.get(f"/my/imports/{asked.run.public_id}").text
    assert words in page
    assert "旧名称" in page.partition('id="updates"')[2]
    listed = client.get("/my/imports").text
    assert "试导入的行数，还没有写入" in listed
    cells = re.findall(r'<td[^>]*class="n"[^>]*>(.*?)</td>', listed, re.DOTALL)
    assert [re.sub(r"<[^>]*>|\s", "", one)[-1] for one in cells[:5]] == ["1", "0", "1", "0", "0"]
    same = at.ask(table("成果编号,成果名称", "1,旧名称"), "b.csv")
    page = client.get(f"/my/imports/{same.run.public_id}").text
    assert words not in page
    assert ("确认导入" in page, "认得的行都与已有的相同" in page) == (False, True)


def test_the_help_fits_who_reads_it(client: TestClient, parts: Parts, at: Bringing) -> None:
    signed_in(client, parts, at)
    page = client.get("/my/imports").text
    assert ("前20行里找" in page, "本单位编号" in page, "按登记编号" in page) == (True, True, False)
    officer = factories.actor(parts, Role.OFFICER)
    secret, _ = factories.cookie(parts, officer)
    client.cookies.set("zhihe_session", secret)
    page = client.get("/my/imports").text
    assert ("按登记编号对应" in page, "本单位编号" in page) == (True, False)


def test_a_file_that_is_too_large_is_told_at_its_field(
    client: TestClient, parts: Parts, at: Bringing
) -> None:
    secret, csrf = factories.cookie(parts, at.editor)
    client.cookies.set("zhihe_session", secret)
    sent = client.post(
        "/my/imports",
        data={"kind": "demand", "csrf": csrf},
        files={"file": ("a.csv", bytes(MAX_IMPORT_BYTES + 1))},
        headers={"Origin": "http://127.0.0.1"},
    )
    assert sent.status_code == 422
    assert "文件不能超过50MB" in sent.text
    assert re.search(r'value="demand"[^>]*(selected|checked)', sent.text)
    assert at.count(ImportRun) == 0
