"""Every template compiles, and every filter and test that it names exists.

Within `{% if %}` Jinja leaves that to the moment in which the branch is taken, on somebody's page.
"""

from collections.abc import Iterator

import pytest
from jinja2 import Environment, nodes

from frontend.templating import TEMPLATES, environment
from tests.frontend import sample

FOUND = sorted(one.relative_to(TEMPLATES).as_posix() for one in TEMPLATES.rglob("*.*"))


@pytest.fixture(scope="module")
def made() -> Environment:
    return environment(sample.BUILT)


def unknown(made: Environment, source: str) -> Iterator[str]:
    tree = made.parse(source)
    for one in tree.find_all(nodes.Filter):
        if one.name not in made.filters:
            yield f"line {one.lineno}: filter {one.name}"
    for test in tree.find_all(nodes.Test):
        if test.name not in made.tests:
            yield f"line {test.lineno}: test {test.name}"


@pytest.mark.parametrize("name", FOUND)
def test_it_compiles_and_names_what_exists(made: Environment, name: str) -> None:
    made.get_template(name)
    assert list(unknown(made, (TEMPLATES / name).read_text(encoding="utf-8"))) == []


def test_all_of_them_are_there() -> None:
    assert len(FOUND) > 50


def test_what_does_not_exist_is_found(made: Environment) -> None:
    source = "{% if seldom %}{{ 1 | nowhere }}{% elif 1 is nothing_at_all %}{% endif %}"
    assert list(unknown(made, source)) == ["line 1: filter nowhere", "line 1: test nothing_at_all"]
