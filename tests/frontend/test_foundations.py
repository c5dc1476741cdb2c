"""The foundations of the pages: figures, forms, fragments, protection, and every part."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.testclient import TestClient

from frontend import charts, csrf, formats, forms, i18n, notices, render
from frontend.assets import Assets, AssetsNotBuilt
from frontend.headers import HEADERS
from frontend.templating import TEMPLATES, environment
from market.kit.errors import Forbidden, Invalid
from market.kit.money import FEN_PER_WAN, FEN_PER_YI
from tests.frontend import sample

HERE = Path(__file__).parent
HTMX = {"HX-Request": "true"}
GOOD = {
    "csrf": sample.TOKEN,
    "title": "车架焊缝在线检测",
    "field": "1",
    "modes": ["license", "joint"],
}


@pytest.fixture
def client() -> Iterator[TestClient]:
    own = {"Origin": "http://testserver"}
    with TestClient(sample.site(), headers=own, follow_redirects=False) as opened:
        yield opened


def request(
    path: str = "/", *, query: str = "", method: str = "GET", headers: dict[str, str] | None = None
) -> Request:
    raw = [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()]
    scope = {"type": "http", "method": method, "path": path, "query_string": query.encode()}
    return Request({**scope, "headers": raw, "scheme": "http", "server": ("site.example", 80)})


# ---- figures and dates ----


@pytest.mark.parametrize(
    ("fen", "shown"),
    [
        (218_600_000_000, "21.86亿元"),
        (10_000_000_000, "1.00亿元"),
        (9_999_000_000, "9,999万元"),
        (80_000_000, "80万元"),
        (205_500_000, "205.50万元"),
        (860_000, "8,600元"),
        (860_050, "8,600.50元"),
        (0, "0元"),
        (-80_000_000, "−80万元"),
        (None, ""),
    ],
)
def test_money_takes_the_unit_that_reads_best(fen: int | None, shown: str) -> None:
    assert formats.money(fen) == shown


def test_money_in_contracts_and_columns_is_exact() -> None:
    assert formats.money_exact(780_000_000) == "7,800,000.00元"
    assert formats.money_exact(1) == "0.01元"
    assert formats.wan(286_000_000) == "286.00"
    assert formats.yi(97_400_000_000) == "9.74"


@pytest.mark.parametrize(
    ("kind", "per", "low", "high", "shown"),
    [
        ("none", "total", None, None, "面议"),
        ("fixed", "total", 260_000_000, None, "260万元"),
        ("fixed", "year", 45_000_000, None, "45万元/年"),
        ("fixed", "unit", 12_000_000, None, "12万元/件"),
        ("from", "total", 80_000_000, None, "80万元起"),
        ("up_to", "total", None, 40_000_000, "40万元以内"),
        ("range", "total", 120_000_000, 180_000_000, "120～180万元"),
        ("range", "total", 5_000, 20_000_000_000, "50元～2.00亿元"),
    ],
)
def test_price_of_a_listing(
    kind: str, per: str, low: int | None, high: int | None, shown: str
) -> None:
    assert formats.price(kind, per, low, high) == shown


def test_a_price_without_its_amount_is_a_defect() -> None:
    with pytest.raises(ValueError, match="amount"):
        formats.price("from", "total", None, 100)


def test_moments_are_shown_in_shanghai() -> None:
    late = datetime(2026, 11, 19, 16, 30, tzinfo=UTC)  # half past midnight in Shanghai
    assert formats.day(late) == '<time datetime="2026-11-20">2026-11-20</time>'
    assert formats.day_cn(late) == "11月20日"
    assert ">11-20 00:30</time>" in formats.moment(late)
    assert formats.day(date(2026, 1, 2)) == '<time datetime="2026-01-02">2026-01-02</time>'
    with pytest.raises(ValueError, match="aware"):
        formats.day(late.replace(tzinfo=None))


def test_numbers_shares_and_marks() -> None:
    assert formats.number(1936) == "1,936"
    assert formats.number(1.4) == "1.4"
    assert formats.percent(0.547) == "54.7%"
    assert formats.percent(1) == "100%"
    assert formats.percent(-0.0312) == "−3.1%"
    assert formats.small_unit("120～180万元") == "120～180<small>万元</small>"
    assert formats.small_unit("面议") == "面议"
    assert formats.marked("<b>焊缝</b>检测", [(3, 5)]) == (
        "&lt;b&gt;<mark>焊缝</mark>&lt;/b&gt;检测"
    )
    assert formats.paragraphs("一行\r\n\n  <二行>") == "<p>一行</p>\n<p>&lt;二行&gt;</p>"


# ---- charts ----


def test_cumulative_chart_ends_at_today_and_starts_from_zero() -> None:
    drawn = charts.cumulative(
        [(date(2026, 7, 2), 50 * FEN_PER_WAN)],
        start=date(2026, 1, 1),
        end=date(2026, 12, 31),
        today=date(2026, 10, 1),
        target=100 * FEN_PER_WAN,
        label="",
    )
    corners = re.findall(r"([\d.]+) ([\d.]+)", drawn.real)
    assert corners[0] == ("0.0", str(float(charts.HEIGHT)))
    assert corners[-1][0] == "750.0"
    assert corners[-1][1] == corners[-2][1]  # nothing new since July: level
    plan_end = float(drawn.plan.rsplit(" ", 1)[1])
    assert (charts.HEIGHT - float(corners[-1][1])) * 2 == pytest.approx(
        charts.HEIGHT - plan_end, abs=0.2
    )
    assert drawn.unit == "万元"
    assert [mark.text for mark in drawn.y_marks][:3] == ["0", "25", "50"]


@pytest.mark.parametrize("year", [2024, 2025, 2026, 2027])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.8, 1.2])
def test_each_line_s_word_is_on_its_own_side(year: int, share: float) -> None:
    start, end, today = date(2024, 1, 1), date(2027, 12, 31), date(year, 11, 20)
    target = 40 * FEN_PER_YI
    drawn = charts.cumulative(
        [(today, int(target * share))], start=start, end=end, today=today, target=target, label=""
    )
    top = 40 * max(1, share) * 1.06
    real = 40 * share / top * 100
    planned = 40 * ((today - start).days / (end - start).days) / top * 100
    third = 40 / 3 / top * 100
    ahead = real >= planned
    assert (drawn.plan_mark.y < third) == ahead, (
        "计划 is below its line where the real one is above"
    )
    if real > 9:
        assert (drawn.real_mark.y > real or drawn.real_mark.y == 92) == ahead
    assert 0 <= drawn.real_mark.y <= 95


def test_charts_of_nothing_still_draw() -> None:
    line = charts.cumulative(
        [], start=date(2026, 1, 1), end=date(2026, 1, 1), today=date(2026, 1, 1), target=0, label=""
    )
    assert line.real_mark.text == "0.00"
    assert charts.months([], need=None, label="").bars == ()


@given(st.integers(0, 10**14))
def test_axis_covers_the_largest_with_few_round_ticks(largest: int) -> None:
    drawn = charts.months([("1月", largest, True)], need=None, label="")
    assert 2 <= len(drawn.y_marks) <= charts.Y_TICKS + 1
    assert drawn.y_marks[0].text == "0"
    assert drawn.bars[0].y >= 0


@given(
    st.lists(st.integers(-(10**13), 10**13), min_size=1, max_size=12),
    st.integers(0, 10**13) | st.none(),
)
def test_a_negative_month_is_drawn_below_zero(fen: list[int], need: int | None) -> None:
    drawn = charts.months([("1月", one, True) for one in fen], need=need, label="")
    zero = next(mark.y for mark in drawn.y_marks if mark.text == "0")
    for one, bar in zip(fen, drawn.bars, strict=True):
        edge = bar.y if one < 0 else bar.y + bar.height
        assert abs(edge - charts.HEIGHT * (1 - zero / 100)) < 0.2
        assert bar.y >= -0.2
        assert bar.y + bar.height <= charts.HEIGHT + 0.2
        assert (bar.height > 0) == (one != 0)
    texts = [mark.text for mark in drawn.y_marks]
    assert len(set(texts)) == len(texts)
    assert len(texts) <= 2 * (charts.Y_TICKS + 2)


# ---- forms ----


def sent(**typed: str | list[str]) -> forms.Submission:
    return forms.Submission({k: [v] if isinstance(v, str) else v for k, v in typed.items()})


@pytest.mark.parametrize(
    ("typed", "fen"),
    [("120.5", 120_500_000), ("１２０", 120_000_000), ("1,200", 1_200_000_000), ("0.000001", 1)],
)
def test_money_is_read_exactly(typed: str, fen: int) -> None:
    form = forms.parse(sample.DemandForm, sent(**{**GOOD, "budget": typed}))
    assert form.data is not None
    assert form.data.budget == fen


@given(st.integers(0, 10**13))
def test_money_survives_the_way_to_the_page_and_back(fen: int) -> None:
    form = forms.parse(sample.DemandForm, sent(**{**GOOD, "budget": forms.wan(fen)}))
    assert form.data is not None
    assert form.data.budget == fen


@pytest.mark.parametrize(
    "typed",
    [
        *("2026-11-20", "2026/11/20", "2026年11月20日", "２０２６-11-20", "20261120"),
        *("二〇二六年十一月二十日", "2026年 11月 20日", "2026.11.20", "2026年11月20号"),
    ],
)
def test_days_are_read_as_people_write_them(typed: str) -> None:
    form = forms.parse(sample.DemandForm, sent(**{**GOOD, "deadline": typed}))
    assert form.data is not None
    assert form.data.deadline == date(2026, 11, 20)


@pytest.mark.parametrize(
    ("name", "typed", "message"),
    [
        ("title", "", "需求名称必须填写，现在是空的"),
        ("title", "焊", "需求名称至少2个字，现在是1个字"),
        ("title", "焊" * 41, "需求名称最多40个字，现在是41个字"),
        ("field", "9", "技术领域应从给出的选项里选，现在是“9”"),
        ("budget", "一百二", "预算请填数字，单位万元，如120或120.50，现在是“一百二”"),
        ("budget", "0.0000001", "预算最细到分，万元数最多六位小数"),
        ("deadline", "2026-02-30", "截止日期日历上没有这一天：2026-02-30"),
        ("deadline", "2027年6月", "截止日期应写到哪一天，如2027-06-20，现在是“2027年6月”"),
        ("deadline", "下周五", "截止日期应写成2026-11-20的样子，现在是“下周五”"),
        ("level", "七", "最低成熟度应为整数，现在是“七”"),
        ("level", "10", "最低成熟度应不大于9，现在是10"),
        ("modes", [], "合作方式必须填写，现在是空的"),
        ("modes", ["license", "rent"], "合作方式应从给出的选项里选，现在是“rent”"),
        ("modes", ["license", "transfer", "joint"], "合作方式最多选2项，现在是3项"),
        ("agree", "perhaps", "代表本机构应勾选或不勾选，请重新选择"),
        ("number", "123456789012345", "登记编号应为16位数字，现在是“123456789012345”"),
        ("title", "焊\x00缝", "需求名称第2个字是看不见的控制字符，不能保存，请删去后重新输入"),
        ("title", "焊缝\ud800", "需求名称第3个字是看不见的控制字符，不能保存，请删去后重新输入"),
    ],
)
def test_refusals_say_where_what_and_what_now(
    name: str, typed: str | list[str], message: str
) -> None:
    form = forms.parse(sample.DemandForm, sent(**{**GOOD, name: typed}))
    assert form.data is None
    assert form.summary == [(name, message)]


class Until(BaseModel):
    until: forms.LastDay = Field(title="截止日")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2027年6月", date(2027, 6, 30)),
        ("2028-2", date(2028, 2, 29)),
        ("二〇二七年十二月", date(2027, 12, 31)),
        ("2027-06-05", date(2027, 6, 5)),
    ],
)
def test_until_a_month_is_until_its_last_day(typed: str, meant: date) -> None:
    form = forms.parse(Until, sent(until=typed))
    assert form.data is not None
    assert form.data.until == meant
    assert forms.parse(Until, sent(until="2027年13月")).data is None
    assert forms.parse(Until, sent(until="0000年1月")).data is None


def test_blank_inputs_take_defaults_and_values_are_trimmed() -> None:
    blank = {"budget": " ", "deadline": "", "seen": "\u3000", "problem": "  一\r\n二 "}
    form = forms.parse(sample.DemandForm, sent(**{**GOOD, **blank}))
    assert form.data is not None
    assert (form.data.budget, form.data.deadline, form.data.seen) == (None, None, "public")
    assert form.data.problem == "一\n二"
    assert form.data.agree is False
    assert form.data.modes == ["license", "joint"]


def test_names_outside_the_model_never_reach_it() -> None:
    class Narrow(BaseModel):
        model_config = {"extra": "allow"}
        title: str = Field(title="名称")

    form = forms.parse(Narrow, sent(title="一项成果", is_admin="true"))
    assert form.data is not None
    assert form.data.model_dump() == {"title": "一项成果"}


def test_a_refusal_of_the_service_goes_to_its_fields() -> None:
    form = forms.parse(sample.DemandForm, sent(**GOOD))
    form.reject(Invalid("有几处需要修改", {"budget": "预算应高于0，现在是0", "other": "另一件事"}))
    assert form.data is None
    assert form.summary == [("", "另一件事"), ("budget", "预算应高于0，现在是0")]
    assert form.first("title") == GOOD["title"]


def test_a_form_starts_as_a_person_would_have_typed_it() -> None:
    values = {"budget": forms.wan(120_500_000), "deadline": date(2026, 11, 20), "agree": True}
    form = forms.blank(sample.DemandForm, {**values, "modes": ["joint"], "problem": None})
    assert form.first("budget") == "120.5"
    assert form.first("deadline") == "2026-11-20"
    assert form.has("agree", "1")
    assert form.all("modes") == ["joint"]
    assert form.first("problem") == ""


@given(st.text(max_size=50))
def test_whatever_is_typed_can_be_shown_again(typed: str) -> None:
    form = forms.parse(sample.DemandForm, sent(**{**GOOD, "title": typed, "level": typed}))
    assert form.data is not None or form.summary
    form.first("title").encode()
    "".join(form.errors.values()).encode()


def test_pages_by_address_are_parsed_alike() -> None:
    asked = forms.query(request(query="title=%E7%84%8A%E7%BC%9D&field=2&modes=license&modes=joint"))
    form = forms.parse(sample.DemandForm, asked)
    assert form.data is not None
    assert form.data.modes == ["license", "joint"]


# ---- protection ----


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://site.example"}, False),
        ({"Origin": "http://site.example"}, True),
        ({"Origin": "https://SITE.example"}, True),
        ({"Origin": "http://site.example.evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://[broken"}, False),
        ({}, False),
    ],
)
def test_only_our_own_pages_may_post(headers: dict[str, str], ours: bool) -> None:
    asked = request(method="POST", headers={"Host": "site.example", **headers})
    assert csrf.same_origin(asked) is ours
    if ours:
        csrf.check(asked, sent="token", expected="token")
        csrf.check(asked, sent="", expected=None)
    else:
        with pytest.raises(Forbidden):
            csrf.check(asked, sent="token", expected="token")


@pytest.mark.parametrize("given_token", ["", "tokem", "token2", "令牌"])
def test_a_wrong_token_is_refused(given_token: str) -> None:
    asked = request(method="POST", headers={"Sec-Fetch-Site": "same-origin"})
    with pytest.raises(Forbidden):
        csrf.check(asked, sent=given_token, expected="token")


def test_reading_needs_no_token_and_script_may_send_a_header() -> None:
    csrf.check(request(), sent="", expected="token")
    headers = {"Sec-Fetch-Site": "same-origin", "X-CSRF-Token": "token"}
    csrf.check(request(method="POST", headers=headers), sent="", expected="token")
    assert csrf.new_token() != csrf.new_token()


def test_every_answer_carries_the_security_headers(client: TestClient) -> None:
    for path in ("/parts", "/nowhere", "/static/none.js"):
        answer = client.get(path)
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    policy = HEADERS["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "http" not in policy


# ---- pages and fragments ----


def test_one_route_answers_page_and_fragment(client: TestClient) -> None:
    page, fragment = client.get("/parts"), client.get("/parts", headers=HTMX)
    assert page.text.startswith("<!doctype html>")
    assert fragment.text.strip().startswith("<form")
    assert fragment.text.strip().endswith("</form>")
    assert "万元" in fragment.text  # macros imported at the top of the page are known in its block
    assert page.headers["Vary"] == fragment.headers["Vary"] == "HX-Request"
    assert page.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("header", ["HX-Boosted", "HX-History-Restore-Request"])
def test_history_and_boosted_links_get_the_whole_page(client: TestClient, header: str) -> None:
    answer = client.get("/parts", headers={**HTMX, header: "true"})
    assert answer.text.startswith("<!doctype html>")


def test_a_refused_form_keeps_everything_and_links_to_its_fields(client: TestClient) -> None:
    typed = {**GOOD, "title": "焊", "problem": "\n第一行<b>", "budget": "一百二", "seen": "masked"}
    answer = client.post("/sample", data={**typed, "secret": "hunter2hunter2"})
    assert answer.status_code == 422
    shown = answer.text
    assert 'role="alert" tabindex="-1"' in shown
    assert '<a href="#title">需求名称至少2个字，现在是1个字</a>' in shown
    assert '<a href="#budget">预算请填数字' in shown
    assert 'value="一百二"' in shown
    assert ">\n\n第一行&lt;b&gt;</textarea>" in shown
    assert re.search(r'value="masked" checked', shown)
    assert re.search(r'value="joint" checked', shown)
    assert 'id="title-e"' in shown
    assert 'aria-describedby="title-h title-e" aria-invalid="true"' in shown
    assert "hunter2" not in shown


def test_after_a_post_the_next_page_says_what_was_done(client: TestClient) -> None:
    answer = client.post("/sample", data=GOOD)
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/parts?kind=demand&done=sample-posted#form"
    assert "已提交审核" in client.get(answer.headers["Location"]).text
    assert "没有登记的" not in client.get("/parts?done=没有登记的").text
    by_htmx = client.post("/sample", data=GOOD, headers=HTMX)
    assert by_htmx.status_code == 200
    assert by_htmx.headers["HX-Redirect"] == answer.headers["Location"]


def test_uploads_and_fields_come_together(client: TestClient) -> None:
    files = {"proof": ("证明.pdf", b"%PDF-1.7", "application/pdf")}
    assert client.post("/sample", data=GOOD, files=files).status_code == 303
    # refused: nothing stays open (an unclosed file is a warning, and warnings are errors)
    assert client.post("/sample", data={"csrf": "other"}, files=files).status_code == 403


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"title=%00", "application/x-www-form-urlencoded", 403),
        (b"title=" + b"x" * (1100 * 1024), "application/x-www-form-urlencoded", 422),
        (b"&".join(b"a=1" for _ in range(400)), "application/x-www-form-urlencoded", 422),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x", 403),
        (b"no boundary", "multipart/form-data", 422),
        (b"{}", "application/json", 403),
    ],
)
def test_broken_bodies_are_refused_in_words(
    client: TestClient, body: bytes, content_type: str, status: int
) -> None:
    answer = client.post("/sample", content=body, headers={"Content-Type": content_type})
    assert answer.status_code == status
    assert "<h1>" in answer.text


def test_a_body_that_is_too_large_is_refused_unread(client: TestClient) -> None:
    headers = {"Content-Length": str(forms.MAX_BODY + 1)}
    answer = client.post("/sample", data=GOOD, headers=headers)
    assert answer.status_code == 413
    assert "52 MB" in answer.text


def test_notices_are_registered_once() -> None:
    with pytest.raises(ValueError, match="twice"):
        notices.done(sample.POSTED, "又一次")


@pytest.mark.parametrize("status", [400, 403, 404, 409, 413, 422, 429, 500, 503])
def test_errors_have_pages_and_fragments(status: int) -> None:
    pages = render.Renderer(
        environment(sample.BUILT),
        site=render.Site(),
        viewer=lambda _request: render.ViewerContext(),
        now=lambda: sample.NOW,
    )
    page = pages.error(request("/deals/1"), status, number="E-7")
    assert page.status_code == status
    text = bytes(page.body).decode()
    assert text.count("<h1>") == 1
    assert "E-7" in text
    assert "！" not in text
    fragment = pages.error(request("/deals/1", headers=HTMX), status, text="自己的话")
    assert fragment.headers["HX-Retarget"] == "#live"
    words = bytes(fragment.body).decode()
    assert "自己的话" in words
    assert "<html" not in words


def test_the_frame_shows_what_the_visitor_has() -> None:
    made = environment(sample.BUILT)
    pages = render.Renderer(
        made,
        site=render.Site(icp="渝ICP备00000000号"),
        viewer=lambda _request: render.ViewerContext(),
        now=lambda: sample.NOW,
    )
    answer = pages.error(request("/board"), 404)
    shown = bytes(answer.body).decode()
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert 'href="/login"' in shown
    assert "退出登录" not in shown
    assert "示范数据" not in shown
    assert "渝ICP备00000000号" in shown
    assert 'href="/board" aria-current="page"' in shown
    assert shown.count('role="search"') == 1
    bare = made.from_string('{% extends "base.html" %}{% block find %}{% endblock %}')
    assert 'role="search"' not in bare.render(pages._defaults(request("/")))


def test_a_signed_in_visitor_has_workspace_and_menu(client: TestClient) -> None:
    shown = client.get("/parts").text
    assert re.search(r'href="/parts" aria-current="page">待办 <span class="muted">7</span>', shown)
    assert "示范数据" in shown
    assert "换到示例技术转移" in shown
    assert "换到示范大学一" not in shown
    assert shown.count(f'name="csrf" value="{sample.TOKEN}"') == 3  # switch, leave, the form


def test_a_misspelt_name_in_a_template_fails() -> None:
    with pytest.raises(UndefinedError):
        environment(sample.BUILT).from_string("{{ viewr }}").render()


def test_links_keep_the_search_and_change_one_thing() -> None:
    asked = request("/search", query="q=%E7%84%8A&field=1&field=2&page=3&done=x")
    pages = render.Renderer(
        environment(sample.BUILT),
        site=render.Site(),
        viewer=lambda _request: render.ViewerContext(),
        now=lambda: sample.NOW,
    )
    known = pages._defaults(asked)
    assert known["url_with"](page=4) == "/search?q=%E7%84%8A&field=1&field=2&page=4"
    assert known["url_with"](sort="new") == "/search?q=%E7%84%8A&field=1&field=2&sort=new"
    assert known["url_with"](field=["3"], q=None) == "/search?field=3"
    assert known["url_without"]("field", 2) == "/search?q=%E7%84%8A&field=1"


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("/deals/1?tab=2", "/deals/1?tab=2"),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
        ("///evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/a\nSet-Cookie: b", "/"),
        ("", "/"),
    ],
)
def test_after_signing_in_nobody_is_sent_off_the_site(url: str, safe: str) -> None:
    assert render.safe_next(url) == safe


def test_signing_in_leads_back() -> None:
    answer = render.to_login(request("/deals/1", query="a=b"))
    assert answer.headers["Location"] == "/login?next=/deals/1%3Fa%3Db"
    posted = request(
        "/deals/1/sign", method="POST", headers={"Referer": "http://x.example/deals/1"}
    )
    assert render.to_login(posted).headers["Location"] == "/login?next=/deals/1"


# ---- assets ----


def test_assets_are_named_by_their_hash(tmp_path: Path) -> None:
    assert sample.BUILT.url("main.css") == "/static/main-1b.css"
    with pytest.raises(AssetsNotBuilt, match=r"other\.ts"):
        sample.BUILT.url("other.ts")
    with pytest.raises(AssetsNotBuilt, match=r"run\.py"):
        Assets.load(tmp_path)
    (tmp_path / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(AssetsNotBuilt, match="不完整"):
        Assets.load(tmp_path)


# ---- words ----


def test_the_catalogue_holds_every_word() -> None:
    """After changing words run `python -m frontend.i18n`."""
    wanted = {message.id for message in i18n.extract() if message.id}
    with (i18n.LOCALES / "messages.pot").open("rb") as source:
        kept = {message.id for message in i18n.read_po(source) if message.id}
    sample_words = {"已提交审核", "审核通过后公开，100%可改。"}
    assert kept <= wanted
    assert wanted - kept <= sample_words


def test_another_language_is_a_catalogue_away() -> None:
    with TestClient(sample.site(language="en")) as english:
        page = english.get("/parts").text
    assert '<html lang="en">' in page
    assert "Skip to content" in page
    assert 'aria-label="Page 4"' in page
    assert "已选条件" in page  # not translated yet: stays Chinese
    assert i18n.languages() == ("zh", "en")
    with pytest.raises(LookupError):
        i18n.translations("xx")


# ---- parts ----


def test_every_macro_is_shown_on_the_page_of_parts(client: TestClient) -> None:
    source = (HERE / "parts.html").read_text(encoding="utf-8")
    alias = {"ui": "ui", "rows": "listing", "forms": "forms", "charts": "charts"}
    inside = {"rows.row", "ui.crumbs"}  # called by other macros of the page
    for path in sorted((TEMPLATES / "macros").glob("*.html")):
        for name in re.findall(r"{% macro ([a-z]\w*)\(", path.read_text(encoding="utf-8")):
            used = f"{alias[path.stem]}.{name}(" in source
            assert used or f"{path.stem}.{name}" in inside, f"{path.stem}.{name}"
    page = client.get("/parts").text
    assert "{{" not in page
    assert "None" not in page
    assert page.count("<h1>") == 1
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
