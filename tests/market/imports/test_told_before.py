"""What an import does not guess at, and what it tells before anything is written."""

import pytest

from market.accounts.work import Parts
from market.imports import files_out, flow, reading, repository, service
from market.imports.service import RunView
from market.imports.showing import rows_named
from market.kit import letters
from market.kit.errors import Invalid
from tests import factories
from tests.market.imports.bringing import A, Bringing, counted, lines, table
from tests.support.market import read_for, work_for
from tests.support.sheetfiles import Page, book, rows, shared, strings


@pytest.fixture
def at(parts: Parts) -> Bringing:
    return Bringing(parts, factories.organisation(parts))


def handed_back(at: Bringing, view: RunView) -> bytes:
    with work_for(at.parts, at.editor) as work:
        found = files_out.refused_rows(work, view.run.public_id)
    with found.stream as stream:
        return stream.read()


@pytest.mark.parametrize(
    ("heading", "cell", "reason"),
    [
        ("报价（万元）", '"¥300,000"', "按“¥”是300,000元，按表头是300,000万元"),
        ("报价（万元）", "￥300000", "请写全其中一个"),
        ("报价（万元）", "RMB 30-50", "请写全其中一个"),
        ("报价（万元）", "300000", "确是这么多的，请写成30亿元"),
        ("报价（亿元）", "15", "请写成15亿元"),
        ("报价", "1500000万元", "请写成150亿元"),
    ],
)
def test_a_price_that_may_be_meant_otherwise_is_not_guessed_at(
    at: Bringing, heading: str, cell: str, reason: str
) -> None:
    result = at.bring(table(f"成果名称,{heading}", f"甲,{cell}"), "a.csv")
    assert counted(result) == (0, 0, 0, 1)
    (problem,) = result.problems
    assert (problem.column, reason in problem.reason) == (heading, True), problem.reason


@pytest.mark.parametrize(
    ("heading", "cell", "fen"),
    [
        ("报价（万元）", '"¥300,000元"', 30_000_000),
        ("报价（万元）", "￥30万", 30_000_000),
        ("报价（元）", "¥300000", 30_000_000),
        ("报价（亿元）", "1.5", 15_000_000_000),
        ("报价（万元）", "30亿元", 300_000_000_000),
        ("报价（万元）", "100000", 100_000_000_000),
    ],
)
def test_a_price_that_says_its_unit_is_taken(
    at: Bringing, heading: str, cell: str, fen: int
) -> None:
    content = table(f"编号,成果名称,{heading}", f"1,甲,{cell}")
    assert counted(at.bring(content, "a.csv")) == (1, 0, 0, 0)
    assert at.text(at.stored()["1"]).price.low_fen == fen
    with work_for(at.parts, at.editor) as work:
        out = files_out.export(work, A, "csv")
    with out.stream as stream:
        assert counted(at.bring(stream.read(), "b.csv")) == (0, 0, 1, 0), (
            "an export reads as it was"
        )


def test_options_are_named_where_one_was_not_among_them(at: Bringing) -> None:
    result = at.bring(table("成果名称,合作方式", "甲,免费赠送"), "a.csv")
    reason = result.problems[0].reason
    assert all(one in reason for one in ("普通许可", "作价投资", "现在是“免费赠送”")), reason


@pytest.mark.usefixtures("both_databases")
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_row_refused_as_the_second_stays_refused_until_it_is_mended(
    at: Bringing, name: str
) -> None:
    if name == "a.csv":
        content = table("成果编号,成果名称", "KY-002,好的", "KY-002,重复的")
    else:
        content = lines({"id": "KY-002", "title": "好的"}, {"id": "KY-002", "title": "重复的"})
    first = at.bring(content, name)
    assert counted(first) == (1, 0, 0, 1)
    back = handed_back(at, first)
    again = at.bring(back, name)
    assert counted(again) == (0, 0, 0, 1)
    assert "请删去“原因”里的字" in again.problems[0].reason
    assert counted(at.bring(handed_back(at, again), name)) == (0, 0, 0, 1), "and once more"
    assert at.text(at.stored()["KY-002"]).title == "好的"
    mended = back.replace(b"KY-002", b"KY-003", 1)
    assert counted(at.bring(mended, name)) == (1, 0, 0, 0)
    assert at.stored().keys() == {"KY-002", "KY-003"}


