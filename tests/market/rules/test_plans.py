"""Plans: one current a region, every edit kept."""

from datetime import date

import pytest

from market.accounts.policy import Role
from market.accounts.work import Parts
from market.kit.errors import Conflict, Forbidden, Invalid
from market.rules import service
from market.rules.schemas import PlanIn
from tests import factories
from tests.support.market import read_for, work_for

YI = 10_000_000_000


def plan(**changes: object) -> PlanIn:
    values: dict[str, object] = {
        "name": "示范区2026–2030",
        "region": "500106",
        "from_on": date(2026, 1, 1),
        "to_on": date(2030, 12, 31),
        "baseline_fen": 2 * YI,
        "baseline_year": 2020,
        "target_fen": 40 * YI,
    }
    return PlanIn(**(values | changes))


def test_an_edit_archives_the_plan_it_replaces(parts: Parts) -> None:
    officer = factories.actor(parts, Role.OFFICER)
    with work_for(parts, officer) as work:
        first = service.put_plan(work, plan())
    with work_for(parts, officer) as work:
        second = service.put_plan(work, plan(target_fen=50 * YI, replaces=first.public_id))
    with read_for(parts, officer) as work:
        assert service.current_plan(work.session).public_id == second.public_id
        assert [(row.target_fen, row.state) for row in service.plans(work)] == [
            (50 * YI, "current"),
            (40 * YI, "archived"),
        ]


@pytest.mark.parametrize("replaces", [None, "2" * 14, "first"])
def test_an_edit_of_what_is_no_longer_current_is_refused(parts: Parts, replaces) -> None:
    officer = factories.actor(parts, Role.OFFICER)
    with work_for(parts, officer) as work:
        first = service.put_plan(work, plan())
    with work_for(parts, officer) as work:
        service.put_plan(work, plan(name="第二版", replaces=first.public_id))
    with work_for(parts, officer) as work, pytest.raises(Conflict):
        service.put_plan(work, plan(replaces=first.public_id if replaces == "first" else replaces))


def test_a_plan_ends_after_it_begins(parts: Parts) -> None:
    officer = factories.actor(parts, Role.OFFICER)
    with work_for(parts, officer) as work, pytest.raises(Invalid) as refused:
        service.put_plan(work, plan(to_on=date(2026, 1, 1)))
    assert refused.value.fields == {"to_on": "应晚于开始日期2026-01-01，现在是2026-01-01"}


def test_only_the_bureau_writes_plans(parts: Parts) -> None:
    with work_for(parts, factories.actor(parts, Role.MANAGER)) as work, pytest.raises(Forbidden):
        service.put_plan(work, plan())
