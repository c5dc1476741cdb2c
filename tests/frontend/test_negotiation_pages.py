"""Beside a deal over HTTP, as a browser without script would: offers, files, plans, parties,
objections and what is comparable.
"""

import re
from dataclasses import replace

from market.accounts.work import ANONYMOUS
from market.catalog.schemas import AchievementIn
from tests import factories
from tests.frontend.test_deals_pages import Browser, Site, site, world
from tests.support.clock import FakeClock
from tests.support.trade import Trade, agreed, drafted, negotiated, publicised, published

__all__ = ["site", "world"]  # fixtures

PDF = ("样件报告.pdf", b"%PDF-1.7 sample", "application/pdf")
ROYALTY = {
    "seen": "0",
    "mode": "许可",
    "amount": "200",
    "pay_method": "royalty_entry",
    "entry": "50",
    "royalty_base": "sales",
    "royalty_rate": "2.75%",
    "royalty_trend": "falling",
    "term_months": "60",
    "territory": "中国境内",
}


def put(browser: Browser, path: str, **fields: str) -> None:
    data = {"csrf": browser.csrf, **fields}
    assert browser.client.post(path, data=data, files={"file": PDF}).status_code == 303


def test_offers_in_structure_and_what_they_changed(site: Site, world: Trade) -> None:
    deal = negotiated(world)
    seller, buyer = site(world.seller), site(world.buyer)
    path = f"/deals/{deal.public_id}"
    wrong = seller.send(f"{path}/terms", 422, **{**ROYALTY, "royalty_rate": "三", "entry": "300"})
    assert "应为百分数" in wrong
    assert 'value="中国境内"' in wrong
    for rate in ("150", "0"):
        wrong = seller.send(f"{path}/terms", 422, **{**ROYALTY, "royalty_rate": rate})
        assert f"应大于0%、不超过100%，现在是{rate}%" in wrong
    wrong = seller.send(f"{path}/terms", 422, **{**ROYALTY, "entry": "300"})
    assert "入门费应不超过预计总额200万元，现在是300万元" in wrong
    seller.send(f"{path}/terms", **ROYALTY)
    assert "入门费50万元，另按产品销售额提成2.75%（逐年递减），预计共200万元" in buyer.get(path)
    parts = {"part_due": ["签约后30日内", ""], "part_amount": ["80", "40"]}
    counter = {"seen": "1", "mode": "独占许可", "amount": "120", "pay_method": "instalments"}
    wrong = buyer.send(f"{path}/terms", 422, **counter, **parts)
    assert "第2期：何时付应为1到120个字，现在是0个字" in wrong
    assert 'value="签约后30日内"' in wrong
    parts["part_due"][1] = "验收后"
    buyer.send(f"{path}/terms", **counter, **parts)
    shown = re.sub(r"<[^>]+>|\s+", "", seller.get(path))
    assert "分期：没有写→签约后30日内付80万元；验收后付40万元" in shown
    assert "合作方式：普通许可→独占许可" in shown
    for started in ('value="签约后30日内"', 'value="验收后"'):
        assert started in seller.get(path), "a counter-offer starts from the newest"


def test_files_plans_and_further_parties(site: Site, world: Trade) -> None:
    deal = negotiated(world)
    seller, buyer = site(world.seller), site(world.buyer)
    path = f"/deals/{deal.public_id}"
    put(seller, f"{path}/files", audience="own", note="底稿")
    file = re.findall(rf"{path}/files/(\w+)", seller.get(path))[0]
    assert "样件报告" not in buyer.get(path)
    buyer.get(f"{path}/files/{file}", 404)
    seller.send(f"{path}/files/{file}/audience", seen="own", audience="parties")
    assert "样件报告" in buyer.get(path)
    assert buyer.client.get(f"{path}/files/{file}").content == PDF[1]
    seller.send(f"{path}/plan", text="带样件测试", due_on="2026-11-20")
    assert "带样件测试" in seller.get("/work")
    assert "带样件测试" not in buyer.get(path)
    seller.send(f"{path}/plan/done")
    assert "带样件测试" not in seller.get("/work")
    institute = factories.organisation(world.parts)
    wrong = seller.send(f"{path}/parties", 422, organisation="没有这一家", share="30")
    assert "请写一家已核验的" in wrong
    wrong = seller.send(f"{path}/parties", 422, organisation=institute.name, share="200")
    assert "应大于0%、不超过100%，现在是200%" in wrong
    seller.send(f"{path}/parties", organisation=institute.name, share="30")
    further = site(factories.actor(world.parts, at=institute))
    seller.send(f"{path}/terms", seen="0", mode="独占许可", amount="120")
    assert "确认第1轮条件里的份额30%" in further.get(path)
    further.send(f"{path}/share", version="1")
    assert "已确认第1轮" in buyer.get(path)
    further.send(f"{path}/lose", 403, reason="funds")
    assert deal.title in further.get("/deals/board")


def test_what_is_not_in_the_publicity_is_refused_with_what_to_do(site: Site, world: Trade) -> None:
    deal = agreed(world)
    more = published(world.parts, world.seller, AchievementIn(title="轨道几何尺寸的车载检测"))
    publicised(world, deal)
    seller, path = site(world.seller), f"/deals/{deal.public_id}"
    chosen = re.findall(r'<select id="listing".*?</option>', seller.get(path), re.DOTALL)[0]
    assert 'value=""' in chosen, "nothing is chosen beforehand"
    assert 'id="listing-e"' in seller.send(f"{path}/listings", 422, listing="")
    institute = factories.organisation(world.parts)
    for form, fields in (
        ("listings", {"listing": more.public_id}),
        ("parties", {"organisation": institute.name, "share": "30"}),
    ):
        page = seller.send(f"{path}/{form}", 409, **fields)
        assert "请先终止现在的公示或挂牌" in page
    assert f'value="{institute.name}"' in page, "what was typed stays"


