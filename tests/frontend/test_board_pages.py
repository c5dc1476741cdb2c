"""Registration desk and board on the site, over HTTP as a browser would, without script."""

import re
from collections.abc import Iterator
from datetime import date

import pytest
from fastapi.testclient import TestClient

from frontend.edge import COOKIE
from frontend.pages import board as pages
from infra.settings import Settings
from infra.web import create_app
from infra.wiring import open_reader
from market.accounts.policy import OrganisationKind, Role
from market.accounts.work import Actor, Parts
from market.ledger.tasks import close
from market.registry import service as registry
from market.registry.schemas import CancelIn, RevokeIn, UndoIn
from market.rules import service as rules
from market.rules.schemas import PlanIn
from tests import factories
from tests.support import papers
from tests.support.clock import FakeClock
from tests.support.market import work_for

HOST = "http://127.0.0.1"
WAN = papers.WAN
YI = 10_000 * WAN


class Visitor:
    """One browser: its cookie, and the token that its forms carry."""

    def __init__(self, site: TestClient, parts: Parts, who: Actor) -> None:
        self._site = site
        self._cookie, self._csrf = ("", "")
        if who.person_id is not None:
            self._cookie, self._csrf = factories.cookie(parts, who)

    def get(self, path: str, status: int = 200) -> str:
        answer = self._site.get(path, headers={"cookie": f"{COOKIE}={self._cookie}"})
        assert answer.status_code == status, answer.text
        return answer.text

    def post(self, path: str, form: dict[str, str], status: int = 303) -> str:
        """Return the page that the answer leads to, or the form shown again."""
        answer = self._site.post(
            path,
            data={**form, "csrf": self._csrf},
            headers={"cookie": f"{COOKIE}={self._cookie}"},
        )
        assert answer.status_code == status, answer.text
        return self.get(answer.headers["location"]) if status == 303 else answer.text


@pytest.fixture
def site(parts: Parts, settings: Settings) -> Iterator[TestClient]:
    engine = open_reader(settings)
    app = create_app(parts, engine, settings)
    with TestClient(app, base_url=HOST, follow_redirects=False) as client:
        client.headers["origin"] = HOST
        yield client
    engine.close()


@pytest.fixture
def pair(parts: Parts) -> papers.Sides:
    return papers.sides(parts)


@pytest.fixture
def officer(site: TestClient, parts: Parts, pair: papers.Sides) -> Visitor:
    return Visitor(site, parts, pair.officer)


@pytest.fixture
def seller(site: TestClient, parts: Parts, pair: papers.Sides) -> Visitor:
    return Visitor(site, parts, pair.seller_actor)


@pytest.fixture
def anyone(site: TestClient, parts: Parts) -> Visitor:
    return Visitor(site, parts, Actor())


@pytest.fixture
def plan(parts: Parts, pair: papers.Sides) -> None:
    with work_for(parts, pair.officer) as work:
        rules.put_plan(
            work,
            PlanIn(
                name="示范区2026–2030",
                from_on=date(2026, 1, 1),
                to_on=date(2030, 12, 31),
                baseline_fen=2 * YI,
                baseline_year=2020,
                target_fen=40 * YI,
            ),
        )


