"""A contract is registered once, however its parties and project are written, and by its file."""

from datetime import date

import pytest

from market.accounts.work import Parts
from market.kit.errors import Conflict
from market.registry import service
from market.registry.certificate import mark, plain, same_name
from market.registry.schemas import SubmitIn
from tests.support import papers
from tests.support.market import work_for

ON, FEN = date(2026, 9, 1), 100

SAME_NAMES = [
    ("重庆示例机电有限公司", "重庆示例机电有限责任公司"),
    ("重庆示例机电有限公司", " 重庆示例 机电有限公司　"),
    ("重庆示例机电有限公司", "重庆示例机电有限公司。"),
    ("重庆示例机电有限公司", "重\u200b庆示例\ufeff机电有限公司"),
    ("示例（重庆）机电有限公司", "示例(重庆)机电有限公司"),
    ("示例（重庆）机电有限公司", "示例〔重庆〕机电 有限责任公司"),
    ("ABC示例科技有限公司", "ＡＢＣ示例科技有限公司"),
    ("ABC示例科技有限公司", "abc示例科技有限公司"),
    ("示例3D打印有限公司", "示例３Ｄ打印有限公司"),
    ("示例科技股份有限公司", "示例科技股份有限责任公司"),
    ("示例·科技股份有限公司", "示例科技股份公司"),
    ("示例科技有限公司", "示例科技有\u00a0限\u3000公司"),
    ("示例科技有限公司", "⽰例科技有限公司"),  # a radical that folds to 示
]
OTHER_NAMES = [
    ("重庆示例机电有限公司", "重庆示例机械有限公司"),
    ("重庆示例机电有限公司", "重庆示例机电股份有限公司"),
    ("重庆示例机电有限公司", "重庆示例机电有限公司一分公司"),
    ("重庆示例机电有限公司", "四川示例机电有限公司"),
    ("有限责任公司研究院", "有限公司研究院"),
]
SAME_PROJECTS = [
    ("焊缝检测（一期）", "焊缝检测(一期)"),
    ("焊缝检测（一期）", "焊缝 检测 一期"),
    ("焊缝检测——一期", "焊缝检测一期"),
    ("AI质检系统V2.0", "ａｉ质检系统v2．0"),
    ("“焊缝”检测", "焊缝检测"),
]
OTHER_PROJECTS = [("焊缝检测（一期）", "焊缝检测（二期）"), ("V2.0", "V2.1")]


@pytest.mark.parametrize(("one", "other"), SAME_NAMES)
def test_one_name_written_in_two_ways(one: str, other: str) -> None:
    assert same_name(one) == same_name(other)
    assert mark(one, "乙", "项目", ON, FEN) == mark(other, "乙", "项目", ON, FEN)
    assert mark("甲", one, "项目", ON, FEN) == mark("甲", other, "项目", ON, FEN)


@pytest.mark.parametrize(("one", "other"), OTHER_NAMES)
def test_two_names_stay_two(one: str, other: str) -> None:
    assert same_name(one) != same_name(other)


@pytest.mark.parametrize(("one", "other"), SAME_PROJECTS)
def test_one_project_written_in_two_ways(one: str, other: str) -> None:
    assert plain(one) == plain(other)


@pytest.mark.parametrize(("one", "other"), OTHER_PROJECTS)
def test_two_projects_stay_two(one: str, other: str) -> None:
    assert plain(one) != plain(other)


def test_day_amount_and_side_tell_contracts_apart() -> None:
    told = {
        mark("甲", "乙", "项目", ON, FEN),
        mark("乙", "甲", "项目", ON, FEN),
        mark("甲", "乙", "项目", date(2026, 9, 2), FEN),
        mark("甲", "乙", "项目", ON, FEN + 1),
        mark("甲乙", "", "项目", ON, FEN),
    }
    assert len(told) == 5


@pytest.mark.usefixtures("both_databases")
def test_the_same_file_is_handed_in_once(parts: Parts) -> None:
    pair = papers.sides(parts)
    first, second = (papers.signed_contract(parts, pair) for _ in range(2))
    with work_for(parts, pair.seller_actor) as work:
        form = SubmitIn(contract=first.public_id)
        filed = service.submit(work, form, papers.scan("同一份"), papers.TOLD)
    again = SubmitIn(contract=second.public_id)
    with (
        work_for(parts, pair.seller_actor) as work,
        pytest.raises(Conflict, match="同一个合同文件"),
    ):
        service.submit(work, again, papers.scan("同一份"), papers.TOLD)
    with work_for(parts, pair.seller_actor) as work:
        service.withdraw(work, filed.row.public_id)
    with work_for(parts, pair.seller_actor) as work:
        done = service.submit(work, again, papers.scan("同一份"), papers.TOLD)
    assert done.row.state == "submitted"
