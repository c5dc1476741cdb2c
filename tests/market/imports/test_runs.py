"""A run from the file to the undo, as a person goes through it."""

import csv
import io
from datetime import date
from functools import partial

import pytest
from sqlmodel import col, select

from market.accounts.policy import Role
from market.accounts.work import Parts
from market.catalog import drafts, publishing, views
from market.catalog.intake import ListingsTarget
from market.catalog.models import Listing, Review
from market.catalog.schemas import AchievementIn, DemandIn, Price
from market.catalog.vocabulary import ListingKind, Mode, PriceForm
from market.deals import inquiries
from market.deals.schemas import InquiryIn
from market.imports import audit, files_out, service
from market.imports.mapping import fold
from market.imports.models import HeadingMeaning, Kind, RunProblem, RunRow
from market.kit import sheets
from market.kit.changes import Consumer
from market.kit.errors import Conflict, Forbidden, Invalid, NotFound
from tests import factories
from tests.market.catalog.texts import ACHIEVEMENT, edited
from tests.market.imports.bringing import A, Bringing, D, counted, lines, table
from tests.support.deliveries import backlog
from tests.support.market import read_for, work_for
from tests.support.trade import at_once


@pytest.fixture
def at(parts: Parts) -> Bringing:
    return Bringing(parts, factories.organisation(parts))


@pytest.mark.usefixtures("both_databases")
def test_headings_that_nobody_knows_are_asked_for_once(parts: Parts, at: Bringing) -> None:
    content = table("我们的叫法,编号,内部备注", "焊缝检测,1,x", ",2,y")
    view = at.ask(content)
    assert view.state == "mapping"
    assert at.notices(waits=True) == ["导入“a.csv”：有表头要您对应"]
    with read_for(parts, at.editor) as work:
        mapped = service.mapped(work, view.run)
    assert mapped.headings == (
        ("我们的叫法", None, "焊缝检测"),
        ("编号", "own_number", "1"),
        ("内部备注", None, "x"),
    )
    for chosen, words in (
        ({"内部备注": ""}, "还没有说明"),
        ({"我们的叫法": "summary", "内部备注": ""}, "成果名称"),
        ({"我们的叫法": "title", "内部备注": "title"}, "同一列"),
        ({"我们的叫法": "title", "内部备注": "nothing"}, "请刷新"),
        ({"没有的": "title"}, "请刷新"),
    ):
        with pytest.raises(Invalid) as refused:
            at.mapped(view, chosen)
        assert words in refused.value.fields["mapping"]
    ready = at.mapped(view, {"我们的叫法": "title", "内部备注": ""})
    assert ready.state == "ready"
    assert ready.run.checked == {"created": 1, "updated": 0, "unchanged": 0, "refused": 1}
    assert ready.run.unknown == ["内部备注"]
    assert [(one.row, one.column) for one in ready.problems] == [(3, "我们的叫法")]
    assert at.notices(waits=True) == ["导入“a.csv”：已试导入，等您确认"]
    again = at.ask(table("编号,我们的叫法,内部备注", "3,电池,z"), "b.csv")
    assert again.state == "ready", "what was said is remembered"
    other = Bringing(parts, factories.organisation(parts))
    assert other.ask(content).state == "mapping", "of this organisation alone"
    assert at.ask(content, kind=D).state == "mapping", "of this kind alone"


@pytest.mark.usefixtures("both_databases")
def test_a_dry_run_tells_all_and_writes_nothing(parts: Parts, at: Bringing) -> None:
    at.bring(lines({"id": "1", "title": "旧"}, {"id": "2", "title": "不变"}))
    before = {key: dict(row) for key, row in at.stored().items()}
    with parts.database.read() as session:
        owed = backlog(session, Consumer.INDEX)
    content = table(
        "编号,成果名称,价格", "1,新,50-80万", "2,不变,", "3,又一条,面议", "4,,", "3,重复,"
    )
    view = at.ask(content)
    assert view.run.checked == {"created": 1, "updated": 1, "unchanged": 1, "refused": 2}
    assert [(one.row, one.column) for one in view.problems] == [(5, "成果名称"), (6, "编号")]
    assert view.run.preview[0] == {"title": "新", "price": "50万元～80万元", "own_number": "1"}
    assert {key: dict(row) for key, row in at.stored().items()} == before
    assert at.count(Review) == 0
    with parts.database.read() as session:
        assert backlog(session, Consumer.INDEX) == owed
    assert at.view(view.run).run.created == 0
    done = at.confirmed(view)
    assert counted(done) == (1, 1, 1, 2)
    assert at.notices(waits=True) == []
    assert at.notices() == ["导入“a.csv”已完成，2行没有导入"]
    with parts.database.read() as session:
        assert session.exec(select(RunRow).where(RunRow.dry)).all() == []
        assert len(session.exec(select(RunProblem)).all()) == 2, "those of the dry run are gone"


