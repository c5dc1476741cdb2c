"""Listings through the services: revisions, review, publication, masking, what others read."""

import pytest
from sqlmodel import col, select

from market.accounts import organisations
from market.accounts.models import Organisation
from market.accounts.policy import Role
from market.accounts.schemas import VerifyIn
from market.accounts.work import Parts
from market.catalog import drafts, publishing, views
from market.catalog.models import ListingRevision, ListingState, ReviewState
from market.catalog.repository import Shelf
from market.catalog.schemas import DemandIn
from market.catalog.vocabulary import MASKED_NAME, ListingKind
from market.kit.changes import Change
from market.kit.errors import Conflict, Forbidden, Invalid, NotFound
from market.kit.ids import ListingId
from tests import factories
from tests.market.catalog.texts import (
    ACHIEVEMENT,
    DEMAND,
    decide,
    draft,
    edited,
    editor,
    published,
    reread,
    submitted,
)
from tests.support.clock import FakeClock
from tests.support.market import read_for, work_for

pytestmark = pytest.mark.usefixtures("both_databases")


def kinds_of_changes(parts: Parts, listing_id: ListingId) -> list[str]:
    query = select(Change).where(col(Change.subject_id) == listing_id).order_by(col(Change.id))
    with parts.database.read() as session:
        return [row.kind for row in session.exec(query) if row.subject_kind == "listing"]


def test_a_draft_says_back_what_was_written(parts: Parts) -> None:
    who = editor(parts)
    listing = draft(parts, who)
    with read_for(parts, who) as work:
        view = views.own(work, listing.public_id)
    assert view.text.model_dump() == {
        name: value
        for name, value in ACHIEVEMENT.model_dump().items()
        if name not in ("own_number", "masked")
    }
    assert (view.revision, view.public_revision, view.pending) == (1, None, ())
    assert (listing.state, listing.review_state, listing.number) == ("private", "draft", None)
    assert kinds_of_changes(parts, listing.id) == []


def test_an_edit_is_a_new_revision_and_the_same_text_is_none(parts: Parts) -> None:
    who = editor(parts)
    listing = draft(parts, who)
    with work_for(parts, who) as work:
        drafts.edit(work, listing.public_id, edited(ACHIEVEMENT, 1))
    with work_for(parts, who) as work:
        drafts.edit(work, listing.public_id, edited(ACHIEVEMENT, 1, title="焊缝气孔检测二代"))
    with read_for(parts, who) as work:
        view = views.own(work, listing.public_id)
        query = select(ListingRevision).order_by(col(ListingRevision.seq))
        kept = [(row.seq, row.title) for row in work.session.exec(query)]
    assert (view.revision, view.text.title) == (2, "焊缝气孔检测二代")
    assert kept == [(1, "焊缝气孔在线视觉检测"), (2, "焊缝气孔检测二代")]


def test_a_stale_edit_is_told_so(parts: Parts) -> None:
    who = editor(parts)
    listing = draft(parts, who, DEMAND)
    with work_for(parts, who) as work:
        drafts.edit(work, listing.public_id, edited(DEMAND, 1, title="先保存的"))
    with work_for(parts, who) as work, pytest.raises(Conflict, match="有人保存过"):
        drafts.edit(work, listing.public_id, edited(DEMAND, 1, title="后保存的"))


def test_public_text_stands_while_the_edit_waits(parts: Parts, clock: FakeClock) -> None:
    who = editor(parts)
    listing = published(parts, who)
    assert listing.number == "A-2026-00001"
    first_day = listing.published_at
    clock.advance(days=1)
    with work_for(parts, who) as work:
        drafts.edit(work, listing.public_id, edited(ACHIEVEMENT, 1, title="新的名称"))
        publishing.submit(work, listing.public_id)
    with read_for(parts, who) as work:
        source = views.published_listing(work.session, listing.public_id)
        view = views.own(work, listing.public_id)
    assert source is not None
    assert source.text.title == ACHIEVEMENT.title
    assert [one.field for one in view.pending] == ["title"]
    assert (view.revision, view.public_revision) == (2, 1)
    decide(parts, listing, revision=2)
    with read_for(parts, who) as work:
        source = views.published_listing(work.session, listing.public_id)
    assert source is not None
    assert (source.text.title, source.number) == ("新的名称", "A-2026-00001")
    assert source.published_at == first_day
    assert kinds_of_changes(parts, listing.id) == ["published", "published"]


