"""Listings through the API: posting, reviewing, proofs, imports, and who may not."""

import io
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from market.accounts.policy import OrganisationKind, Role
from market.accounts.work import Actor, Parts
from market.api import build_api
from market.catalog.proofs import MAX_PROOFS
from market.imports import tasks
from market.kit.files import MAX_FILE_BYTES
from market.kit.jobs import Runner
from tests import factories
from tests.market.catalog.texts import editor

PDF = b"%PDF-1.7\n1 0 obj\n"
Headers = dict[str, str]


@pytest.fixture
def api(parts: Parts) -> Iterator[TestClient]:
    with TestClient(build_api(parts)) as client:
        yield client


def bearer(parts: Parts, who: Actor) -> Headers:
    return {"Authorization": f"Bearer {factories.token(parts, who)}"}


@pytest.fixture
def owner(parts: Parts) -> Headers:
    return bearer(parts, editor(parts))


@pytest.fixture
def officer(parts: Parts) -> Headers:
    return bearer(parts, factories.actor(parts, Role.OFFICER))


def post_demand(api: TestClient, owner: Headers, **more: object) -> dict[str, object]:
    answer = api.post("/my/demands", json={"title": "求焊缝检测", **more}, headers=owner)
    assert answer.status_code == 201, answer.text
    body: dict[str, object] = answer.json()
    return body


def pdf(name: str = "检测报告.pdf", content: bytes = PDF) -> dict[str, tuple[str, io.BytesIO]]:
    return {"file": (name, io.BytesIO(content))}


def test_from_draft_to_public(api: TestClient, owner: Headers, officer: Headers) -> None:
    long = "长" * 501
    body = post_demand(api, owner, problem=long, deadline="2027-06-30")
    assert body["text"]["problem"] == long
    assert body["warnings"][0]["field"] == "problem"
    path = f"/my/listings/{body['id']}"
    edit = {"title": "求焊缝在线检测", "based_on": 1, "price": {"form": "up_to", "high_fen": 500}}
    edited = api.put(f"/my/demands/{body['id']}", json=edit, headers=owner).json()
    assert (edited["revision"], edited["text"]["problem"]) == (2, "")
    stale = api.put(f"/my/demands/{body['id']}", json=edit, headers=owner)
    assert stale.status_code == 409
    assert api.post(f"{path}/submission", headers=owner).json()["review_state"] == "submitted"

    waiting = api.get("/reviews", headers=officer).json()
    assert [(one["id"], one["first"]) for one in waiting["items"]] == [(body["id"], True)]
    review = api.get(f"/reviews/{body['id']}", headers=officer).json()
    assert [one["field"] for one in review["changes"]] == ["title", "price"]
    verdict = {"revision": 2, "decision": "approve"}
    decision = f"/reviews/{body['id']}/decision"
    assert api.post(decision, json=verdict, headers=owner).status_code == 403
    assert api.post(decision, json=verdict).status_code == 401
    assert api.post(decision, json=verdict, headers=officer).status_code == 204
    assert api.post(decision, json=verdict, headers=officer).status_code == 409
    shown = api.get(path, headers=owner).json()
    assert (shown["state"], shown["number"], shown["public_revision"]) == (
        "published",
        "D-2026-00001",
        2,
    )
    gone = api.post(f"{path}/withdrawal", headers=owner).json()
    assert gone["state"] == "withdrawn"
    listed = api.get("/my/listings?shelf=withdrawn&kind=demand&q=在线", headers=owner).json()
    assert (listed["total"], listed["items"][0]["title"]) == (1, "求焊缝在线检测")


def test_taking_back_opens_the_text_again(api: TestClient, owner: Headers) -> None:
    body = post_demand(api, owner)
    path = f"/my/listings/{body['id']}/submission"
    assert api.delete(path, headers=owner).status_code == 409
    assert api.post(path, headers=owner).status_code == 200
    assert api.delete(path, headers=owner).json()["review_state"] == "draft"