def test_steps_out_of_turn_are_refused(parts: Parts, at: Bringing) -> None:
    view = at.ask(table("编号,成果名称", "1,甲"))
    at.confirmed(view)
    with pytest.raises(Conflict):
        at.confirmed(view)
    with pytest.raises(Conflict), work_for(parts, at.editor) as work:
        service.cancel(work, view.run.public_id)
    with pytest.raises(Conflict):
        at.mapped(view, {})
    at.undone(view)
    with pytest.raises(Conflict):
        at.undone(view)
    aside = at.ask(table("编号,成果名称", "2,乙"))
    with work_for(parts, at.editor) as work:
        service.cancel(work, aside.run.public_id)
    assert at.notices(waits=True) == []
    with pytest.raises(Conflict):
        at.confirmed(aside)
    stranger = factories.actor(parts, Role.EDITOR)
    with pytest.raises(NotFound), work_for(parts, stranger) as work:
        service.undo(work, view.run.public_id)
    viewer = factories.actor(parts, Role.VIEWER, at.home)
    with pytest.raises(Forbidden), work_for(parts, viewer) as work:
        service.undo(work, view.run.public_id)
    received = service.receive(parts.files, "a.csv", io.BytesIO(b"x"))
    with pytest.raises(Invalid) as refused, work_for(parts, at.editor) as work:
        service.start_own(work, Kind.CONTRACT, received, ask=True)
    assert "kind" in refused.value.fields


def test_a_cancelled_dry_run_ends(parts: Parts, at: Bringing) -> None:
    run = at.start(table("编号,成果名称", "1,甲"), "a.csv", ask=True)
    with work_for(parts, at.editor) as work:
        service.cancel(work, run.public_id)
    at.settle()
    assert at.view(run).state == "cancelled"
    assert at.count(Listing) == 0


@pytest.mark.parametrize("ending", ["csv", "xlsx", "jsonl"])
def test_one_bad_row_in_a_thousand_is_handed_back(parts: Parts, at: Bringing, ending: str) -> None:
    """999 are kept; the file of the bad one is mended and brought in, and nothing is twice."""
    rows = [(str(n), f"成果{n}" if n != 500 else "") for n in range(1000)]
    if ending == "jsonl":
        content = lines(*({"id": a, "title": b} for a, b in rows))
    elif ending == "csv":
        content = table("编号,成果名称", *(f"{a},{b}" for a, b in rows))
    else:
        content = spreadsheet(["编号", "成果名称"], [list(row) for row in rows])
    view = at.bring(content, f"a.{ending}")
    assert counted(view) == (999, 0, 0, 1)
    with read_for(parts, at.editor) as work:
        download = files_out.refused_rows(work, view.run.public_id)
    assert download.name == f"a-未导入.{ending}"
    back = at.bring(content_of(download), download.name)
    assert counted(back) == (0, 0, 0, 1), "one row, and as wrong as before"
    assert "不能是空的" in back.problems[0].reason
    assert "原因" in back.run.unknown
    mended = {
        "jsonl": lines({"id": "500", "title": "补上", "原因": "x"}),
        "csv": table("编号,成果名称,原因", "500,补上,x"),
        "xlsx": spreadsheet(["编号", "成果名称", "原因"], [["500", "补上", "x"]]),
    }
    assert counted(at.bring(mended[ending], f"b.{ending}")) == (1, 0, 0, 0)
    assert at.count(Listing) == 1000


def content_of(download: files_out.Download) -> bytes:
    with download.stream as stream:
        return stream.read()


def spreadsheet(header: list[str], rows: list[list[str]]) -> bytes:
    out = io.BytesIO()
    sheets.write_xlsx(out, header, rows)
    return out.getvalue()