def test_a_refusal_carries_its_note_and_needs_one(parts: Parts) -> None:
    who = editor(parts)
    listing = submitted(parts, who)
    with pytest.raises(Invalid) as refused:
        decide(parts, listing, refuse=" ")
    assert "原因" in refused.value.fields["note"]
    decide(parts, listing, refuse="请写明技术指标")
    with read_for(parts, who) as work:
        view = views.own(work, listing.public_id)
    assert (view.listing.review_state, view.review_note) == ("refused", "请写明技术指标")
    with pytest.raises(Conflict):
        decide(parts, listing)
    with work_for(parts, who) as work:
        assert publishing.submit(work, listing.public_id).review_state == "submitted"
    with read_for(parts, who) as work:
        assert views.own(work, listing.public_id).review_note == ""


def test_in_review_nothing_is_edited_until_it_is_taken_back(parts: Parts) -> None:
    who = editor(parts)
    listing = submitted(parts, who)
    with work_for(parts, who) as work, pytest.raises(Conflict, match="先撤回"):
        drafts.edit(work, listing.public_id, edited(ACHIEVEMENT, 1, title="改"))
    with work_for(parts, who) as work, pytest.raises(Conflict, match="正在审核"):
        publishing.submit(work, listing.public_id)
    with work_for(parts, who) as work:
        publishing.take_back(work, listing.public_id)
        drafts.edit(work, listing.public_id, edited(ACHIEVEMENT, 1, title="改"))
        publishing.submit(work, listing.public_id)
    with pytest.raises(Conflict, match="又交了新的内容"):
        decide(parts, listing, revision=1)
    decide(parts, listing, revision=2)
    assert reread(parts, listing.public_id).state == ListingState.PUBLISHED


def test_withdrawn_is_gone_until_it_is_approved_again(parts: Parts) -> None:
    who = editor(parts)
    listing = published(parts, who)
    with work_for(parts, who) as work:
        publishing.withdraw(work, listing.public_id)
    with read_for(parts, who) as work:
        assert views.published_listing(work.session, listing.public_id) is None
        assert views.document_source(work.session, [listing.id]) == {}
        assert views.public_ids(work.session) == []
    assert kinds_of_changes(parts, listing.id) == ["published", "withdrawn"]
    with work_for(parts, who) as work, pytest.raises(Conflict):
        publishing.withdraw(work, listing.public_id)
    with work_for(parts, who) as work:
        publishing.submit(work, listing.public_id)
    decide(parts, listing)
    again = reread(parts, listing.public_id)
    assert (again.state, again.number) == ("published", "A-2026-00001")


def test_withdrawing_takes_the_waiting_edit_back(parts: Parts) -> None:
    who = editor(parts)
    listing = published(parts, who)
    with work_for(parts, who) as work:
        drafts.edit(work, listing.public_id, edited(ACHIEVEMENT, 1, title="改"))
        publishing.submit(work, listing.public_id)
        publishing.withdraw(work, listing.public_id)
    with pytest.raises(Conflict):
        decide(parts, listing, revision=2)
    assert reread(parts, listing.public_id).state == ListingState.WITHDRAWN


