"""What a test run says of itself: which parts were left out, and the figures of a full one.

With CI=true nothing is left out: a test that skips fails. Elsewhere the closing line names what
did not run and why. Tests marked `full` run with --full, which also writes docs/verification.md.
"""

import os
from collections import Counter
from collections.abc import Callable, Generator
from typing import TypeVar

import pytest

from tests.support import verification

_NEEDS_FULL = "完整核验：python3 run.py test --full 时运行"
_ROW = "verified"
_Report = TypeVar("_Report", pytest.TestReport, pytest.CollectReport)
_FIXTURES = {
    "postgres": "postgres",
    "elastic": "elastic",
    "page": "browser",
    "context": "browser",
    "browser": "browser",
}


@pytest.fixture
def verified(request: pytest.FixtureRequest) -> Callable[..., None]:
    """`verified(what, how_many=, result=, seed=)`: one row of docs/verification.md, in Chinese.

    `how_many` says the cases or size, `seed` what random choices came from (None: none were made).
    """

    def note(what: str, *, how_many: str, result: str, seed: int | None = None) -> None:
        row = {"what": what, "how_many": how_many, "result": result, "seed": seed}
        request.node.user_properties.append((_ROW, row))
        print(f"{what}（{how_many}）：{result}")

    return note


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="run tests marked `full` as well")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Summary(config), "zhihe-summary")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    full = config.getoption("--full") or "full" in config.getoption("markexpr")
    for item in items:
        for name in _FIXTURES.keys() & getattr(item, "fixturenames", ()):
            item.add_marker(_FIXTURES[name])
        if not full and item.get_closest_marker("full"):
            item.add_marker(pytest.mark.skip(reason=_NEEDS_FULL))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    return _strict(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    return _strict(report)


def _strict(report: _Report) -> _Report:
    """In CI a skip is a failure: it would hide that a part of the machine is missing."""
    if report.outcome == "skipped" and os.environ.get("CI") == "true":
        reason = _reason(report)
        if reason and reason != _NEEDS_FULL:
            report.outcome = "failed"
            report.longrepr = f"CI 中不能跳过：{reason}"
    return report


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Of a skip; empty for an expected failure, which pytest also counts as skipped."""
    if hasattr(report, "wasxfail") or not isinstance(report.longrepr, tuple):
        return ""
    return report.longrepr[2].removeprefix("Skipped: ")


class _Summary:
    """In the process that prints: gathers what all test processes report."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._left_out: Counter[str] = Counter()
        self._rows: list[tuple[str, dict[str, str | int | None]]] = []
        self._outcomes: Counter[str] = Counter()
        self._ran: set[str] = set()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.outcome == "skipped":
            self._left_out[_reason(report)] += 1

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.outcome == "skipped":
            self._left_out[_reason(report)] += 1
        if report.when == "call" or report.outcome == "failed":
            self._outcomes[report.outcome] += 1
            self._ran.add(report.nodeid)
        if report.when == "call" and report.outcome == "passed":
            rows = [value for name, value in report.user_properties if name == _ROW]
            self._rows += [(report.nodeid, row) for row in rows if isinstance(row, dict)]

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self) -> Generator[None]:
        yield
        if self._config.getoption("--full"):
            outcomes = f"{self._outcomes['passed']} 项通过，{self._outcomes['failed']} 项未通过"
            rows = [verification.row(test, noted) for test, noted in self._rows]
            verification.write(rows, self._ran, outcomes if self._whole() else "")
        left_out = [f"{reason}（{n} 项）" for reason, n in self._left_out.items() if reason]
        if left_out:
            print(f"\n未运行：{'；'.join(left_out)}")

    def _whole(self) -> bool:
        """Part of the tests says nothing of the rest."""
        chosen = self._config.getoption("keyword") or self._config.getoption("markexpr")
        return not chosen and self._config.args_source is not pytest.Config.ArgsSource.ARGS
