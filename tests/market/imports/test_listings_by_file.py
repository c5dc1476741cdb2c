"""What a file becomes, row by row, and that doing it again changes nothing."""

import dataclasses
import io
import tracemalloc

import pytest
from sqlmodel import col, select, update

from market.accounts.work import Parts
from market.catalog import drafts, publishing, views
from market.catalog.models import Listing, ListingRevision, Review
from market.catalog.schemas import AchievementText, DemandText, Price
from market.catalog.vocabulary import Mode, PriceForm
from market.imports import flow, running, service, tasks
from market.imports.models import RunRow
from market.kit.changes import Consumer
from market.kit.errors import Invalid
from market.kit.jobs import Job, JobState, Runner
from tests import factories
from tests.market.catalog.texts import ACHIEVEMENT, edited, editor
from tests.market.imports.bringing import Bringing, D, counted, lines
from tests.support.deliveries import backlog
from tests.support.market import work_for


@pytest.fixture
def at(parts: Parts) -> Bringing:
    return Bringing(parts, factories.organisation(parts))


@pytest.mark.usefixtures("both_databases")
def test_the_same_file_again_changes_nothing(parts: Parts, at: Bringing) -> None:
    content = lines(
        {"id": "1", "title": "同名成果", "content": "甲的说明"},
        {"id": "2", "title": "同名成果", "content": "乙的说明"},
        {"id": "3", "title": ""},
        {"title": "没有编号的"},
        {"id": "1", "title": "编号重复"},
        {"title": "没有编号的"},
    )
    result = at.bring(content)
    assert counted(result) == (3, 0, 0, 3)
    assert [(one.row, one.column) for one in result.problems] == [(3, "title"), (5, "id"), (6, "")]
    assert "第1行" in result.problems[1].reason
    before = at.stored()
    assert {one.number for one in before.values()} == {f"A-2026-0000{n}" for n in (1, 2, 3)}
    with parts.database.read() as session:
        assert backlog(session, Consumer.INDEX) == 3
        assert len(views.document_source(session, [one.id for one in before.values()])) == 3

    assert counted(at.bring(content)) == (0, 0, 3, 3)
    after = at.stored()
    assert {k: v.working_revision_id for k, v in after.items()} == {
        k: v.working_revision_id for k, v in before.items()
    }
    with parts.database.read() as session:
        assert backlog(session, Consumer.INDEX) == 3


@pytest.mark.usefixtures("both_databases")
def test_a_changed_row_is_a_new_revision_of_what_the_file_has(parts: Parts, at: Bringing) -> None:
    at.bring(lines({"id": "1", "title": "旧名", "content": "说明"}, {"id": "2", "title": "别的"}))
    listing = at.stored()["1"]
    who = at.editor
    with work_for(parts, who) as work:
        form = edited(ACHIEVEMENT, 1, title="旧名", body="说明", own_number="1")
        drafts.edit(work, listing.public_id, form)
    # What people filled in stays: the file has no such columns.
    changed = at.bring(lines({"id": "1", "title": "新名", "content": "说明"}), publish=False)
    assert counted(changed) == (0, 1, 0, 0)
    now = at.text(at.stored()["1"])
    assert isinstance(now, AchievementText)
    assert (now.title, now.maturity_level, now.price.low_fen) == ("新名", 7, 80_000_000)
    assert at.stored()["1"].review_state == "submitted"
    with parts.database.read() as session:
        source = views.published_listing(session, listing.public_id)
        assert source is not None
        assert source.text.title == "旧名"
    # A second change while the first waits replaces it; one review is open.
    assert counted(at.bring(lines({"id": "1", "title": "再新"}), publish=False)) == (0, 1, 0, 0)
    with parts.database.read() as session:
        states = session.exec(select(Review.state).order_by(col(Review.id))).all()
    assert states == ["draft", "submitted"]
    assert counted(at.bring(lines({"id": "1", "title": "三新"}))) == (0, 1, 0, 0)
    last = at.stored()["1"]
    assert (last.state, last.review_state, last.number) == (
        "published",
        "approved",
        listing.number,
    )
    assert last.public_revision_id == last.working_revision_id


def test_a_person_s_edit_outlives_the_unchanged_row(parts: Parts, at: Bringing) -> None:
    content = lines({"id": "1", "title": "文件里的名称"})
    at.bring(content)
    listing = at.stored()["1"]
    with work_for(parts, at.editor) as work:
        form = edited(ACHIEVEMENT, 1, title="人改的名称", own_number="1")
        drafts.edit(work, listing.public_id, form)
    assert counted(at.bring(content)) == (0, 0, 1, 0)
    assert at.text(at.stored()["1"]).title == "人改的名称"