@pytest.mark.usefixtures("both_databases")
def test_an_undo_takes_back_what_nobody_relies_on(parts: Parts, at: Bringing) -> None:
    at.bring(lines({"id": "1", "title": "原来一"}, {"id": "2", "title": "原来二"}))
    before = at.stored()
    content = lines(
        {"id": "1", "title": "改一", "masked": True},
        {"id": "2", "title": "改二"},
        {"id": "3", "title": "新三"},
        {"id": "4", "title": "新四"},
        {"id": "5", "title": "新五"},
    )
    view = at.bring(content)
    assert counted(view) == (3, 2, 0, 0)
    now = at.stored()
    buyer = factories.actor(parts, Role.EDITOR, kind=factories.OrganisationKind.COMPANY)
    with work_for(parts, buyer) as work:
        ask = InquiryIn(listing=now["4"].public_id, message="请问节拍？", show_name=True)
        inquiries.ask(work, ask)
    with work_for(parts, at.editor) as work:
        form = edited(ACHIEVEMENT, 1, title="人改的五", own_number="5")
        drafts.edit(work, now["5"].public_id, form)
    left = at.undone(view)
    assert left.state == "partly"
    assert (left.run.undone, left.run.kept) == (3, 2)
    assert [(one.row, one.kept) for one in left.kept] == [
        (4, "已有询问"),
        (5, "导入以后有人修改过"),
    ]
    assert at.notices() == []  # an operator's run
    after = at.stored()
    assert after.keys() == {"1", "2", "4", "5"}
    assert [at.text(after[key]).title for key in "1245"] == ["原来一", "原来二", "新四", "人改的五"]
    assert not after["1"].masked
    assert (after["1"].state, after["1"].review_state) == ("published", "approved")
    assert after["1"].content_hash == before["1"].content_hash
    with parts.database.read() as session:
        gone = now["3"].public_id
        assert views.listing_by_public_id(session, gone) is None
        assert views.published_listing(session, gone) is None
        source = views.published_listing(session, after["1"].public_id)
        assert source is not None
        assert source.text.title == "原来一"
    with pytest.raises(NotFound), work_for(parts, at.editor) as work:
        drafts.own_listing(work, gone, service.Action.LISTING_VIEW_OWN)
    # The same file again does again what was taken back.
    again = at.bring(content)
    assert counted(again) == (1, 2, 2, 0)
    assert at.text(at.stored()["1"]).title == "改一"


@pytest.mark.usefixtures("both_databases")
def test_an_undo_gives_back_what_was_in_review(parts: Parts, at: Bringing) -> None:
    at.bring(lines({"id": "1", "title": "公开的"}))
    at.bring(lines({"id": "1", "title": "在审的"}), publish=False)
    view = at.bring(lines({"id": "1", "title": "后来的"}, {"id": "2", "title": "新的"}))
    assert at.stored()["1"].review_state == "approved"
    assert at.undone(view).state == "undone"
    listing = at.stored()["1"]
    assert (listing.state, listing.review_state) == ("published", "submitted")
    assert at.text(listing).title == "在审的"
    with parts.database.read() as session:
        source = views.published_listing(session, listing.public_id)
        assert source is not None
        assert source.text.title == "公开的"
        states = session.exec(select(Review.state).order_by(col(Review.id))).all()
        assert states.count("submitted") == 1
        assert list(audit.audit(session)) == []


def test_what_waits_for_review_is_published_by_the_same_file(parts: Parts, at: Bringing) -> None:
    content = lines({"id": "1", "title": "甲"}, {"id": "2", "title": "乙"})
    at.bring(content, publish=False)
    view = at.bring(content, publish=True)
    assert counted(view) == (0, 2, 0, 0)
    assert {one.state for one in at.stored().values()} == {"published"}
    assert {one.number for one in at.stored().values()} == {"A-2026-00001", "A-2026-00002"}
    assert counted(at.bring(content, publish=True)) == (0, 0, 2, 0)
    assert at.undone(view).state == "undone"
    assert {(one.state, one.review_state) for one in at.stored().values()} == {
        ("private", "submitted")
    }


def test_the_same_file_before_is_named(at: Bringing) -> None:
    content = table("编号,成果名称", "1,甲")
    first = at.confirmed(at.ask(content))
    second = at.ask(content, "改了名字.csv")
    assert second.same_as is not None
    assert second.same_as.public_id == first.run.public_id
    assert second.state == "done", "nothing would change, so nobody is asked"
    third = at.ask(content)
    assert third.same_as is not None
    assert third.same_as.public_id == first.run.public_id, "the one that wrote"
    assert at.ask(table("编号,成果名称", "1,乙")).same_as is None


FORMS = [
    ACHIEVEMENT,
    AchievementIn(title="=1+1", body="'=cmd()", summary="-3", keywords=["a,b", 'x"y', "两 词"]),
    AchievementIn(
        title="编号齐全的",
        own_number="00123",
        masked=True,
        region="500106",
        modes=[Mode.SOLE, Mode.OTHER],
        price=Price(form=PriceForm.RANGE, basis="year", low_fen=12_345_678, high_fen=99_000_001),
        application="第一行\n\n第二行",
    ),
    AchievementIn(title="面议按年", price=Price(basis="year")),
    AchievementIn(title="封顶按件", price=Price(form=PriceForm.UP_TO, basis="unit", high_fen=1)),
    DemandIn(title="需求", deadline=date(2027, 6, 30), need_maturity=6, region="110108"),
]


