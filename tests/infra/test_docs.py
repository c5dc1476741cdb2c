"""The operator's manual speaks of commands, settings, figures and files that exist."""

import re
import shlex
from dataclasses import fields
from pathlib import Path

import click
import pytest

from infra.cli import main
from infra.settings import Settings
from market.payments.stripe import EVENTS
from tests.infra.test_metrics import everything
from tests.support.clock import FakeClock
from tests.support.running import Running

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
HEADINGS = (
    "安装", "设置", "启动与停止", "备份与恢复", "核对", "监控与告警", "日志",
    "出了问题怎么办", "升级", "容量", "安全清单", "保留期限",
)  # fmt: skip
COMMAND = re.compile(r"(?:^|`|/)zhihe ([a-z][^`\n|]*)", re.MULTILINE)


def sections() -> dict[str, str]:
    parts = re.split(r"^## (.+)$", TEXT, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def commands() -> list[str]:
    return sorted({one.strip() for one in COMMAND.findall(TEXT)})


@pytest.mark.parametrize("heading", HEADINGS)
def test_no_section_is_empty(heading: str) -> None:
    assert len(sections()[heading].strip()) > 80, heading


@pytest.mark.parametrize("line", commands())
def test_every_command_exists(line: str) -> None:
    """The names of commands and of their options, whatever stands for the arguments."""
    words = shlex.split(line)
    command: click.Command = main
    while isinstance(command, click.Group):
        assert words, line
        assert words[0] in command.commands, line
        command = command.commands[words.pop(0)]
    known = {name for param in command.params for name in param.opts} | {"--help"}
    for word in words:
        if word.startswith("--"):
            assert word.partition("=")[0] in known, f"{word} in {line}"


def test_commands_are_named_at_all() -> None:
    named = {line.split()[0] for line in commands()}
    assert {"up", "serve", "worker", "indexer", "migrate", "alive", "backup", "audit"} <= named


def test_every_setting_exists() -> None:
    known = {f"ZHIHE_{one.name.upper()}" for one in fields(Settings)}
    for name in set(re.findall(r"ZHIHE_[A-Z_]+", TEXT)):
        assert name.removesuffix("_FILE") in known, name


def test_every_event_of_stripe_is_named() -> None:
    assert [one for one in EVENTS if f"`{one}`" not in TEXT] == []


def test_every_file_exists() -> None:
    for path in set(re.findall(r"`((?:infra|docs)/[\w./-]+)`", TEXT)):
        assert (ROOT / path).exists(), path


def test_every_figure_exists_and_is_explained(running: Running, clock: FakeClock) -> None:
    there = everything(running, clock)
    there |= {name.removesuffix("_bucket"): {} for name in there}
    named = set(re.findall(r"`(zhihe_[a-z_]+)`", TEXT))
    assert named <= there.keys()
    own = {re.sub(r"_(bucket|sum|count)$", "", name) for name in there if "zhihe_" in name}
    assert own <= named, "each figure is explained"


def test_the_page_of_operators_is_where_it_is_said_to_be(running: Running) -> None:
    assert "`/operations`" in TEXT
    assert running.api().get("/operations").status_code == 401
