"""The record of full runs: a part replaces its own rows and no others."""

from dataclasses import replace
from pathlib import Path

from tests.support.verification import Row, write

ONE = Row("甲", "10 次", "遗漏0次", "7", "2026-11-20", "abc", "tests/a.py::test_one[x-1]")
TWO = Row("乙", "1 次", "3 秒", "无", "2026-11-20", "abc", "tests/b.py::test_two")


def test_a_part_replaces_its_own_rows(tmp_path: Path) -> None:
    page = tmp_path / "docs" / "verification.md"
    write([ONE, TWO], {ONE.test, TWO.test}, "2 项通过，0 项未通过", page)
    assert "2 项通过" in page.read_text()
    later = replace(ONE, result="遗漏1次", commit="def")
    write([later], {ONE.test}, "", page)
    text = page.read_text()
    assert later.line() in text
    assert TWO.line() in text
    assert ONE.line() not in text
    assert "2 项通过" in text, "what the last whole run said stays"


def test_a_failed_test_loses_its_rows_and_a_whole_run_those_of_tests_that_are_gone(
    tmp_path: Path,
) -> None:
    page = tmp_path / "verification.md"
    write([ONE, TWO], {ONE.test, TWO.test}, "2 项通过，0 项未通过", page)
    write([], {ONE.test}, "", page)
    assert ONE.test not in page.read_text()
    write([ONE], {ONE.test}, "1 项通过，0 项未通过", page)
    assert TWO.test not in page.read_text()