def test_leave_to_publish_skips_the_review(parts: Parts) -> None:
    trusted = factories.organisation(parts, self_publish=True)
    listing = submitted(parts, editor(parts, trusted), DEMAND)
    assert (listing.state, listing.review_state, listing.number) == (
        "published",
        "approved",
        "D-2026-00001",
    )
    with read_for(parts, factories.actor(parts, Role.OFFICER)) as work:
        assert views.reviews_waiting(work.session) == 0
        with pytest.raises(NotFound):
            views.reviewed(work, listing.public_id)


def test_numbers_count_by_kind_and_year(parts: Parts, clock: FakeClock) -> None:
    who = editor(parts, factories.organisation(parts, self_publish=True))
    numbers = [submitted(parts, who, form).number for form in (ACHIEVEMENT, DEMAND, ACHIEVEMENT)]
    clock.set_local("2027-01-01 00:00")
    numbers.append(submitted(parts, who, ACHIEVEMENT).number)
    assert numbers == ["A-2026-00001", "D-2026-00001", "A-2026-00002", "A-2027-00001"]


def test_only_the_own_organisation_finds_a_draft(parts: Parts) -> None:
    listing = draft(parts, editor(parts))
    for other in (editor(parts), factories.actor(parts, Role.OFFICER)):
        with read_for(parts, other) as work, pytest.raises(NotFound):
            views.own(work, listing.public_id)
    officer = factories.actor(parts, Role.OFFICER)
    with read_for(parts, officer) as work, pytest.raises(NotFound):
        views.reviewed(work, listing.public_id)


def test_a_viewer_reads_and_an_unverified_organisation_does_not_submit(parts: Parts) -> None:
    home = factories.organisation(parts, verified=False)
    listing = draft(parts, editor(parts, home))
    with work_for(parts, editor(parts, home)) as work, pytest.raises(Forbidden, match="核验"):
        publishing.submit(work, listing.public_id)
    viewer = factories.actor(parts, Role.VIEWER, home)
    with read_for(parts, viewer) as work:
        assert views.own(work, listing.public_id).revision == 1
    with work_for(parts, viewer) as work, pytest.raises(Forbidden):
        drafts.edit(work, listing.public_id, edited(ACHIEVEMENT, 1))


def test_an_organisation_that_loses_its_verification_is_not_shown(parts: Parts) -> None:
    home = factories.organisation(parts)
    listing = published(parts, editor(parts, home))
    with work_for(parts, factories.actor(parts, Role.OFFICER)) as work:
        organisations.verify(work, home.public_id, VerifyIn(decision="refused", note="已注销"))
    with parts.database.read() as session:
        assert views.document_source(session, [listing.id]) == {}
        assert views.counts(session) == {ListingKind.ACHIEVEMENT: 0, ListingKind.DEMAND: 0}


def test_a_masked_listing_leaves_no_way_to_its_organisation(parts: Parts) -> None:
    home = factories.organisation(parts, name="示范精密机械公司")
    form = ACHIEVEMENT.model_copy(update={"masked": True})
    listing = published(parts, editor(parts, home), form)
    with parts.database.read() as session:
        source = views.published_listing(session, listing.public_id)
    assert source is not None
    assert source.organisation_name == "示范精密机械公司"
    shown = views.for_others(source)
    assert (shown.organisation_name, shown.organisation_public_id) == (MASKED_NAME, None)
    assert shown.region == "500106"
    told = repr(shown)
    assert all(word not in told for word in ("示范精密机械公司", "示范张甲", "ZL000000000000.0"))
    assert home.public_id not in told


def test_masking_takes_effect_at_once_and_is_told_to_the_index(parts: Parts) -> None:
    who = editor(parts)
    listing = published(parts, who)
    with work_for(parts, who) as work:
        drafts.edit(work, listing.public_id, edited(ACHIEVEMENT, 1, masked=True))
    now = reread(parts, listing.public_id)
    assert (now.masked, now.review_state) == (True, ReviewState.APPROVED)
    assert kinds_of_changes(parts, listing.id) == ["published", "masked"]