def test_headings_are_taken_for_what_they_are(at: Bringing) -> None:
    header = "序号,项目名称,成果简介及创新点,目前所处阶段,所在学院,负责人,联系人,手机,电话"
    asked = at.ask(table(header, "1,甲,简介,中试,机械学院,乙,丙,13800000000,023"))
    assert asked.state == "ready", asked.run.mapping
    taken = {heading: column for heading, column in asked.run.mapping.items() if column}
    assert taken == {
        "项目名称": "title",
        "成果简介及创新点": "summary",
        "目前所处阶段": "maturity_level",
        "负责人": "completers",
    }


def test_of_two_headings_the_weaker_is_asked_about(at: Bringing) -> None:
    asked = at.ask(table("项目名称（全称）,名称,成果名称", "一,二,三"))
    assert asked.state == "mapping"
    assert asked.run.mapping == {"成果名称": "title"}
    chosen = {"项目名称（全称）": "", "名称": "summary"}
    assert at.mapped(asked, chosen).state == "ready"


@pytest.mark.usefixtures("both_databases")
def test_a_dry_run_lists_what_would_be_updated(at: Bringing) -> None:
    at.bring(table("成果编号,成果名称", "1,旧名", "2,不变"), "a.csv")
    asked = at.ask(table("成果编号,成果名称", "1,新名", "2,不变", "3,另一条"))
    (one,) = asked.updates
    assert (one.row, one.was, one.now) == (2, "旧名", "新名")
    assert one.changes == (("成果名称", "旧名", "新名"),)
    done = at.confirmed(asked)
    assert (counted(done), done.updates) == ((1, 1, 1, 0), ())


def test_a_dry_run_says_which_columns_change_from_what_to_what(at: Bringing) -> None:
    header = "成果编号,成果名称,价格,成熟度,隐去机构名称,详细介绍"
    long = "很长的介绍" * 40
    at.bring(table(header, f"1,检测,80万元,6级,否,{long}末尾甲"), "a.csv")
    asked = at.ask(table(header, f"1,检测,90万元,中试,是,{long}末尾乙"))
    (one,) = asked.updates
    told = {label: (was, now) for label, was, now in one.changes}
    assert told["价格"] == ("80万元", "90万元")
    assert told["隐去机构名称"] == ("否", "是")
    assert "成熟度" not in told, "6级 is 中试"
    (body,) = (pair for pair in told.values() if "末尾" in pair[0])
    assert [text[-1] for text in body] == ["甲", "乙"], "the difference is seen"
    assert max(map(len, body)) <= 62


def test_a_file_that_changes_nothing_waits_for_nobody(at: Bringing) -> None:
    header = "成果编号,成果名称,技术领域"
    good, bad = "1,甲,新材料", "2,乙,玄学"
    at.bring(table(header, good), "a.csv")
    again = at.ask(table(header, good, bad))
    assert counted(again) == (0, 0, 1, 1)
    assert again.changes_nothing
    assert at.notices(waits=True) == []
    assert [one.row for one in again.problems] == [3], "to be mended and sent"
    refused = at.ask(table(header, bad))
    assert refused.state == "ready", "what its headings mean may still be mended"
    assert refused.counts == {"created": 0, "updated": 0, "unchanged": 0, "refused": 1}


def test_what_is_wrong_with_many_rows_alike_is_told_once(at: Bringing) -> None:
    rows = [f"{n},第{n}项,{'玄学' if n in (2, 3, 4, 7) else '新材料'}" for n in range(1, 9)]
    asked = at.ask(table("成果编号,成果名称,技术领域", *rows))
    (one,) = asked.alike
    assert rows_named(one.rows) == "第3～5、8行，共4行"
    assert "5 新材料及其应用" in one.reason, "all fields are listed"
    assert rows_named(range(1, 40, 2)) == "第1、3、5、7、9、11、13、15…行，共20行"
    assert rows_named([4]) == "第4行"


