"""Imports: what a file becomes, row by row, and that doing it again changes nothing."""

import io
import json
import tracemalloc
from collections.abc import Callable

import pytest
from sqlalchemy import func
from sqlmodel import col, select

from market.accounts.models import Organisation
from market.accounts.policy import Role
from market.accounts.work import Parts
from market.catalog import drafts, imports, publishing, repository_imports, rows, tasks, views
from market.catalog.imports import ImportResult
from market.catalog.models import Listing, ListingRevision, Review
from market.catalog.repository import revisions
from market.catalog.schemas import AchievementText, DemandText, Price
from market.catalog.texts import Text, text_of
from market.catalog.vocabulary import ListingKind, Mode, PriceForm
from market.kit.changes import Consumer, backlog
from market.kit.errors import Invalid
from market.kit.jobs import Job, Runner
from tests import factories
from tests.market.catalog.texts import ACHIEVEMENT, edited, editor
from tests.support.market import work_for

A, D = ListingKind.ACHIEVEMENT, ListingKind.DEMAND


def lines(*objects: object) -> bytes:
    return b"".join(json.dumps(one, ensure_ascii=False).encode() + b"\n" for one in objects)


@pytest.fixture
def home(parts: Parts) -> Organisation:
    return factories.organisation(parts)


@pytest.fixture
def bring(parts: Parts, home: Organisation) -> Callable[..., ImportResult]:
    """`bring(content, name=, kind=, publish=)`: an operator's import, run to its end."""
    operator = factories.actor(parts, Role.OPERATOR)

    def run(
        content: bytes, name: str = "a.jsonl", kind: ListingKind = A, *, publish: bool = True
    ) -> ImportResult:
        with work_for(parts, operator) as work:
            started = imports.start_import(
                work, home.id, kind, io.BytesIO(content), name, publish=publish
            )
        assert Runner(parts.database, parts.clock, tasks.handlers(parts)).run_one()
        with parts.database.read() as session:
            row = repository_imports.run_by_public_id(session, started.public_id)
            assert row is not None
            return imports.import_result(session, row)

    return run


def counted(result: ImportResult) -> tuple[int, int, int, int]:
    assert result.state == "done"
    assert result.done == result.rows
    return result.created, result.updated, result.unchanged, result.refused


def stored(parts: Parts) -> dict[str | None, Listing]:
    with parts.database.read() as session:
        return {row.own_number: row for row in session.exec(select(Listing))}


def text(parts: Parts, listing: Listing) -> Text:
    with parts.database.read() as session:
        (found,) = revisions(session, [listing.working_revision_id]).values()
        return text_of(*found)


def count(parts: Parts, model: type) -> int:
    with parts.database.read() as session:
        return session.exec(select(func.count()).select_from(model)).one()


@pytest.mark.usefixtures("both_databases")
def test_the_same_file_again_changes_nothing(
    parts: Parts, bring: Callable[..., ImportResult]
) -> None:
    content = lines(
        {"id": "1", "title": "同名成果", "content": "甲的说明"},
        {"id": "2", "title": "同名成果", "content": "乙的说明"},
        {"id": "3", "title": ""},
        {"title": "没有编号的"},
        {"id": "1", "title": "编号重复"},
        {"title": "没有编号的"},
    )
    result = bring(content)
    assert counted(result) == (3, 0, 0, 3)
    assert [(one.row, one.column) for one in result.errors] == [(3, "title"), (5, "id"), (6, "")]
    assert "第1行" in result.errors[1].reason
    before = stored(parts)
    assert {one.number for one in before.values()} == {f"A-2026-0000{n}" for n in (1, 2, 3)}
    with parts.database.read() as session:
        assert backlog(session, Consumer.INDEX) == 3
        assert len(views.document_source(session, [one.id for one in before.values()])) == 3

    assert counted(bring(content)) == (0, 0, 3, 3)
    after = stored(parts)
    assert {k: v.working_revision_id for k, v in after.items()} == {
        k: v.working_revision_id for k, v in before.items()
    }
    with parts.database.read() as session:
        assert backlog(session, Consumer.INDEX) == 3