def test_long_texts_and_past_days_and_named_names_are_warned_about(parts: Parts) -> None:
    home = factories.organisation(parts, name="示范精密机械公司")
    form = DemandIn.model_validate(
        {
            "title": "求检测",
            "problem": "长" * 501,
            "key_technology": "短",
            "expected_goal": "我们示范精密机械公司需要",
            "deadline": "2026-11-01",
            "masked": True,
        }
    )
    who = editor(parts, home)
    listing = draft(parts, who, form)
    with read_for(parts, who) as work:
        found = {one.field: one.message for one in views.own(work, listing.public_id).warnings}
    assert found.keys() == {"problem", "deadline", "expected_goal"}
    assert "现在是501个字" in found["problem"]


def test_an_own_number_stands_once_a_kind(parts: Parts) -> None:
    home = factories.organisation(parts)
    numbered = ACHIEVEMENT.model_copy(update={"own_number": "K-1"})
    draft(parts, editor(parts, home), numbered)
    draft(parts, editor(parts, home), DEMAND.model_copy(update={"own_number": "K-1"}))
    draft(parts, editor(parts), numbered)
    with pytest.raises(Invalid) as refused:
        draft(parts, editor(parts, home), numbered)
    assert "own_number" in refused.value.fields
    other = draft(parts, editor(parts, home))
    with work_for(parts, editor(parts, home)) as work, pytest.raises(Invalid):
        drafts.edit(work, other.public_id, edited(ACHIEVEMENT, 1, own_number="K-1"))


def test_own_lists_are_sorted_into_shelves(parts: Parts) -> None:
    home = factories.organisation(parts)
    who = editor(parts, home)
    first, second = published(parts, who), draft(parts, who, DEMAND)
    draft(parts, editor(parts))
    with work_for(parts, who) as work:
        drafts.edit(work, first.public_id, edited(ACHIEVEMENT, 1, title="100%_新"))
    with read_for(parts, who) as work:
        counts = views.own_counts(work)
        both = (views.own_lines(work, shelf=Shelf.DRAFT), views.own_lines(work))
        found = views.own_lines(work, words="%_")
        by_number = views.own_lines(work, words="a-2026")
    assert [len(rows) for _, rows in both] == [2, 2]
    assert counts[ListingKind.ACHIEVEMENT, Shelf.PUBLISHED] == 1
    assert counts[ListingKind.ACHIEVEMENT, Shelf.DRAFT] == 1
    assert counts[ListingKind.DEMAND, None] == 1
    assert [(row.id, title) for row, title in found[1]] == [(first.id, "100%_新")]
    assert by_number[0] == 1
    assert second.id != first.id


def test_sources_come_in_bulk(parts: Parts) -> None:
    who = editor(parts, factories.organisation(parts, self_publish=True, region="500103"))
    shown = [submitted(parts, who, form) for form in (ACHIEVEMENT, DEMAND)]
    hidden = draft(parts, who)
    with parts.database.read() as session:
        owner = session.get_one(Organisation, who.organisation_id)
        sources = views.document_source(session, [one.id for one in (*shown, hidden)])
        heads = views.headings(session, [hidden.id, shown[0].id])
        ids = [views.public_ids(session, kind, limit=9) for kind in (None, *ListingKind)]
        rest = views.public_ids(session, after_id=shown[0].id)
        newest = views.newest(session, ListingKind.DEMAND, 3)
    assert sources.keys() == {one.id for one in shown}
    demand = sources[shown[1].id]
    assert (demand.kind, demand.region, demand.organisation_name) == (
        ListingKind.DEMAND,
        "500103",
        owner.name,
    )
    assert heads[hidden.id].title == ACHIEVEMENT.title
    assert ids == [[shown[0].id, shown[1].id], [shown[0].id], [shown[1].id]]
    assert rest == [shown[1].id]
    assert [one.listing_id for one in newest] == [shown[1].id]