def test_all_that_is_unsaid_of_headings_is_told_at_once(at: Bringing) -> None:
    asked = at.ask(table("列甲,列乙,列丙", "一,二,三"))
    with pytest.raises(Invalid) as refused:
        at.mapped(asked, {"列丙": "advantage"})
    said = refused.value.fields["mapping"]
    assert "“列甲”“列乙”还没有说明，请各选一列" in said
    assert "要有一个表头对应“成果名称”" in said


@pytest.mark.parametrize("heading", ["拟转让方式", "合作模式", "转化方式", "合作意向"])
def test_ways_of_working_together_are_known_by_many_names(at: Bringing, heading: str) -> None:
    asked = at.ask(table(f"成果名称,{heading}", "甲,独占许可"))
    assert asked.run.mapping[heading] == "modes"


@pytest.mark.usefixtures("both_databases")
@pytest.mark.parametrize("updated_first", [False, True])
def test_imports_are_undone_one_after_the_other(at: Bringing, updated_first: bool) -> None:
    if updated_first:
        at.bring(lines({"id": "1", "title": "最早"}))
    first = at.bring(lines({"id": "1", "title": "甲"}))
    second = at.bring(lines({"id": "1", "title": "乙"}))
    assert at.undone(second).state == "undone"
    assert at.text(at.stored()["1"]).title == "甲"
    view = at.undone(first)
    assert (view.state, [one.kept for one in view.kept]) == ("undone", [])
    if updated_first:
        assert at.text(at.stored()["1"]).title == "最早"
    else:
        assert at.stored() == {}


@pytest.mark.parametrize("ask", [False, True])
@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'{"title":\n{"title":\n', "这一行读不出来"),
        (b'{"a":NaN}\n', "NaN不是JSON的数"),
        (b'{"a":' * 40 + b"1" + b"}" * 40 + b"\n", "超过32层"),
    ],
)
def test_where_no_row_can_be_read_the_first_one_says_why(
    at: Bringing, content: bytes, why: str, *, ask: bool
) -> None:
    view = at.view(at.start(content, "a.jsonl", ask=ask))
    at.settle()
    view = at.view(view.run)
    assert view.state == "refused"
    assert "没有一行能读" in view.run.problem
    assert why in view.run.problem


def test_a_file_of_long_cells_is_shown_and_tried_in_little(at: Bringing) -> None:
    """A few KB may stand for many characters: once every one of them was looked at for a sample."""
    width, count = 300, 3
    text = "A" * 3_000
    head = ["成果名称", *(f"列{n}" for n in range(1, width))]
    body = [[shared(0)] * width] * count
    content = book(Page(rows(head, *body)), texts=strings(f"<t>{text}</t>"))
    view = at.ask(content, "a.xlsx")
    assert view.state == "mapping"
    looked, told = 0, letters.is_storable

    def counted_letter(one: str) -> bool:
        nonlocal looked
        looked += 1
        return told(one)

    with read_for(at.parts, at.editor) as work, pytest.MonkeyPatch.context() as patched:
        patched.setattr(flow.letters, "is_storable", counted_letter)
        found = service.mapped(work, view.run)
    assert found.headings[1][2] == text[:60]
    assert looked <= width * count * 60


def test_rows_are_fetched_by_their_bytes_too(at: Bringing) -> None:
    wide = table("成果名称,介绍", *(f"第{n}项,{'长' * 19_000}" for n in range(300)))
    view = at.ask(wide)
    sha256, offset, sizes = "", 0, []
    with at.parts.database.read() as session:
        sha256 = repository.rows_file(session, view.run).sha256
    while some := reading.rows(at.parts.files, sha256, offset, 500):
        sizes.append(some[-1].end - offset)
        offset = some[-1].end
    assert max(sizes) < 2 * reading.AT_ONCE
    assert len(sizes) > 2
    assert view.run.rows == 300