@pytest.mark.parametrize(
    ("wrong", "field", "words"),
    [
        ({"title": " "}, "title", "至少1个字"),
        ({"title": "题" * 201}, "title", "最多200个字"),
        ({"body": "字" * 10_001}, "body", "最多10000个字"),
        ({"field": 12}, "field", "不大于11"),
        ({"modes": ["送人"]}, "modes.0", "选项"),
        ({"deadline": 5}, "deadline", "2026-11-20"),
        ({"deadline": []}, "deadline", "2026-11-20"),
        ({"modes": "授权"}, "modes", "一组值"),
        ({"price": [1]}, "price", "JSON对象"),
        ({"price": {"form": "range", "low_fen": 200, "high_fen": 100}}, "price", "低于下限"),
        ({"price": {"form": "none", "low_fen": 200}}, "price", "留空"),
        ({"price": {"form": "from"}}, "price", "金额"),
        ({"price": {"form": "fixed", "low_fen": 1, "high_fen": 2}}, "price", "相同"),
        ({"price": {"form": "from", "low_fen": True}}, "price.low_fen", "整数"),
        ({"title": "有\x00字"}, "title", "不能保存"),
        ({"state": "published"}, "state", "没有这一项"),
    ],
)
def test_wrong_input_is_named_at_its_field(
    api: TestClient, owner: Headers, wrong: dict[str, object], field: str, words: str
) -> None:
    answer = api.post("/my/demands", json={"title": "求检测", **wrong}, headers=owner)
    assert answer.status_code == 422
    named = {one["field"]: one["message"] for one in answer.json()["error"]["fields"]}
    assert words in named[field]
    assert "不能识别" not in named[field]


def test_a_body_that_is_no_object_or_no_file_is_named_in_words(
    api: TestClient, owner: Headers
) -> None:
    as_json = {**owner, "Content-Type": "application/json"}
    bodies = {"{": "完整的JSON", '{"title": "\\ud800"}': "不能保存", "[]": "JSON对象"}
    for body, words in bodies.items():
        assert words in api.post("/my/demands", content=body, headers=as_json).text, body
    no_file = api.post("/my/imports", data={"kind": "demand", "file": "x"}, headers=owner)
    assert no_file.status_code == 422
    assert "应为一个文件" in no_file.text


def test_what_belongs_to_others_is_not_there(
    api: TestClient, parts: Parts, owner: Headers, officer: Headers
) -> None:
    body = post_demand(api, owner)
    path = f"/my/listings/{body['id']}"
    attached = api.post(f"{path}/proofs", files=pdf(), headers=owner).json()
    proof = f"{path}/proofs/{attached['proofs'][0]['id']}"
    stranger = bearer(parts, editor(parts))
    edit = {"title": "别人改的", "based_on": 1}
    for answer in (
        api.get(path, headers=stranger),
        api.put(f"/my/demands/{body['id']}", json=edit, headers=stranger),
        api.put(f"/my/achievements/{body['id']}", json=edit, headers=owner),
        api.post(f"{path}/submission", headers=stranger),
        api.delete(f"{path}/submission", headers=stranger),
        api.post(f"{path}/withdrawal", headers=stranger),
        api.post(f"{path}/proofs", files=pdf(), headers=stranger),
        api.get(proof, headers=stranger),
        api.delete(proof, headers=stranger),
        api.get(f"/reviews/{body['id']}", headers=officer),
        api.get(f"/reviews/{body['id']}/proofs/{proof.rsplit('/', 1)[1]}", headers=officer),
    ):
        assert answer.status_code == 404, answer.request.url
    broker = bearer(parts, factories.actor(parts, Role.MANAGER, kind=OrganisationKind.AGENCY))
    assert api.get(path, headers=broker).status_code == 403
    assert api.get(path).status_code == 401
    assert api.get("/reviews", headers=owner).status_code == 403


