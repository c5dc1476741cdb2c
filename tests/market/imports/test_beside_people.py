"""Imports and their undoing beside what people do on the site: nothing of theirs is run over."""

import pytest

from market.accounts.policy import Role
from market.accounts.work import Parts
from market.catalog import drafts, publishing
from market.catalog.intake_undo import EDITED, TAKEN
from market.catalog.schemas import AchievementIn, ReviewIn
from market.imports import running
from market.kit.errors import Overtaken
from tests import factories
from tests.market.catalog.texts import edited
from tests.market.imports.bringing import Bringing, counted, lines
from tests.support.market import work_for

pytestmark = pytest.mark.usefixtures("both_databases")


@pytest.fixture
def at(parts: Parts) -> Bringing:
    return Bringing(parts, factories.organisation(parts))


def renamed(at: Bringing, number: str, title: str, based_on: int = 1) -> None:
    """Change a title as a person does on the site."""
    one = at.stored()[number]
    form = edited(AchievementIn(title=title), based_on, own_number=number, seen=one.edits)
    with work_for(at.parts, at.editor) as work:
        drafts.edit(work, one.public_id, form)


def test_a_form_from_before_an_import_does_not_take_back_what_it_set(at: Bringing) -> None:
    at.bring(lines({"own_number": "1", "title": "甲", "masked": False}))
    one = at.stored()["1"]
    view = at.bring(lines({"own_number": "1", "title": "甲", "masked": True}))
    assert counted(view) == (0, 1, 0, 0)
    for seen in (one.edits, at.stored()["1"].edits):
        text = AchievementIn(title="甲", body="补充")
        form = edited(text, 1, own_number="1", masked=False, seen=seen)
        if seen != one.edits:
            at.undone(view)  # which sets it anew, beside whoever had read it meanwhile
        with work_for(at.parts, at.editor) as work, pytest.raises(Overtaken):
            drafts.edit(work, one.public_id, form)


def test_a_row_that_agreed_already_leaves_later_edits_alone(at: Bringing) -> None:
    first = lines({"own_number": "1", "title": "一版"})
    second = lines({"own_number": "1", "title": "二版"})
    assert counted(at.bring(first)) == (1, 0, 0, 0)
    renamed(at, "1", "二版")
    assert counted(at.bring(second)) == (0, 0, 1, 0)
    renamed(at, "1", "人改的", based_on=2)
    assert counted(at.bring(second)) == (0, 0, 1, 0)
    assert at.text(at.stored()["1"]).title == "人改的"
    assert counted(at.bring(first)) == (0, 1, 0, 0)


def test_numbers_that_an_undo_gives_back_may_be_gone(at: Bringing) -> None:
    at.bring(lines({"own_number": "A", "title": "甲"}, {"own_number": "B", "title": "乙"}))
    known = at.stored()
    view = at.bring(
        lines(
            {"reference": known["A"].public_id, "own_number": "C", "title": "甲"},
            {"own_number": "B", "title": "乙的新名称"},
        )
    )
    assert counted(view) == (0, 2, 0, 0)
    at.bring(lines({"own_number": "A", "title": "后来的"}))
    result = at.undone(view)
    assert result.state == "partly"
    assert [one.kept for one in result.kept] == [TAKEN]
    assert at.text(at.stored()["B"]).title == "乙"
    assert at.stored()["C"].id == known["A"].id


def test_a_number_passed_on_within_a_file_comes_back(at: Bringing) -> None:
    at.bring(lines({"own_number": "A", "title": "甲"}))
    first = at.stored()["A"]
    between = running.CHUNK_ROWS + 10  # the number is free once its chunk is written
    view = at.bring(
        lines(
            {"reference": first.public_id, "own_number": "C", "title": "甲"},
            *({"own_number": f"N{n}", "title": f"别的{n}"} for n in range(between)),
            {"own_number": "A", "title": "用了空出的编号"},
        )
    )
    assert counted(view) == (between + 1, 1, 0, 0)
    result = at.undone(view)
    assert (result.state, result.run.undone) == ("undone", between + 2)
    assert {number: one.id for number, one in at.stored().items()} == {"A": first.id}


def test_what_was_published_again_by_hand_is_kept(parts: Parts, at: Bringing) -> None:
    at.bring(lines({"own_number": "1", "title": "一版"}))
    one = at.stored()["1"]
    with work_for(parts, factories.actor(parts, Role.MANAGER, at.home)) as work:
        publishing.withdraw(work, one.public_id)
    view = at.bring(lines({"own_number": "1", "title": "二版"}))
    assert counted(view) == (0, 1, 0, 0)
    with work_for(parts, at.editor) as work:
        publishing.submit(work, one.public_id)
    with work_for(parts, factories.actor(parts, Role.OFFICER)) as work:
        verdict = ReviewIn(revision=2, decision="approve", note="")
        publishing.decide(work, one.public_id, verdict)
    result = at.undone(view)
    assert [kept.kept for kept in result.kept] == [EDITED]
    now = at.stored()["1"]
    assert (now.state, at.text(now).title) == ("published", "二版")
