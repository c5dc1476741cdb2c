"""The parts in a real browser: what scripts add, and that nothing needs them."""

import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect

from frontend.assets import Assets
from tests.frontend import sample
from tests.support.browser import DESKTOP, PHONE, axe_violations, sideways_scroll


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A site of the parts with the built scripts and styles."""
    app = sample.site(Assets.load())
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(app, log_level="warning", ws="none", lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture
def parts(page: Page, address: str) -> Iterator[Page]:
    """The page of parts; whatever the browser complains about fails the test."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda said: complaints.append(said.text) if "Content Security Policy" in said.text else 0,
    )
    page.goto(f"{address}/parts")
    yield page
    assert complaints == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_parts_are_accessible_and_fit(
    parts: Page, size: dict[str, int], scheme: str, address: str
) -> None:
    parts.set_viewport_size({"width": size["width"], "height": size["height"]})
    # without transitions, or axe measures a colour half way
    parts.emulate_media(
        color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce"
    )
    assert axe_violations(parts) == []
    assert sideways_scroll(parts) == 0
    if size is PHONE:
        parts.goto(f"{address}/parts#facets")
        expect(parts.get_by_role("button", name="应用筛选")).to_be_in_viewport()
        assert axe_violations(parts) == []


def test_a_refused_form_moves_the_focus_to_what_is_to_mend(parts: Page) -> None:
    parts.fill("#deadline", "十一月")
    parts.get_by_role("button", name="提交审核").click()
    expect(parts.get_by_role("alert")).to_be_focused()
    expect(parts.locator("#deadline")).to_have_value("十一月")
    assert axe_violations(parts) == []
    parts.get_by_role("link", name="截止日期应写成").click()
    assert parts.evaluate("location.hash") == "#deadline"


def test_a_form_is_sent_once(parts: Page) -> None:
    posts: list[str] = []
    parts.on("request", lambda sent: posts.append(sent.url) if sent.method == "POST" else None)
    parts.fill("#title", "车架焊缝在线检测")
    parts.evaluate(
        """() => { const form = document.getElementById("form");
           form.requestSubmit(); form.requestSubmit(); }"""
    )
    expect(parts.get_by_role("alert")).to_be_visible()  # no field chosen: the form again
    assert len(posts) == 1
    parts.go_back()
    expect(parts.get_by_role("button", name="提交审核")).to_be_enabled()


def test_a_dialog_opens_as_a_modal_and_closes(parts: Page) -> None:
    dialog = parts.get_by_role("dialog", name="终止公示？")
    parts.get_by_role("link", name="终止公示…").click()
    expect(dialog).to_be_visible()
    assert parts.evaluate("document.querySelector('dialog').matches(':modal')")
    assert axe_violations(parts) == []
    dialog.get_by_role("link", name="不终止").click()
    expect(dialog).to_be_hidden()


def test_the_account_menu_closes_when_one_goes_on(parts: Page) -> None:
    leave = parts.get_by_role("button", name="退出登录")
    summary = parts.get_by_text("周示例", exact=True)
    summary.click()
    expect(leave).to_be_visible()
    assert axe_violations(parts) == []
    leave.focus()
    parts.keyboard.press("Escape")
    expect(leave).to_be_hidden()
    expect(summary).to_be_focused()
    summary.click()
    parts.get_by_role("heading", level=1).click()
    expect(leave).to_be_hidden()


def test_print_shows_when_and_no_controls(parts: Page) -> None:
    parts.emulate_media(media="print")
    expect(parts.get_by_text("智核，2026-11-20 10:15 时的内容")).to_be_visible()
    expect(parts.get_by_role("button", name="提交审核")).to_be_hidden()


def test_suggestions_wait_for_the_word_and_follow_the_keyboard(parts: Page) -> None:
    """Pinyin on its way sends nothing; the finished word sends one request."""
    asked: list[str] = []
    parts.on("request", lambda sent: asked.append(sent.url) if "suggest" in sent.url else None)
    box = parts.get_by_role("combobox", name="搜索成果、需求")
    box.focus()
    keys = parts.context.new_cdp_session(parts)
    for text in ("h", "ha", "han", "hanf"):
        keys.send(
            "Input.imeSetComposition",
            {"text": text, "selectionStart": len(text), "selectionEnd": len(text)},
        )
    parts.wait_for_timeout(600)
    assert asked == []
    keys.send("Input.insertText", {"text": "焊缝"})
    option = parts.get_by_role("option", name="焊缝检测")
    expect(option).to_be_visible()
    assert len(asked) == 1
    assert axe_violations(parts) == []
    box.press("ArrowDown")
    expect(option).to_have_attribute("aria-selected", "true")
    box.press("ArrowUp")
    box.press("ArrowUp")
    expect(parts.get_by_role("option", name="焊缝机器人")).to_have_attribute(
        "aria-selected", "true"
    )
    box.press("Escape")
    expect(option).to_be_hidden()
    box.press_sequentially("网")
    expect(option).to_be_hidden()
    expect(parts.get_by_role("option", name="焊缝网检测")).to_be_visible()
    box.press("ArrowDown")
    box.press("Enter")
    parts.wait_for_url("**/parts?chosen=1")


def test_a_failed_fragment_says_so_where_the_reader_is(parts: Page) -> None:
    parts.route("**/search/suggest**", lambda route: route.abort())
    parts.get_by_role("combobox", name="搜索成果").fill("焊缝")
    expect(parts.locator("#live")).to_contain_text("没有连上服务器")


def test_everything_works_without_script(browser: Browser, address: str) -> None:
    with browser.new_context(java_script_enabled=False, locale="zh-CN") as context:
        page = context.new_page()
        page.goto(f"{address}/parts")
        page.get_by_role("link", name="终止公示…").click()
        expect(page.get_by_role("heading", name="终止公示？")).to_be_visible()
        page.get_by_role("link", name="不终止").click()
        page.fill("#title", "车架焊缝在线检测")
        page.select_option("#field", "1")
        page.get_by_role("button", name="提交审核").click()
        page.wait_for_url("**done=sample-posted*")
        expect(page.get_by_text("已提交审核")).to_be_visible()