def test_what_was_withdrawn_stays_withdrawn(parts: Parts, at: Bringing) -> None:
    at.bring(lines({"id": "1", "title": "甲"}))
    with work_for(parts, at.editor) as work:
        publishing.withdraw(work, at.stored()["1"].public_id)
    assert counted(at.bring(lines({"id": "1", "title": "甲改"}))) == (0, 1, 0, 0)
    now = at.stored()["1"]
    assert (now.state, now.review_state, at.text(now).title) == ("withdrawn", "draft", "甲改")


def test_rows_are_handed_in_unless_the_bureau_gave_leave(parts: Parts, at: Bringing) -> None:
    at.bring(lines({"id": "1", "title": "甲"}), publish=False)
    assert (at.stored()["1"].state, at.stored()["1"].number) == ("private", None)
    assert at.count(Review) == 1
    trusted = factories.organisation(parts, self_publish=True)
    with work_for(parts, editor(parts, trusted)) as work:
        content = io.BytesIO(lines({"id": "9", "title": "乙"}))
        received = service.receive(parts.files, "d.jsonl", content)
        service.start_own(work, D, received, ask=False)
    at.settle()
    assert (at.stored()["9"].state, at.stored()["9"].number) == ("published", "D-2026-00001")


def test_masking_by_file_takes_effect_on_what_is_public(parts: Parts, at: Bringing) -> None:
    at.bring(lines({"id": "1", "title": "甲"}))
    masked = lines({"id": "1", "title": "甲", "masked": True})
    assert counted(at.bring(masked, publish=False)) == (0, 1, 0, 0)
    assert at.stored()["1"].masked
    assert at.count(ListingRevision) == 1
    with parts.database.read() as session:
        assert backlog(session, Consumer.INDEX) == 2
    both = lines({"id": "1", "title": "甲二", "masked": False})
    assert counted(at.bring(both)) == (0, 1, 0, 0)
    with parts.database.read() as session:
        assert backlog(session, Consumer.INDEX) == 3


@pytest.mark.usefixtures("both_databases")
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_table_is_read_as_people_write_it(parts: Parts, at: Bringing, encoding: str) -> None:
    table = (
        "编号,成果名称,详细说明,关键词,技术领域,地区,合作方式,价格（万元）,成熟度,隐去机构名称,备注\r\n"
        'K-1,焊缝检测,"第一行\r\n第二行，含""引号""",焊缝、视觉；相机,先进制造技术,沙坪坝区,'
        "普通许可，合作开发,50～80.5,７级,是,x\r\n"
        ",,,,,,,,,,\r\n"
        "K-2,电池,,,5,500000,,面议,,否,\r\n"
    ).encode(encoding)
    result = at.bring(table, "成果.CSV")
    assert counted(result) == (2, 0, 0, 0)
    assert result.run.unknown == ["备注"]
    first, second = at.stored()["K-1"], at.stored()["K-2"]
    one = at.text(first)
    assert isinstance(one, AchievementText)
    assert one.body == '第一行\n第二行，含"引号"'
    assert (one.keywords, one.field, one.region) == (["焊缝", "视觉", "相机"], 3, "500106")
    assert one.modes == [Mode.PLAIN, Mode.JOINT]
    assert one.price == Price(form=PriceForm.RANGE, low_fen=50_000_000, high_fen=80_500_000)
    assert (one.maturity_level, first.masked, second.masked) == (7, True, False)
    assert at.text(second).field == 5
    assert counted(at.bring(table, "成果.CSV")) == (0, 0, 2, 0)


@pytest.mark.parametrize(
    ("cell", "price"),
    [
        ("80万元", Price(form="fixed", low_fen=80_000_000, high_fen=80_000_000)),
        ("8,600元", Price(form="fixed", low_fen=860_000, high_fen=860_000)),
        ("80万元起", Price(form="from", low_fen=80_000_000)),
        ("40万以内", Price(form="up_to", high_fen=40_000_000)),
        ("45万元/年", Price(form="fixed", basis="year", low_fen=45_000_000, high_fen=45_000_000)),
        ("50-80万元", Price(form="range", low_fen=50_000_000, high_fen=80_000_000)),
        ("面议", Price()),
        ("", Price()),
    ],
)
def test_prices_in_cells(parts: Parts, at: Bringing, cell: str, price: Price) -> None:
    result = at.bring(f'编号,名称,预算\n1,求检测,"{cell}"\n'.encode(), "d.csv", D)
    assert [one.reason for one in result.problems] == []
    assert at.text(at.stored()["1"]).price == Price.model_validate(price.model_dump())