@pytest.mark.usefixtures("both_databases")
def test_a_changed_row_is_a_new_revision_of_what_the_file_has(
    parts: Parts, home: Organisation, bring: Callable[..., ImportResult]
) -> None:
    bring(lines({"id": "1", "title": "旧名", "content": "说明"}, {"id": "2", "title": "别的"}))
    listing = stored(parts)["1"]
    who = editor(parts, home)
    with work_for(parts, who) as work:
        form = edited(ACHIEVEMENT, 1, title="旧名", body="说明", own_number="1")
        drafts.edit(work, listing.public_id, form)
    # What people filled in stays: the file has no such columns.
    changed = bring(lines({"id": "1", "title": "新名", "content": "说明"}), publish=False)
    assert counted(changed) == (0, 1, 0, 0)
    now = text(parts, stored(parts)["1"])
    assert isinstance(now, AchievementText)
    assert (now.title, now.maturity_level, now.price.low_fen) == ("新名", 7, 80_000_000)
    assert stored(parts)["1"].review_state == "submitted"
    with parts.database.read() as session:
        source = views.published_listing(session, listing.public_id)
        assert source is not None
        assert source.text.title == "旧名"
    # A second change while the first waits replaces it; one review is open.
    assert counted(bring(lines({"id": "1", "title": "再新"}), publish=False)) == (0, 1, 0, 0)
    with parts.database.read() as session:
        states = session.exec(select(Review.state).order_by(col(Review.id))).all()
    assert states == ["draft", "submitted"]
    assert counted(bring(lines({"id": "1", "title": "三新"}))) == (0, 1, 0, 0)
    last = stored(parts)["1"]
    assert (last.state, last.review_state, last.number) == (
        "published",
        "approved",
        listing.number,
    )
    assert last.public_revision_id == last.working_revision_id


def test_a_person_s_edit_outlives_the_unchanged_row(
    parts: Parts, home: Organisation, bring: Callable[..., ImportResult]
) -> None:
    content = lines({"id": "1", "title": "文件里的名称"})
    bring(content)
    listing = stored(parts)["1"]
    with work_for(parts, editor(parts, home)) as work:
        form = edited(ACHIEVEMENT, 1, title="人改的名称", own_number="1")
        drafts.edit(work, listing.public_id, form)
    assert counted(bring(content)) == (0, 0, 1, 0)
    assert text(parts, stored(parts)["1"]).title == "人改的名称"


def test_what_was_withdrawn_stays_withdrawn(
    parts: Parts, home: Organisation, bring: Callable[..., ImportResult]
) -> None:
    bring(lines({"id": "1", "title": "甲"}))
    with work_for(parts, editor(parts, home)) as work:
        publishing.withdraw(work, stored(parts)["1"].public_id)
    assert counted(bring(lines({"id": "1", "title": "甲改"}))) == (0, 1, 0, 0)
    now = stored(parts)["1"]
    assert (now.state, now.review_state, text(parts, now).title) == ("withdrawn", "draft", "甲改")


def test_rows_are_handed_in_unless_the_bureau_gave_leave(
    parts: Parts, bring: Callable[..., ImportResult]
) -> None:
    bring(lines({"id": "1", "title": "甲"}), publish=False)
    assert (stored(parts)["1"].state, stored(parts)["1"].number) == ("private", None)
    assert count(parts, Review) == 1
    trusted = factories.organisation(parts, self_publish=True)
    with work_for(parts, editor(parts, trusted)) as work:
        imports.import_own(work, D, "d.jsonl", io.BytesIO(lines({"id": "9", "title": "乙"})))
    assert Runner(parts.database, parts.clock, tasks.handlers(parts)).run_one()
    assert (stored(parts)["9"].state, stored(parts)["9"].number) == ("published", "D-2026-00001")


def test_masking_by_file_takes_effect_on_what_is_public(
    parts: Parts, bring: Callable[..., ImportResult]
) -> None:
    bring(lines({"id": "1", "title": "甲"}))
    masked = lines({"id": "1", "title": "甲", "masked": True})
    assert counted(bring(masked, publish=False)) == (0, 1, 0, 0)
    assert stored(parts)["1"].masked
    assert count(parts, ListingRevision) == 1
    with parts.database.read() as session:
        assert backlog(session, Consumer.INDEX) == 2
    both = lines({"id": "1", "title": "甲二", "masked": False})
    assert counted(bring(both)) == (0, 1, 0, 0)
    with parts.database.read() as session:
        assert backlog(session, Consumer.INDEX) == 3


