"""The tree keeps the house rules, and each rule catches what it is for."""

import subprocess
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from infra.settings import PREFIX, Settings
from tests.conventions import rules

ROOT = Path(__file__).resolve().parents[2]
FLOORS = {
    "starlette": "1.3.1",  # Host header past path authorisation; Range denial of service
    "python-multipart": "0.0.27",
}

Rule = Callable[[rules.Tree], Iterator[str]]


@pytest.fixture(scope="module")
def tree() -> dict[str, str]:
    """Every text file that is, or without a .gitignore entry would be, in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    found = {}
    for name in filter(None, listed.stdout.decode().split("\0")):
        path = ROOT / name
        raw = path.read_bytes() if path.is_file() else b"\0"
        if b"\0" not in raw:
            found[name] = raw.decode("utf-8")
    return found


LONG_FUNCTION = "def long() -> None:\n" + "    pass\n" * 50
BROKEN: list[tuple[Rule, str, str]] = [
    (rules.too_long, "market/kit/x.py", "x = 1\n" * 401),
    (rules.too_long, "infra/x.py", LONG_FUNCTION),
    (rules.sql_outside_repositories, "market/deals/service.py", "from sqlmodel import select"),
    (rules.sql_outside_repositories, "frontend/pages/x.py", "from sqlalchemy.sql import text"),
    (rules.sql_outside_repositories, "market/x.py", "work.session.exec(query)"),
    (rules.sql_outside_repositories, "market/x.py", "session.get(Person, 1)"),
    (rules.environment_read_elsewhere, "market/x.py", "import os\nos.environ['A']"),
    (rules.environment_read_elsewhere, "infra/cli.py", "from os import getenv"),
    (rules.htmx_headers_elsewhere, "frontend/pages/x.py", "NAME = 'HX-Request'"),
    (rules.forbidden_words, "docs/x.md", "pip install -i https://" + "pypi" + ".org/simple"),
    (rules.forbidden_words, "README.md", "cd /wo" + "rk/main"),
    (rules.stripe_unverified, "market/deals/x.py", "import stripe"),
    (rules.stripe_unverified, "market/deals/x.py", "from stripe.checkout import Session"),
    (
        rules.stripe_unverified,
        rules.STRIPE,
        "stripe.Webhook.construct_event_without_verification(b)",
    ),
    (rules.forbidden_words, "market/x.py", "# written by Clau" + "de"),
]
ALL = [
    rules.too_long,
    rules.sql_outside_repositories,
    rules.environment_read_elsewhere,
    rules.htmx_headers_elsewhere,
    rules.stripe_unverified,
    rules.forbidden_words,
    rules.registries_in_locks,
]


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.__name__)
def test_the_tree_keeps_the_rule(rule: Rule, tree: rules.Tree) -> None:
    assert list(rule(tree)) == []


@pytest.mark.parametrize(("rule", "path", "text"), BROKEN)
def test_the_rule_catches(rule: Rule, path: str, text: str) -> None:
    assert list(rule({path: text}))


def test_the_rule_on_locks_catches() -> None:
    fine = {"requirements.lock": "a==1 \\\n    --hash=sha256:00\n", "package-lock.json": "{}"}
    index = {**fine, "requirements.lock": "--index-url https://example.com/simple\na==1\n"}
    resolved = {**fine, "package-lock.json": '"resolved": "https://example.com/a.tgz"'}
    assert list(rules.registries_in_locks(fine)) == []
    assert list(rules.registries_in_locks(index))
    assert list(rules.registries_in_locks(resolved))


def locked(tree: rules.Tree) -> dict[str, Version]:
    lines = tree["requirements.lock"].splitlines()
    pairs = (line.split(" ")[0].split("==") for line in lines if line[:1].isalnum())
    return {name: Version(version) for name, version in pairs}


def test_packages_with_known_holes_are_above_the_fixed_release(tree: rules.Tree) -> None:
    versions = locked(tree)
    for name, floor in FLOORS.items():
        assert versions[name] >= Version(floor), name


def test_the_lock_satisfies_what_the_project_asks_for(tree: rules.Tree) -> None:
    versions = locked(tree)
    project = tomllib.loads(tree["pyproject.toml"])
    asked = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    wrong = [
        text
        for text in asked
        if (need := Requirement(text))
        and versions.get(canonicalize_name(need.name)) not in need.specifier
    ]
    assert wrong == []


def test_every_setting_is_documented_and_nothing_else(tree: rules.Tree) -> None:
    settings = {f"{PREFIX}{name.upper()}" for name in Settings.__dataclass_fields__}
    page = tree["docs/settings.md"]
    rows = {line.split("`")[1] for line in page.splitlines() if line.startswith("| `" + PREFIX)}
    assert rows == settings
