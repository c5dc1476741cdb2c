"""Listings on the site, over HTTP as a browser without script would."""

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
from market.kit.jobs import Runner
from tests import factories
from tests.market.catalog.texts import DEMAND, decide, draft, editor, published, submitted

HOST = "http://127.0.0.1"
PDF = ("检测报告.pdf", b"%PDF-1.7\n", "application/pdf")


class Browser:
    """One person at the site: follows nothing by itself, sends the session's token."""

    def __init__(self, client: TestClient, parts: Parts, who: Actor) -> None:
        self._client = client
        secret, self._csrf = factories.cookie(parts, who)
        self._cookies = {"cookie": f"zhihe_session={secret}"}

    def get(self, path: str, status: int = 200, **headers: str) -> str:
        answer = self._client.get(path, headers=self._cookies | headers)
        assert answer.status_code == status, answer.text[:2000]
        return answer.text

    def post(self, path: str, form: dict[str, object] | None = None, status: int = 303, **files):
        answer = self._client.post(
            path, data={**(form or {}), "csrf": self._csrf}, files=files, headers=self._cookies
        )
        assert answer.status_code == status, answer.text[:2000]
        return answer

    def follow(self, path: str, form: dict[str, object] | None = None, **files) -> str:
        return self.get(self.post(path, form, **files).headers["location"])


@pytest.fixture
def client(parts: Parts, settings: Settings) -> Iterator[TestClient]:
    app = create_app(parts, open_reader(settings), settings)
    with TestClient(app, base_url=HOST, follow_redirects=False) as made:
        made.headers["origin"] = HOST
        yield made


@pytest.fixture
def owner(client: TestClient, parts: Parts) -> Browser:
    return Browser(client, parts, editor(parts))


@pytest.fixture
def officer(client: TestClient, parts: Parts) -> Browser:
    return Browser(client, parts, factories.actor(parts, Role.OFFICER))


FORM = {
    "title": "焊缝气孔在线视觉检测",
    "summary": "边焊边报",
    "field": "3",
    "keywords": "焊缝、 视觉检测，相机",
    "body": "第一段\r\n第二段",
    "maturity_level": "7",
    "modes": ["普通许可", "合作开发"],
    "price_form": "range",
    "price_low": "50",
    "price_high": "80.5",
    "price_basis": "total",
    "based_on": "0",
}