@pytest.mark.parametrize(
    ("column", "cell", "words"),
    [
        ("预算", "80", "写明单位"),
        ("预算", "很便宜", "80万元"),
        ("预算（万元）", "80～50", "低于下限"),
        ("预算（万元）", "1e3", "80万元"),
        ("成熟度要求", "成熟", "1到9"),
        ("成熟度要求", "10", "不大于9"),
        ("技术领域", "玄学", "11个技术领域"),
        ("地区", "火星", "六位"),
        ("合作方式", "赠送", "选项"),
        ("截止日期", "下个月", "2026-11-20"),
        ("截止日期", "2026-02-30", "2026-11-20"),
        ("隐去机构名称", "也许", "是"),
        ("关键词", "、".join("词" * n for n in range(1, 12)), "最多"),
        ("关键词", "字" * 31, "最多30个字"),
        ("需求说明", "字" * 10_001, "最多10000个字"),
        ("编号", "9" * 81, "最多80个字"),
        ("需求名称", "题" * 201, "最多200个字"),
        ("需求名称", " ", "不能是空的"),
    ],
)
def test_a_wrong_cell_is_named_and_the_rest_comes_in(
    parts: Parts, at: Bringing, column: str, cell: str, words: str
) -> None:
    header = dict.fromkeys(["需求名称", "编号", column])
    wrong = {"需求名称": "求检测", "编号": "2"} | {column: cell}
    table = ",".join(header) + "\n"
    table += "好的,1" + "," * (len(header) - 2) + "\n"
    table += ",".join(f'"{wrong[name]}"' for name in header) + "\n"
    result = at.bring(table.encode(), "d.csv", D)
    assert counted(result) == (1, 0, 0, 1)
    assert [(one.row, one.column) for one in result.problems] == [(3, column)]
    assert words in result.problems[0].reason


@pytest.mark.parametrize("day", ["2027-6-3", "2027/06/03", "2027年6月3日", "2027.6.3"])
def test_days_in_cells(parts: Parts, at: Bringing, day: str) -> None:
    at.bring(f"编号,名称,截止日期\n1,求检测,{day}\n".encode(), "d.csv", D)
    demand = at.text(at.stored()["1"])
    assert isinstance(demand, DemandText)
    assert str(demand.deadline) == "2027-06-03"


def test_bad_lines_are_named_and_the_rest_comes_in(parts: Parts, at: Bringing) -> None:
    content = b"\n".join(
        [
            b'\xef\xbb\xbf{"id": 7, "title": "first"}',
            b"not json",
            b"[1]",
            b"",
            b"[" * 50_000,
            b'{"id": "1", "title": 5}',
            b'{"id": "2", "title": "x", "price": {"form": "from", "low_fen": NaN}}',
            b'{"id": "3", "title": "\\ud800"}',
            b'{"id": "4", "title": "nul \\u0000"}',
            b'{"id": "5", "title": "' + b"x" * 1_100_000 + b'"}',
            b'{"id": "6", "title": "last", "price": {"form": "from", "low_fen": 5}}',
        ]
    )
    result = at.bring(content)
    assert counted(result) == (2, 0, 0, 8)
    assert [one.row for one in result.problems] == [2, 3, 5, 6, 7, 8, 9, 10]
    assert at.stored().keys() == {"7", "6"}


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.xlsx", b"PK\x03\x04", "Excel"),
        ("a.csv", "编号,单位\n1,2\n".encode(), "要有“成果名称”一列"),
        ("a.csv", "名称,标题\n1,2\n".encode(), "同一个意思"),
        ("a.jsonl", '{"title": "甲"}\n'.encode() * 200_001, "200,000"),
    ],
)
def test_a_file_that_cannot_be_taken_is_refused_whole(
    at: Bringing, name: str, content: bytes, words: str
) -> None:
    result = at.bring(content, name)
    assert (result.state, result.finished) == ("refused", True)
    assert words in result.run.problem
    assert at.count(Listing) == 0


@pytest.mark.parametrize(
    ("name", "content", "words"), [("a.pdf", b"%PDF", "xlsx"), ("a.csv", b"", "空的")]
)
def test_what_is_no_table_is_refused_at_once(
    at: Bringing, name: str, content: bytes, words: str
) -> None:
    with pytest.raises(Invalid) as refused:
        at.start(content, name)
    assert words in refused.value.fields["file"]


def test_a_number_met_again_chunks_later_is_refused(parts: Parts, at: Bringing) -> None:
    size = running.CHUNK_ROWS
    content = lines(
        *({"id": str(n), "title": f"成果{n}"} for n in range(size)),
        {"id": "0", "title": "又是第一个"},
        *({"id": str(n), "title": f"成果{n}"} for n in range(size, 2 * size)),
    )
    result = at.bring(content)
    assert counted(result) == (2 * size, 0, 0, 1)
    assert [(one.row, one.column) for one in result.problems] == [(size + 1, "id")]
    assert "第1行" in result.problems[0].reason