def test_proofs_are_for_owner_and_reviewer(
    api: TestClient, owner: Headers, officer: Headers
) -> None:
    body = post_demand(api, owner)
    path = f"/my/listings/{body['id']}"
    proof = api.post(f"{path}/proofs", files=pdf(), headers=owner).json()["proofs"][0]
    assert (proof["name"], proof["media_type"], proof["size"]) == (
        "检测报告.pdf",
        "application/pdf",
        len(PDF),
    )
    again = api.post(f"{path}/proofs", files=pdf("另一个名字.pdf"), headers=owner)
    assert "相同" in again.json()["error"]["fields"][0]["message"]
    api.post(f"{path}/submission", headers=owner)
    blocked = api.delete(f"{path}/proofs/{proof['id']}", headers=owner)
    assert blocked.status_code == 409
    for url, who in ((path, owner), (f"/reviews/{body['id']}", officer)):
        got = api.get(f"{url}/proofs/{proof['id']}", headers=who)
        assert got.content == PDF
        assert got.headers["content-disposition"].startswith("attachment;")
        assert got.headers["x-content-type-options"] == "nosniff"
    api.delete(f"{path}/submission", headers=owner)
    assert api.delete(f"{path}/proofs/{proof['id']}", headers=owner).status_code == 204
    assert api.get(path, headers=owner).json()["proofs"] == []
    assert api.get(f"{path}/proofs/{proof['id']}", headers=owner).status_code == 404


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [
        ("程序.exe", b"MZ", 422),
        ("假的.pdf", b"MZ\x90", 422),
        ("空的.pdf", b"", 422),
        ("太大.pdf", PDF + b"x" * MAX_FILE_BYTES, 413),
    ],
)
def test_a_wrong_proof_is_refused(
    api: TestClient, owner: Headers, name: str, content: bytes, status: int
) -> None:
    body = post_demand(api, owner)
    path = f"/my/listings/{body['id']}"
    assert api.post(f"{path}/proofs", files=pdf(name, content), headers=owner).status_code == status
    assert api.get(path, headers=owner).json()["proofs"] == []


def test_proofs_are_limited_in_number(api: TestClient, owner: Headers) -> None:
    path = f"/my/listings/{post_demand(api, owner)['id']}"
    for n in range(MAX_PROOFS):
        one = pdf(content=PDF + str(n).encode())
        assert api.post(f"{path}/proofs", files=one, headers=owner).status_code == 201
    full = api.post(f"{path}/proofs", files=pdf(content=PDF + b"more"), headers=owner)
    assert "最多附20个" in full.json()["error"]["fields"][0]["message"]


def test_an_import_is_started_and_followed(api: TestClient, parts: Parts, owner: Headers) -> None:
    lines = '{"id": "a", "title": "甲", "x": 1}\n{"id": "b", "title": ""}\n'.encode()
    sent = api.post(
        "/my/imports",
        data={"kind": "achievement"},
        files={"file": ("成果.jsonl", io.BytesIO(lines))},
        headers=owner,
    )
    assert sent.status_code == 202, sent.text
    assert sent.json()["state"] == "waiting"
    path = f"/my/imports/{sent.json()['id']}"
    stranger = bearer(parts, editor(parts))
    assert api.get(path, headers=stranger).status_code == 404
    runner = Runner(parts.database, parts.clock, tasks.handlers(parts))
    while runner.run_one():
        pass
    done = api.get(path, headers=owner).json()
    assert {key: done[key] for key in ("state", "created", "refused", "unknown", "name")} == {
        "state": "done",
        "created": 1,
        "refused": 1,
        "unknown": ["x"],
        "name": "成果.jsonl",
    }
    assert done["errors"] == [
        {"row": 2, "column": "title", "reason": "不能是空的，每一行都要有名称"}
    ]
    assert [one["id"] for one in api.get("/my/imports", headers=owner).json()["items"]] == [
        sent.json()["id"]
    ]
    wrong = api.post(
        "/my/imports",
        data={"kind": "achievement"},
        files={"file": ("成果.pdf", io.BytesIO(b"PK"))},
        headers=owner,
    )
    assert wrong.status_code == 422
    assert wrong.json()["error"]["fields"][0]["field"] == "file"