def words(html: str) -> str:
    """Return the text of a page as it is read."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html))


CERTIFICATE = {
    "decision": "registered",
    "number": "0000202600000001",
    "decided_on": "2026-11-02",
    "total_fen": "120",
    "technical_fen": "100",
}


def test_a_contract_is_handed_in_decided_counted_and_undone(
    parts: Parts, pair: papers.Sides, plan: None, seller: Visitor, officer: Visitor
) -> None:
    contract = papers.signed_contract(parts, pair, project="焊缝气孔在线检测")
    address = f"/registrations/new?contract={contract.public_id}"
    assert "提交合同登记" in seller.get(address)
    assert "还有" in seller.post(address, {}, 422), "what the form still lacks"
    papers.submitted(parts, pair, contract)
    seller.get(address, 409)
    assert "焊缝气孔在线检测" in seller.get("/registrations")
    queue = officer.get("/desk/registrations")
    assert "合同登记：1份待办" in words(queue)
    found = re.search(r'href="(/desk/registrations/[2-9a-z]{14})"', queue)
    assert found
    desk = found[1]
    wrong = officer.post(desk, {**CERTIFICATE, "number": "000020260000001"}, 422)
    assert "应为16位数字（旧证14位），现在是15位" in wrong
    assert 'value="000020260000001"' in wrong, "what was typed is kept"
    wrong = officer.post(desk, {**CERTIFICATE, "technical_fen": "96", "decided_on": "11月2日"}, 422)
    assert "应写成2026-11-20的样子" in wrong
    bad = {"number": "12", "decided_on": "11月2日", "total_fen": "一百二", "technical_fen": "很多"}
    wrong = words(officer.post(desk, {**CERTIFICATE, **bad}, 422))
    assert "还有4处要改" in wrong, "all in one go"
    assert "现在是2位" in wrong
    done = officer.post(desk, CERTIFICATE)
    assert "已准予登记" in done
    assert "1,000,000.00元" in done
    board = officer.get("/board")
    assert "100万元" in words(board)
    assert "完成0%" in words(board)
    officer.post(desk, CERTIFICATE)  # the same decision again is the same
    assert "还有1处要改" in words(officer.post(desk, {**CERTIFICATE, "number": "0" * 16}, 422))
    assert "撤回的原因" in officer.post(f"{desk}/undo", {}, 422)
    assert "登记已撤回" in officer.post(f"{desk}/undo", {"reason": "金额抄错"})
    assert "，不能" in officer.get(f"{desk}/undo")
    lines = words(officer.get("/board/contracts?side=out"))
    assert "−1,000,000.00" in lines
    assert "0元" in lines
    one = desk.removeprefix("/desk")
    assert "重新提交登记" in seller.get(one)
    again = papers.submitted(parts, pair, contract)
    assert "撤回申请" in seller.get(f"/registrations/{again.row.public_id}")


def test_the_desk_asks_which_undone_registration_a_number_follows(
    parts: Parts, pair: papers.Sides, officer: Visitor
) -> None:
    first = papers.registered(parts, pair)
    officer.post(f"/desk/registrations/{first.row.public_id}/undo", {"reason": "登错了合同"})
    second = papers.submitted(parts, pair)
    address = f"/desk/registrations/{second.row.public_id}"
    assert "接替的登记" not in officer.get(address)
    form = {**CERTIFICATE, "number": first.row.number or ""}
    again = officer.post(address, form, 422)
    assert f'value="{first.row.public_id}"' in again
    officer.post(address, {**form, "supersedes": first.row.public_id})
    assert "接替的那份登记" in officer.get(address)


def test_a_refusal_needs_its_reason_and_the_seller_reads_it(
    parts: Parts, pair: papers.Sides, officer: Visitor, seller: Visitor
) -> None:
    filed = papers.submitted(parts, pair)
    address = f"/desk/registrations/{filed.row.public_id}"
    wrong = officer.post(address, {"decision": "not_registered"}, 422)
    assert "请从列表里选一个原因" in wrong
    assert '<details class="fold" open>' in wrong
    for kept in ('name="total_fen" value="120"', 'name="technical_fen" value="100"'):
        assert re.search(kept.replace(" ", "[^>]*"), wrong), kept
    form = {**CERTIFICATE, "number": "12", "note": "抄录的意见"}
    other = officer.post(address, form, 422)
    assert other.count("抄录的意见") == 1
    assert '<details class="fold" open>' not in other
    officer.post(
        address, {"decision": "not_registered", "refusal_reason": "price", "note": "价款缺总额"}
    )
    read = seller.get(f"/registrations/{filed.row.public_id}")
    assert "价款不明确" in read
    assert "价款缺总额" in read


def test_the_seller_takes_an_application_back(
    parts: Parts, pair: papers.Sides, seller: Visitor
) -> None:
    filed = papers.submitted(parts, pair)
    address = f"/registrations/{filed.row.public_id}"
    assert "撤回申请" in seller.get(address)
    assert "已撤回申请" in seller.post(f"{address}/withdraw", {})


def test_strangers_find_nothing_and_members_no_desk(
    site: TestClient, parts: Parts, pair: papers.Sides, seller: Visitor
) -> None:
    filed = papers.submitted(parts, pair)
    stranger = Visitor(site, parts, factories.actor(parts, kind=OrganisationKind.COMPANY))
    stranger.get(f"/registrations/{filed.row.public_id}", 404)
    stranger.get(f"/registrations/new?contract={filed.contract.public_id}", 404)
    for path in ("/desk/registrations", "/desk/plan", "/desk/calendar"):
        seller.get(path, 403)
        assert site.get(path).headers["location"].startswith("/login?next=")


def test_the_board_before_there_is_a_plan(anyone: Visitor) -> None:
    assert "还没有计划" in anyone.get("/board")
    assert "还没有登记的合同" in anyone.get("/board/registered")


def test_the_public_board_leaves_out_what_is_of_few(
    parts: Parts, pair: papers.Sides, plan: None, anyone: Visitor, officer: Visitor
) -> None:
    for n in range(4):
        papers.registered(parts, pair, project=f"秘而不宣的项目{n}")
    page = anyone.get("/board")
    assert "登记的合同太少，合计暂不公开" in page
    assert "400万元" not in words(page)
    papers.registered(parts, pair, project="同意公开的项目", public=True)
    papers.registered(parts, pair, project="秘而不宣的项目四")
    page = anyone.get("/board")
    assert "600万元" in words(page)
    assert "比计划慢" in page
    assert "/board/contracts" not in page
    assert "秘而不宣" not in page
    assert "同意公开的项目" in page
    assert pair.seller.name in page
    exact = officer.get("/board")
    assert f'href="/board/contracts?side=out&amp;seller={pair.seller.public_id}"' in exact


def test_a_figure_leads_to_its_contracts(
    parts: Parts, pair: papers.Sides, plan: None, officer: Visitor, seller: Visitor
) -> None:
    papers.registered(parts, pair, project="第五领域的项目", field=5)
    papers.registered(parts, pair, project="第三领域的项目", field=3, technical=88 * WAN)
    page = officer.get("/board")
    links = re.findall(r'href="(/board/contracts\?[^"]+)"', page)
    assert links
    narrowed = officer.get("/board/contracts?side=out&field=3&year=2026&month=11")
    assert "第三领域的项目" in narrowed
    assert "第五领域的项目" not in narrowed
    assert "880,000.00元" in words(narrowed)
    for link in links:
        officer.get(link.replace("&amp;", "&"))
    own = seller.get("/board/contracts")
    assert "第五领域的项目" in own
    assert "第三领域的项目" in own
    assert "没有符合条件的合同" in seller.get("/board/contracts?year=2019")


def test_sums_are_told_to_the_fen_and_what_took_one_out_by_its_cause(
    parts: Parts, pair: papers.Sides, plan: None, officer: Visitor
) -> None:
    odd = papers.registered(parts, pair, project="注销的项目", technical=88 * WAN + 7)
    papers.registered(parts, pair, project="留下的项目", technical=50 * WAN + 1)
    others = [papers.registered(parts, pair, project=f"撤出的项目{n}") for n in range(2)]
    page = words(officer.get("/board"))
    assert "3,380,000.08元" in page
    newest = page[page.index("最近登记的合同") :]
    assert "留下的项目" in newest
    assert "不公开" not in newest
    with work_for(parts, pair.officer) as work:
        registry.cancel(work, odd.row.public_id, CancelIn(cause="rescinded", reason="协议"))
        registry.revoke(work, others[0].row.public_id, RevokeIn(cause="void", reason="判决"))
        registry.undo(work, others[1].row.public_id, UndoIn(reason="抄错"))
    table = words(officer.get("/board/contracts"))
    assert "500,000.01 元" in table or "500,000.01元" in table
    assert "−880,000.07" in table
    for project, word in (
        ("注销的项目", "注销"),
        ("撤出的项目0", "撤销"),
        ("撤出的项目1", "撤回（录入有误）"),
    ):
        assert f"{project} {word} 原登记" in table, project


def test_all_others_lead_to_the_whole_table_and_on_to_their_contracts(
    parts: Parts,
    pair: papers.Sides,
    plan: None,
    officer: Visitor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pages, "SELLERS", 1)
    papers.registered(parts, pair, technical=90 * WAN)
    for n in range(2):
        papers.registered(parts, papers.sides(parts), project=f"小单位的项目{n}", technical=WAN)
    page = officer.get("/board")
    for table in ("seller", "buyer", "university"):
        assert words(page).count("其余2家") == 3
        assert f'href="/board?whole={table}#{table}"' in page
        assert f'id="{table}"' in page
        whole = officer.get(f"/board?whole={table}")
        assert words(whole).count("其余2家") == 2
        links = set(re.findall(r'href="(/board/contracts\?[^"]+)"', whole)) - set(
            re.findall(r'href="(/board/contracts\?[^"]+)"', page)
        )
        assert len(links) == 2
        behind = [officer.get(link.replace("&amp;", "&")) for link in links]
        assert sum(("小单位的项目0" in one) + ("小单位的项目1" in one) for one in behind) == 2
    officer.get("/board?whole=other", 404)


def test_the_public_board_says_until_which_day_it_tells(
    parts: Parts,
    pair: papers.Sides,
    plan: None,
    anyone: Visitor,
    site: TestClient,
    clock: FakeClock,
) -> None:
    said = "公开的合计算到关了账的月末"
    clock.set_local("2026-11-05 09:00")
    for _ in range(6):
        papers.registered(parts, pair)
    assert said not in anyone.get("/board")
    clock.set_local("2026-12-03 09:00")
    with parts.database.write() as session:
        close(session, "2026-11", by=pair.officer.person, at=clock.now())
    papers.registered(parts, pair, on=date(2026, 12, 2))
    page = anyone.get("/board")
    assert said in page
    assert "600万元" in words(page)
    assert "2026-11-30" in words(page)
    assert "2026-11-30" in words(anyone.get("/"))
    exact = Visitor(site, parts, pair.officer).get("/board")
    assert said not in exact
    assert "700万元" in words(exact)


def test_the_plan_is_set_changed_and_kept(officer: Visitor, parts: Parts) -> None:
    form = {
        "name": "示范区2026–2030",
        "region": "500106",
        "from_on": "2026-01-01",
        "to_on": "2030-12-31",
        "target_fen": "400000",
        "baseline_fen": "20000",
        "baseline_year": "2020",
    }
    wrong = officer.post("/desk/plan", {**form, "to_on": "2025-12-31", "target_fen": "四十亿"}, 422)
    assert "请填数字" in wrong
    wrong = officer.post("/desk/plan", {**form, "to_on": "2025-12-31"}, 422)
    assert "应晚于开始日期2026-01-01，现在是2025-12-31" in wrong
    saved = officer.post("/desk/plan", form)
    assert "计划已保存" in saved
    replaces = re.search(r'name="replaces" value="([^"]+)"', saved)
    assert replaces
    changed = {**form, "target_fen": "500000", "replaces": replaces[1]}
    assert "以前的计划" in officer.post("/desk/plan", changed)
    assert "刚被别人改过" in officer.post("/desk/plan", changed, 409)


def test_the_calendar_marks_a_year_without_notice(officer: Visitor) -> None:
    known = words(officer.get("/desk/calendar"))
    assert "2026年节假日" in known
    assert "2026-10-10星期六国庆节" in known.replace(" ", "")
    assert "2026-02-15 至 2026-02-23" in known
    assert "全年365天" in known.replace(" ", "")
    assert "暂定" not in known
    assert "2027年节假日（暂定）" in words(officer.get("/desk/calendar?year=2027"))


def test_the_board_of_a_past_plan_stands(
    site: TestClient, parts: Parts, pair: papers.Sides, plan: None, clock: FakeClock
) -> None:
    papers.registered(parts, pair)
    clock.set_local("2031-06-01 09:00")
    assert "2030年各月" in words(Visitor(site, parts, pair.officer).get("/board"))


def test_pages_of_a_broker_and_an_auditor(site: TestClient, parts: Parts) -> None:
    broker = Visitor(site, parts, factories.actor(parts, kind=OrganisationKind.AGENCY))
    assert "还没有提交过登记" in broker.get("/registrations")
    auditor = Visitor(site, parts, factories.actor(parts, Role.AUDITOR))
    auditor.get("/registrations", 403)