def test_from_a_draft_to_the_public(owner: Browser, officer: Browser) -> None:
    assert "新建成果" in owner.get("/my/listings")
    created = owner.post("/my/achievements/new", FORM).headers["location"]
    here = created.partition("?")[0]
    page = owner.get(created)
    for words in ("已保存", "草稿", "50～80.50万元", "焊缝、视觉检测、相机", "7级 典型使用环境"):
        assert words in page
    assert "已提交审核" in owner.follow(f"{here}/submit")
    edit = owner.post(f"{here}/edit", {**FORM, "based_on": "1", "title": "改"}, status=409)
    assert "先撤回" in edit.text

    listing_id = here.rsplit("/", 1)[1]
    waiting = officer.get("/desk/reviews")
    assert "焊缝气孔在线视觉检测" in waiting
    assert "50～80.50万元" in waiting
    desk = f"/desk/reviews/{listing_id}"
    assert "提交的内容" in officer.get(desk)
    unsaid = officer.post(desk, {"decision": "refuse", "revision": "1"}, status=422)
    assert "请写明原因" in unsaid.text
    assert "已退回" in officer.follow(
        desk, {"decision": "refuse", "note": "请补指标", "revision": "1"}
    )
    assert "请补指标" in owner.get(here)

    filled = owner.get(f"{here}/edit")
    assert 'name="price_high" value="80.5"' in filled
    assert 'name="keywords" type="text" value="焊缝、视觉检测、相机"' in filled
    assert "内容没有变化" in owner.follow(f"{here}/edit", {**FORM, "based_on": "1"})
    better = {**FORM, "based_on": "1", "advantage": "漏检率0.4%"}
    assert "已保存" in owner.follow(f"{here}/edit", better)
    owner.post(f"{here}/submit")
    stale = officer.post(desk, {"decision": "approve", "revision": "1"}, status=409)
    assert "又交了新的内容" in stale.text
    assert "审核通过" in officer.follow(desk, {"decision": "approve", "revision": "2"})
    page = owner.get(here)
    assert "已公开" in page
    assert "A-2026-00001" in page

    owner.post(f"{here}/edit", {**better, "based_on": "2", "title": "焊缝检测二代"})
    waiting = owner.get(here)
    assert "还没有公开的修改" in waiting
    owner.post(f"{here}/submit")
    assert "这次改了什么" in officer.get(desk)
    assert "已撤回提交" in owner.follow(f"{here}/take-back")
    assert "已撤下" in owner.follow(f"{here}/withdraw")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"title": " "}, "必须填写"),
        ({"price_low": "很多"}, "请填数字，单位万元"),
        ({"price_high": "20"}, "应不低于下限"),
        ({"price_form": "none"}, "选了面议"),
        ({"price_form": "from"}, "只有区间才填上限"),
        ({"price_low": ""}, "要填金额"),
        ({"keywords": "、".join(f"词{n}" for n in range(11))}, "最多选10项"),
        ({"field": "99"}, "不大于11"),
        ({"body": "字" * 10_001}, "最多10000个字"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_typed_is_lost(
    owner: Browser, wrong: dict[str, str], words: str
) -> None:
    sent = {**FORM, "application": "车架 & <压力容器>", **wrong}
    page = owner.post("/my/achievements/new", sent, status=422).text
    assert words in page
    assert "车架 &amp; &lt;压力容器&gt;" in page
    assert 'value="普通许可" checked' in page
    assert 'role="alert"' in page
    assert "还没有成果" in owner.get("/my/listings")


def test_long_demand_texts_are_saved_and_warned_about(owner: Browser) -> None:
    form = {"title": "求焊缝检测", "problem": "长" * 612, "deadline": "2027年6月30日"}
    page = owner.follow("/my/demands/new", {**form, "price_form": "up_to", "price_low": "40"})
    assert "现在是612个字" in page
    assert "长" * 612 in page
    assert "2027-06-30" in page
    assert "40万元以内" in page


def test_who_saves_second_sees_both(client: TestClient, parts: Parts) -> None:
    home = factories.organisation(parts)
    one, two = (Browser(client, parts, editor(parts, home)) for _ in range(2))
    here = f"/my/listings/{draft(parts, editor(parts, home), DEMAND).public_id}"
    one.post(f"{here}/edit", {"title": "甲的名称", "based_on": "1"})
    two.post(f"{here}/edit", {"title": "乙的名称"}, status=409)  # says no revision at all
    second = {"title": "乙的名称", "based_on": "1", "price_form": "none"}
    page = two.post(f"{here}/edit", second, status=409).text
    assert "有人保存过新的内容" in page
    assert 'value="乙的名称"' in page
    based_on = re.search(r'name="based_on" value="(\d+)"', page)
    assert based_on
    assert "乙的名称" in two.follow(f"{here}/edit", {**second, "based_on": based_on[1]})


def test_proofs_come_and_go(owner: Browser, client: TestClient, parts: Parts) -> None:
    here = owner.post("/my/demands/new", {"title": "求检测"}).headers["location"].partition("?")[0]
    assert "请选择一个文件" in owner.post(f"{here}/proofs", status=422).text
    wrong = owner.post(f"{here}/proofs", status=422, file=("坏.pdf", b"MZ", "application/pdf"))
    assert "与扩展名.pdf不符" in wrong.text
    page = owner.follow(f"{here}/proofs", file=PDF)
    assert "检测报告.pdf" in page
    link = re.search(rf'href="({here}/proofs/[^"]+)"', page)
    assert link
    assert owner.get(link[1]) == "%PDF-1.7\n"
    Browser(client, parts, editor(parts)).get(link[1], status=404)
    assert "还没有附件" in owner.follow(f"{link[1]}/remove")


def settle(parts: Parts) -> None:
    runner = Runner(parts.database, parts.clock, tasks.handlers(parts))
    while runner.run_one():
        pass


def test_an_import_shows_how_far_it_is(owner: Browser, parts: Parts) -> None:
    table = "编号,成果名称,成熟度,备注\n1,甲成果,7级,x\n2,,3,\n3,丙,很高,\n".encode("gb18030")
    assert "请选择一个文件" in owner.post("/my/imports", {"kind": "achievement"}, 422).text
    wrong = owner.post("/my/imports", {"kind": "demand"}, 422, file=("a.pdf", b"PK", "x/y"))
    assert "应为表格文件" in wrong.text
    started = owner.post("/my/imports", {"kind": "achievement"}, file=("成果.csv", table, "x/y"))
    path = started.headers["location"].partition("?")[0]
    waiting = owner.get(path)
    assert "正在读文件" in waiting
    assert 'hx-trigger="every 2s"' in waiting
    settle(parts)
    mapping = owner.get(path)
    assert "选一次就记住" in mapping
    unsaid = owner.post(f"{path}/mapping", {"column-0": "own_number"}, 422)
    assert "“备注”还没有说明" in unsaid.text
    owner.post(f"{path}/mapping", {"column-3": "-"})
    settle(parts)
    tried = owner.get(path)
    for words in ("还没有写入任何内容", "甲成果", "第3行", "将新建"):
        assert words in tried
    assert "甲成果" not in owner.get("/my/listings")
    owner.post(f"{path}/confirmation")
    settle(parts)
    fragment = owner.get(path, **{"hx-request": "true"})
    assert "<html" not in fragment
    for words in ("已完成", "第3行", "成果名称", "第4行", "应为1到9的级别", "备注"):
        assert words in fragment
    assert "hx-trigger" not in fragment
    assert "甲成果" in owner.get("/my/listings?shelf=submitted")
    assert "成果.csv" in owner.get("/my/imports")


def test_lists_are_filtered_and_paged(owner: Browser, parts: Parts) -> None:
    lines = "".join(f'{{"id": "{n}", "title": "成果{n:03d}"}}\n' for n in range(60)).encode()
    sent = owner.post("/my/imports", {"kind": "achievement"}, file=("a.jsonl", lines, "x/y"))
    settle(parts)
    owner.post(f"{sent.headers['location'].partition('?')[0]}/confirmation")
    settle(parts)
    first, second = owner.get("/my/listings"), owner.get("/my/listings?page=2")
    assert len(re.findall(r'<h2><a href="/my/listings/', first)) == 50
    assert len(re.findall(r'<h2><a href="/my/listings/', second)) == 10
    assert "成果007" in owner.get("/my/listings?q=果007")
    assert "没有符合条件的成果" in owner.get("/my/listings?shelf=published")
    assert "还没有需求" in owner.get("/my/listings?kind=demand")
    owner.get("/my/listings?shelf=nothing", status=404)


def test_a_viewer_reads_and_changes_nothing(client: TestClient, parts: Parts) -> None:
    home = factories.organisation(parts)
    listing = published(parts, editor(parts, home))
    viewer = Browser(client, parts, factories.actor(parts, Role.VIEWER, home))
    here = f"/my/listings/{listing.public_id}"
    page = viewer.get(here)
    assert "<form" not in page.partition('id="main"')[2].partition("</main>")[0]
    assert "新建成果" not in viewer.get("/my/listings")
    for path in ("submit", "take-back", "withdraw", "edit", "proofs"):
        viewer.post(f"{here}/{path}", status=403)
    viewer.get(f"{here}/edit", status=403)


def test_others_and_nobody_find_nothing(client: TestClient, parts: Parts, officer: Browser) -> None:
    listing = draft(parts, editor(parts))
    here = f"/my/listings/{listing.public_id}"
    stranger = Browser(client, parts, editor(parts))
    for path in ("", "/edit"):
        stranger.get(here + path, status=404)
    for path in ("/submit", "/take-back", "/withdraw", "/edit", "/proofs"):
        stranger.post(here + path, {"title": "x"}, status=404)
    officer.get(f"/desk/reviews/{listing.public_id}", status=404)
    nobody = client.get(here)
    assert nobody.status_code == 303
    assert nobody.headers["location"].startswith("/login?next=/my/listings/")


def test_the_desk_names_what_is_new_and_what_changed(parts: Parts, officer: Browser) -> None:
    assert "没有等待审核的内容" in officer.get("/desk/reviews")
    listing = submitted(parts, editor(parts))
    assert "首次公开" in officer.get("/desk/reviews")
    decide(parts, listing)
    assert "不用再审核" in officer.get(f"/desk/reviews/{listing.public_id}")


def test_many_submissions_are_approved_at_once(
    owner: Browser, officer: Browser, parts: Parts
) -> None:
    lines = "".join(f'{{"id": "{n}", "title": "批量{n}"}}\n' for n in range(4)).encode()
    sent = owner.post("/my/imports", {"kind": "achievement"}, file=("a.jsonl", lines, "x/y"))
    settle(parts)
    here = sent.headers["location"].partition("?")[0]
    owner.post(f"{here}/confirmation")
    settle(parts)
    other = submitted(parts, editor(parts))
    queue = officer.get("/desk/reviews")
    assert "导入的4条" in queue
    assert "逐条提交的1条" in queue
    heap = re.search(r'href="(/desk/reviews\?owner=[^"]+import=[^"]+)"', queue)
    assert heap
    narrowed = officer.get(heap[1].replace("&amp;", "&"))
    assert "审核：4条等待" in narrowed
    assert other.public_id not in narrowed
    shown = re.findall(r'name="shown" value="([^"]+)"', narrowed)
    assert "没有通过任何一条" in officer.follow("/desk/reviews", {"shown": shown[0]})
    officer.post("/desk/reviews", {"chosen": shown[0], "shown": shown[1]})
    assert "审核：4条等待" in officer.get("/desk/reviews")
    officer.post("/desk/reviews", {"shown": shown[1], "chosen": shown[0], "all": "1"})
    assert "审核：3条等待" in officer.get("/desk/reviews")
    owner.post("/desk/reviews", {"chosen": shown[2]}, 403)
