"""Contracts registered elsewhere on the site: a file of the bureau's, its list, and who sees it."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from frontend.edge import COOKIE
from infra.settings import Settings
from infra.web import create_app
from infra.wiring import open_reader
from market.accounts.policy import Role
from market.accounts.work import Parts
from market.jobs import handlers
from market.kit.jobs import Runner
from tests import factories
from tests.frontend.test_board_pages import HOST, Visitor
from tests.support import papers
from tests.support.clock import FakeClock

pytestmark = pytest.mark.usefixtures("both_databases")

HEAD = "认定登记号,合同名称,合同类别,所属技术领域,让与方,行政区划,受让方,成交额（元）,技术交易额(万元),签约日期,认定登记日期,备注"
ROWS = (
    "0000202300000001,焊缝检测系统开发,技术开发合同,3,{seller},沙坪坝区,{buyer},1200000.00,100,2023年5月8日,2023/6/20,",
    "0000202300000002,涂层许可,专利实施许可,新材料,别处研究所,500106,{buyer},500000,50,2019-01-02,2019-03-04,老合同",
    "0000202300000003,坏的一行,技术服务,5,别处研究所,500106,某公司,0,0,2019-01-02,2019-03-04,",
)


@pytest.fixture
def site(parts: Parts, settings: Settings) -> Iterator[TestClient]:
    engine = open_reader(settings)
    with TestClient(
        create_app(parts, engine, settings), base_url=HOST, follow_redirects=False
    ) as client:
        client.headers["origin"] = HOST
        yield client
    engine.close()


def settle(parts: Parts, clock: FakeClock) -> None:
    runner = Runner(parts.database, clock, handlers(parts))
    while runner.run_one():
        pass


def test_a_file_of_the_bureau_from_upload_to_undo(
    parts: Parts, site: TestClient, clock: FakeClock
) -> None:
    pair = papers.sides(parts)
    officer = Visitor(site, parts, pair.officer)
    assert "还没有导入已登记合同" in officer.get("/past-registrations")
    text = "\r\n".join((HEAD, *ROWS)).format(seller=pair.seller.name, buyer=pair.buyer.name)
    token = {"Authorization": f"Bearer {factories.token(parts, pair.officer)}"}
    sent = site.post(
        "/api/v1/my/imports",
        files={"file": ("历年登记.csv", text.encode("gb18030"), "text/csv")},
        data={"kind": "contract"},
        headers=token,
    )
    assert sent.status_code == 202, sent.text
    settle(parts, clock)
    run = site.get(f"/api/v1/my/imports/{sent.json()['id']}", headers=token).json()
    assert (run["created"], run["refused"]) == (2, 1), run
    assert {(one["row"], one["column"]) for one in run["errors"]} == {
        (4, "成交额（元）"),
        (4, "技术交易额(万元)"),
    }
    listed = officer.get("/past-registrations")
    assert "历史登记：2份" in listed
    assert "焊缝检测系统开发" in listed
    assert "涂层许可" not in officer.get("/past-registrations?year=2023")
    assert "涂层许可" in officer.get("/past-registrations?q=0002&year=")
    behind = officer.get("/board/contracts")
    address = behind.partition('href="/past-registrations/')[2].partition('"')[0]
    detail = officer.get(f"/past-registrations/{address}")
    assert "1,200,000.00元" in detail
    assert "冲回这份登记" in detail
    cookie = {"cookie": f"{COOKIE}={factories.cookie(parts, pair.officer)[0]}"}
    exported = site.get("/past-registrations/export?format=csv", headers=cookie)
    assert "0000202300000001,2023-06-20" in exported.text
    again = site.post(
        "/api/v1/my/imports",
        files={"file": ("再来.csv", exported.content, "text/csv")},
        data={"kind": "contract"},
        headers=token,
    )
    settle(parts, clock)
    told = site.get(f"/api/v1/my/imports/{again.json()['id']}", headers=token).json()
    assert (told["created"], told["unchanged"], told["refused"]) == (0, 2, 0)
    for actor in (pair.seller_actor, pair.buyer_actor):
        party = Visitor(site, parts, actor)
        party.get("/past-registrations/export", 403)
        assert "焊缝检测系统开发" in party.get("/past-registrations")
        assert "冲回这份登记" not in party.get(f"/past-registrations/{address}")
        party.get(f"/past-registrations/{address}/take-out", 403)
        party.post(
            f"/past-registrations/{address}/take-out", {"cause": "mistake", "reason": "我"}, 403
        )
    stranger = Visitor(site, parts, factories.actor(parts, Role.MANAGER))
    stranger.get(f"/past-registrations/{address}", 404)
    assert "没有历史登记" in stranger.get("/past-registrations")
    officer.post(f"/past-registrations/{address}/take-out", {"cause": "mistake"}, 422)
    done = officer.post(
        f"/past-registrations/{address}/take-out", {"cause": "mistake", "reason": "金额抄错"}
    )
    assert "已冲回" in done
    assert "金额抄错" in done
    assert "已经冲回" in officer.post(
        f"/past-registrations/{address}/take-out", {"cause": "mistake", "reason": "再来"}, 422
    )
    undone = site.post(f"/api/v1/my/imports/{run['id']}/undo", headers=token)
    assert undone.status_code == 200, undone.text
    settle(parts, clock)
    after = site.get(f"/api/v1/my/imports/{run['id']}", headers=token).json()
    assert after["undone"] == 1
    assert "已另行冲回" in after["kept"][0]["reason"]
    lines = site.get("/api/v1/board/contracts", headers=token).json()
    assert (lines["total"], lines["sum"]["technical_fen"]) == (4, 0)
    assert {one["registration"] for one in lines["items"]} == {None}


def test_the_list_for_the_api_and_those_who_are_not_signed_in(
    parts: Parts, site: TestClient
) -> None:
    assert site.get("/api/v1/past-registrations").status_code == 401
    assert site.get("/past-registrations").headers["location"].startswith("/login")
    token = factories.token(parts, factories.actor(parts, Role.OFFICER))
    found = site.get("/api/v1/past-registrations?q=a", headers={"Authorization": f"Bearer {token}"})
    assert found.json() == {"items": [], "total": 0}