@pytest.mark.usefixtures("both_databases")
@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
def test_a_killed_job_goes_on_where_it_stood(parts: Parts, at: Bringing, name: str) -> None:
    total = 2 * running.CHUNK_ROWS + 5
    content = (
        lines(*({"id": str(n), "title": f"成果{n}"} for n in range(total)))
        if name == "a.jsonl"
        else (
            "编号,名称,正文\n" + "".join(f'{n},成果{n},"两\n行"\n' for n in range(total))
        ).encode()
    )
    run = at.start(content, name)
    steps = dict(tasks.handlers(parts))
    chunks = 0

    def killed_once(session, job, prepared):
        nonlocal chunks
        chunks += 1
        chunk = steps[flow.BRING].commit(session, job, prepared)
        if chunks == 3:
            raise RuntimeError
        return chunk

    broken = dataclasses.replace(steps[flow.BRING], commit=killed_once)
    runner = Runner(parts.database, parts.clock, steps | {flow.BRING: broken}, turn=60)
    assert runner.run_one()
    assert runner.run_one()
    assert at.view(run).done == running.CHUNK_ROWS
    parts.clock.advance(seconds=30)
    assert runner.run_one()
    assert counted(at.view(run)) == (total, 0, 0, 0)
    assert at.count(Listing) == total
    assert at.count(RunRow) == total


def test_a_job_that_was_given_up_is_told_and_may_be_tried_again(parts: Parts, at: Bringing) -> None:
    run = at.start(lines({"id": "1", "title": "甲"}), ask=True)
    steps = dict(tasks.handlers(parts))

    def broken(_job):
        raise RuntimeError

    read = dataclasses.replace(steps[flow.READ], prepare=broken)
    runner = Runner(parts.database, parts.clock, steps | {flow.READ: read})
    while runner.run_one():
        parts.clock.advance(hours=1)
    result = at.view(run)
    assert (result.state, result.finished) == ("failed", True)
    assert "再导入一次" in result.run.problem
    assert at.notices() == ["导入“a.jsonl”没有完成"]
    with parts.database.write() as session:
        session.exec(update(Job).values(state=JobState.WAITING, attempts=0))
    at.settle()
    assert at.view(run).state == "ready"


def test_memory_stays_flat_however_long_the_file(at: Bringing) -> None:
    long = "字" * 3000
    content = lines(*({"id": str(n), "title": f"成果{n}", "content": long} for n in range(3000)))
    assert len(content) > 25_000_000
    run = at.start(content)
    del content
    tracemalloc.start()
    at.settle()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert counted(at.view(run)) == (3000, 0, 0, 0)
    assert most < 20_000_000


@pytest.mark.usefixtures("both_databases")
@pytest.mark.parametrize("apart", [0, running.CHUNK_ROWS])
@pytest.mark.parametrize("turned", [False, True])
def test_a_listing_named_two_ways_is_taken_once(at: Bringing, apart: int, turned: bool) -> None:
    at.bring(lines({"id": "X", "title": "原名"}))
    named = at.stored()["X"]
    two = [{"reference": named.public_id, "title": "甲名"}, {"id": "X", "title": "乙名"}]
    first, second = reversed(two) if turned else two
    between = [{"id": str(n), "title": f"成果{n}"} for n in range(apart)]
    content = lines(first, *between, second, {"id": "最后", "title": "其余"})
    asked = at.ask(content, "a.jsonl")
    assert asked.run.checked["refused"] == 1, "the dry run says the same"
    result = at.bring(content)
    assert counted(result) == (apart + 1, 1, 0, 1)
    (problem,) = result.problems
    assert (problem.row, "与第1行是同一条" in problem.reason) == (apart + 2, True)
    assert at.text(at.stored()["X"]).title == first["title"]
    assert "最后" in at.stored()


@pytest.mark.usefixtures("both_databases")
def test_one_number_is_not_given_to_two(at: Bringing) -> None:
    at.bring(lines({"id": "X", "title": "甲"}, {"id": "Y", "title": "乙"}))
    ids = [at.stored()[one].public_id for one in ("X", "Y")]
    rows = [{"reference": one, "id": "Z", "title": "改"} for one in ids]
    result = at.bring(lines(*rows))
    assert counted(result) == (0, 1, 0, 1)
    assert "已是另一条的编号" in result.problems[0].reason
    assert at.stored().keys() == {"Z", "Y"}