@pytest.mark.usefixtures("both_databases")
@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_an_export_brought_in_again_changes_nothing(
    parts: Parts, at: Bringing, form: files_out.Format
) -> None:
    for one in FORMS:
        with work_for(parts, at.editor) as work:
            listing = drafts.create(work, one)
            if one.title != "面议按年":
                publishing.submit(work, listing.public_id)
    at.bring(lines({"title": "没有编号的"}))
    before = {row.id: dict(row) for row in rows(parts)}
    for kind, count in ((A, 6), (D, 1)):
        with read_for(parts, at.editor) as work:
            download = files_out.export(work, kind, form)
        view = at.ask(content_of(download), download.name, kind)
        assert view.problems == ()
        assert counted(view) == (0, 0, count, 0), "done without asking: nothing would change"
    assert {row.id: dict(row) for row in rows(parts)} == before
    assert counted(at.bring(lines({"title": "没有编号的"}))) == (0, 0, 1, 0)


def rows(parts: Parts) -> list[Listing]:
    with parts.database.read() as session:
        found = list(session.exec(select(Listing)))
    for row in found:
        row.content_hash = "" if row.own_number else row.content_hash  # what a file said last
    return found


def test_an_export_that_was_edited_updates_by_the_site_s_number(parts: Parts, at: Bringing) -> None:
    with work_for(parts, at.editor) as work:
        mine = drafts.create(work, AchievementIn(title="手写的"))
    other = Bringing(parts, factories.organisation(parts))
    with work_for(parts, other.editor) as work:
        theirs = drafts.create(work, AchievementIn(title="别家的"))
    content = table(
        "平台编号,成果名称,本单位编号",
        f"{mine.public_id},改过的,N-1",
        f"{theirs.public_id},抢来的,",
        f"{mine.public_id},又一次,",
    )
    view = at.bring(content, "a.csv", publish=False)
    assert counted(view) == (0, 1, 0, 2)
    assert [(one.row, one.column) for one in view.problems] == [(3, "平台编号"), (4, "平台编号")]
    assert at.text(at.stored()["N-1"]).title == "改过的"
    taken = table("平台编号,成果名称,本单位编号", f"{mine.public_id},改过的,N-2", ",新的,N-2")
    view = at.bring(taken, "b.csv", publish=False)
    assert [(one.row, one.column) for one in view.problems] == [(2, "本单位编号")]


@pytest.mark.parametrize("form", ["xlsx", "csv"])
@pytest.mark.parametrize("kind", [A, D])
def test_a_template_comes_in_as_it_is(
    parts: Parts, at: Bringing, kind: Kind, form: files_out.Format
) -> None:
    with read_for(parts, at.editor) as work:
        download = files_out.template(work, kind, form)
    view = at.ask(content_of(download), download.name, kind)
    assert view.state == "ready"
    assert view.run.checked == {"created": 1, "updated": 0, "unchanged": 0, "refused": 0}


def test_every_column_is_one_heading_s() -> None:
    """No heading stands for two columns of a kind."""
    for kind in ListingKind:
        names = [
            fold(name)
            for one in ListingsTarget(kind).columns
            for name in {one.label, one.key, *one.aliases}
        ]
        assert sorted(names) == sorted(set(names))


def test_meanings_are_kept_once(parts: Parts, at: Bringing) -> None:
    for _ in range(2):
        view = at.ask(table("甲栏,编号", "焊缝,1"))
        if view.state == "mapping":
            at.mapped(view, {"甲栏": "title"})
    assert at.count(HeadingMeaning) == 1


@pytest.mark.usefixtures("both_databases")
def test_two_people_say_at_once_what_a_heading_means(parts: Parts, at: Bringing) -> None:
    views = [at.ask(table("甲栏,乙栏,编号", f"焊缝,{n},{n}")) for n in range(4)]
    said = {"甲栏": "title", "乙栏": "summary"}
    steps = [
        (at.editor, partial(service.map_headings, public_id=view.run.public_id, chosen=said))
        for view in views
    ]
    assert at_once(parts, steps) == [None] * len(views)
    assert at.count(HeadingMeaning) == len(said)


def test_cells_beyond_the_headings_are_handed_back(parts: Parts, at: Bringing) -> None:
    view = at.bring(table("编号,成果名称", "1,甲,乙,丙", "2,好的"), "a.csv")
    assert counted(view) == (1, 0, 0, 1)
    with read_for(parts, at.editor) as work:
        content = content_of(files_out.refused_rows(work, view.run.public_id))
    header, row = csv.reader(io.StringIO(content.decode("utf-8-sig")))
    assert header == ["编号", "成果名称", "原因"]
    assert (row[:2], row[3:]) == (["1", "甲"], ["乙", "丙"])
    assert counted(at.bring(content, "b.csv")) == (0, 0, 0, 1), "refused until it is mended"