@pytest.mark.usefixtures("both_databases")
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_table_is_read_as_people_write_it(
    parts: Parts, bring: Callable[..., ImportResult], encoding: str
) -> None:
    table = (
        "编号,成果名称,详细说明,关键词,技术领域,地区,合作方式,价格（万元）,成熟度,隐去机构名称,备注\r\n"
        'K-1,焊缝检测,"第一行\r\n第二行，含""引号""",焊缝、视觉；相机,先进制造技术,沙坪坝区,'
        "普通许可，合作开发,50～80.5,７级,是,x\r\n"
        ",,,,,,,,,,\r\n"
        "K-2,电池,,,5,500000,,面议,,否,\r\n"
    ).encode(encoding)
    result = bring(table, "成果.CSV")
    assert counted(result) == (2, 0, 0, 0)
    assert result.unknown == ("备注",)
    first, second = stored(parts)["K-1"], stored(parts)["K-2"]
    one = text(parts, first)
    assert isinstance(one, AchievementText)
    assert one.body == '第一行\n第二行，含"引号"'
    assert (one.keywords, one.field, one.region) == (["焊缝", "视觉", "相机"], 3, "500106")
    assert one.modes == [Mode.PLAIN, Mode.JOINT]
    assert one.price == Price(form=PriceForm.RANGE, low_fen=50_000_000, high_fen=80_500_000)
    assert (one.maturity_level, first.masked, second.masked) == (7, True, False)
    assert text(parts, second).field == 5
    assert counted(bring(table, "成果.CSV")) == (0, 0, 2, 0)


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
def test_prices_in_cells(
    parts: Parts, bring: Callable[..., ImportResult], cell: str, price: Price
) -> None:
    result = bring(f'编号,名称,预算\n1,求检测,"{cell}"\n'.encode(), "d.csv", D)
    assert [one.reason for one in result.errors] == []
    assert text(parts, stored(parts)["1"]).price == Price.model_validate(price.model_dump())


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
    parts: Parts, bring: Callable[..., ImportResult], column: str, cell: str, words: str
) -> None:
    header = dict.fromkeys(["需求名称", "编号", column])
    wrong = {"需求名称": "求检测", "编号": "2"} | {column: cell}
    table = ",".join(header) + "\n"
    table += "好的,1" + "," * (len(header) - 2) + "\n"
    table += ",".join(f'"{wrong[name]}"' for name in header) + "\n"
    result = bring(table.encode(), "d.csv", D)
    assert counted(result) == (1, 0, 0, 1)
    assert [(one.row, one.column) for one in result.errors] == [(3, column)]
    assert words in result.errors[0].reason


@pytest.mark.parametrize("day", ["2027-6-3", "2027/06/03", "2027年6月3日", "2027.6.3"])
def test_days_in_cells(parts: Parts, bring: Callable[..., ImportResult], day: str) -> None:
    bring(f"编号,名称,截止日期\n1,求检测,{day}\n".encode(), "d.csv", D)
    demand = text(parts, stored(parts)["1"])
    assert isinstance(demand, DemandText)
    assert str(demand.deadline) == "2027-06-03"


def test_bad_lines_are_named_and_the_rest_comes_in(
    parts: Parts, bring: Callable[..., ImportResult]
) -> None:
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
            b'{"id": "5", "title": "' + b"x" * rows.MAX_LINE + b'"}',
            b'{"id": "6", "title": "last", "price": {"form": "from", "low_fen": 5}}',
        ]
    )
    result = bring(content)
    assert counted(result) == (2, 0, 0, 8)
    assert [one.row for one in result.errors] == [2, 3, 5, 6, 7, 8, 9, 10]
    assert stored(parts).keys() == {"7", "6"}


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.xlsx", b"PK\x03\x04", "另存为CSV"),
        ("a.jsonl", b"", "没有一行数据"),
        ("a.csv", "编号,成果名称\n".encode(), "没有一行数据"),
        ("a.csv", "编号,单位\n1,2\n".encode(), "要有“成果名称”一列"),
        ("a.csv", "名称,标题\n1,2\n".encode(), "同一个意思"),
        ("a.csv", '名称,摘要\n甲,"没有配对\n乙,x\n'.encode(), "引号没有配对"),
        ("a.csv", "名称\n甲\n".encode("utf-16"), "UTF-16"),
        ("a.csv", b"title\n\xff\xff\xff\n", "两种都读不出"),
        ("a.jsonl", b'{"title": "a\0"}', "两种都读不出"),
    ],
)
def test_a_file_that_cannot_be_read_whole_is_refused_whole(
    parts: Parts, name: str, content: bytes, words: str
) -> None:
    with (
        pytest.raises(Invalid) as refused,
        work_for(parts, editor(parts)) as work,
    ):
        imports.import_own(work, A, name, io.BytesIO(content))
    assert words in refused.value.fields["file"]
    assert count(parts, Listing) == 0