def test_an_objection_from_the_public_page_to_its_handling(
    site: Site, world: Trade, clock: FakeClock
) -> None:
    deal = agreed(world)
    publicised(world, deal)
    seller, buyer, anyone = site(world.seller), site(world.buyer), site(ANONYMOUS)
    path = f"/deals/{deal.public_id}"
    public = re.findall(r"/publicity/\w{14}", seller.get(path))[0]
    typed = {"name": "示范李乙", "contact": "13800000009", "text": "共有人没有同意。"}
    assert "还有1处要改" in anyone.send(f"{public}/objections", 422, **{**typed, "text": ""})
    anyone.send(f"{public}/objections", **typed)
    assert "收到1件，待处理1件" in anyone.get(public)
    for reader in (anyone.get(public), buyer.get(path), buyer.get(public)):
        assert "13800000009" not in reader
        assert "共有人没有同意" not in reader
    shown = seller.get(path)
    assert "13800000009" in shown
    assert "下一步：处理公示的异议" in shown
    assert "等卖方处理公示的异议" in buyer.get(path)
    work = re.sub(r"<[^>]+>|\s+", "", seller.get("/work"))
    assert "处理公示异议" in work
    assert "11月27日" in work, "due by the last day of the publicity"
    assert "起草合同" not in work
    assert "公示有1件异议待处理" in seller.get("/deals/board")
    objection = re.findall(rf"{path}/objections/(\w+)", shown)[0]
    put(seller, f"{path}/objections/{objection}", decision="cleared", handling="共有人书面同意。")
    assert "收到1件，待处理0件" in anyone.get(public)
    assert "下一步：起草合同" in seller.get(path)
    assert seller.client.get(f"{path}/objections/{objection}/evidence").content == PDF[1]
    buyer.get(f"{path}/objections/{objection}/evidence", 403)
    clock.set_local("2026-12-01 09:00")
    assert "提出异议" not in anyone.get(public)
    assert "公示已经结束" in anyone.send(f"{public}/objections", 422, **typed)


def test_a_first_draft_starts_from_what_is_known(site: Site, world: Trade) -> None:
    seller, buyer = site(world.seller), site(world.buyer)
    text = AchievementIn(title="轨道几何尺寸的车载检测", field=10)
    known = replace(world, achievement=published(world.parts, world.seller, text))
    path = f"/deals/{negotiated(known).public_id}"
    seller.send(f"{path}/terms", **ROYALTY)
    buyer.send(f"{path}/confirm", version="1")
    exchange = {"path": "auction", "exchange": "示范技术交易所"}
    seller.send(f"{path}/pricing", **exchange)
    seller.send(f"{path}/pricing/dealt", dealt_on="2026-11-12", price="220")
    page = seller.get(f"{path}/contract")
    for chosen in ("LIC:专利实施许可", "10", "royalty_entry"):
        assert re.search(rf'<option value="{chosen}"\s+selected', page), chosen
    for typed in ("220", "2026-11-12", "2031-11-11"):
        assert f'value="{typed}"' in page, typed
    assert page.count('value="220"') == 2, "the total and its line"


def test_what_is_kept_of_a_contract_is_refused_at_its_field(site: Site, world: Trade) -> None:
    deal = agreed(world)
    drafted(world, deal)
    seller, path = site(world.seller), f"/deals/{deal.public_id}/kept"
    whole = "检测方法｜示范大学一｜2023-05-10｜202310000000.0｜｜2043-05-09"
    wrong = {
        "第1行：申请号应为8位或12位数字加校验位": "检测方法｜示范大学一｜2023-05-10｜CN1",
        "第2行：申请日日历上没有这一天：2023-02-30": f"{whole}\n二｜三｜2023-02-30｜202310000000.0",
        "第1行：权利人": "检测方法",
        "第1行应不多于6段，现在是7段": f"{whole}｜七",
    }
    for message, typed in wrong.items():
        page = seller.send(path, 422, part="patents", patents=typed)
        assert message in page
        assert typed.splitlines()[-1] in page, "what was typed stays"
    seller.send(path, part="patents", patents=whole)
    table = re.findall(r"<table.*?</table>", seller.get(path), re.DOTALL)[-1]
    assert "到期日" in table
    assert "2043-05-09" in table
    page = seller.send(path, 422, part="instalments", instalments="2026-02-30｜186")
    assert "日历上没有这一天：2026-02-30" in page


def test_the_list_is_narrowed_and_what_is_comparable_is_told(site: Site, world: Trade) -> None:
    deal = negotiated(world)
    seller = site(world.seller)
    assert deal.title in seller.get("/deals?phase=contact&side=seller&q=螺栓")
    for narrowed in ("phase=bargaining", "side=buyer", "q=没有的词"):
        page = seller.get(f"/deals?{narrowed}")
        assert f"/deals/{deal.public_id}" not in page
        assert "没有符合筛选的洽谈" in page
    page = seller.get(f"/listings/{world.achievement.public_id}/comparables")
    assert "还没有可比的交易" in page
    site(ANONYMOUS).get(f"/listings/{world.achievement.public_id}/comparables", 303)