def test_more_rows_than_the_limit_are_refused(parts: Parts) -> None:
    one = '{"title": "甲"}\n'.encode()
    with pytest.raises(Invalid) as refused, work_for(parts, editor(parts)) as work:
        imports.import_own(work, A, "a.jsonl", io.BytesIO(one * (rows.MAX_ROWS + 1)))
    assert "现在是200,001行" in refused.value.fields["file"]


def test_a_number_met_again_chunks_later_is_refused(
    parts: Parts, bring: Callable[..., ImportResult]
) -> None:
    size = tasks.CHUNK_ROWS
    content = lines(
        *({"id": str(n), "title": f"成果{n}"} for n in range(size)),
        {"id": "0", "title": "又是第一个"},
        *({"id": str(n), "title": f"成果{n}"} for n in range(size, 2 * size)),
    )
    result = bring(content)
    assert counted(result) == (2 * size, 0, 0, 1)
    assert [(one.row, one.column) for one in result.errors] == [(size + 1, "id")]
    assert "前面的行" in result.errors[0].reason


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
def test_a_killed_job_goes_on_where_it_stood(parts: Parts, home: Organisation, name: str) -> None:
    total = 2 * tasks.CHUNK_ROWS + 5
    content = (
        lines(*({"id": str(n), "title": f"成果{n}"} for n in range(total)))
        if name == "a.jsonl"
        else (
            "编号,名称,正文\n" + "".join(f'{n},成果{n},"两\n行"\n' for n in range(total))
        ).encode()
    )
    with work_for(parts, factories.actor(parts, Role.OPERATOR)) as work:
        run = imports.start_import(work, home.id, A, io.BytesIO(content), name, publish=True)
    handler = tasks.handlers(parts)[imports.KIND]
    chunks = 0

    def killed_once(session, job):
        nonlocal chunks
        chunks += 1
        chunk = handler(session, job)
        if chunks == 2:
            raise RuntimeError
        return chunk

    runner = Runner(parts.database, parts.clock, {imports.KIND: killed_once})
    assert runner.run_one()
    parts.clock.advance(seconds=30)  # type: ignore[attr-defined]
    assert runner.run_one()
    with parts.database.read() as session:
        result = imports.import_result(session, repository_imports.run(session, run.id))
    assert counted(result) == (total, 0, 0, 0)
    assert count(parts, Listing) == total
    assert chunks == 4


def test_a_job_that_was_given_up_is_told(parts: Parts, home: Organisation) -> None:
    with work_for(parts, factories.actor(parts, Role.OPERATOR)) as work:
        content = io.BytesIO(lines({"id": "1", "title": "甲"}))
        run = imports.start_import(work, home.id, A, content, "a.jsonl", publish=True)

    def broken(session, job):
        raise RuntimeError

    runner = Runner(parts.database, parts.clock, {imports.KIND: broken})
    while runner.run_one():
        parts.clock.advance(hours=1)  # type: ignore[attr-defined]
    with parts.database.read() as session:
        result = imports.import_result(session, repository_imports.run(session, run.id))
    assert (result.state, result.finished) == ("failed", True)
    assert "再导入一次" in result.problem


def test_memory_stays_flat_however_long_the_file(parts: Parts, home: Organisation) -> None:
    long = "字" * 3000
    content = lines(*({"id": str(n), "title": f"成果{n}", "content": long} for n in range(3000)))
    assert len(content) > 25_000_000
    operator = factories.actor(parts, Role.OPERATOR)
    stream = io.BytesIO(content)
    with work_for(parts, operator) as work:
        tracemalloc.start()
        run = imports.start_import(work, home.id, A, stream, "a.jsonl", publish=True)
        surveyed = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    with work_for(parts, operator) as work:
        job = work.session.exec(select(Job).where(Job.key == imports.job_key(run))).one()
        tracemalloc.start()
        tasks.import_chunk(parts, work.session, job)
        brought_in = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert surveyed < 8_000_000
    assert brought_in < 16_000_000
