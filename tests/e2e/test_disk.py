"""A full disk and a read-only one: said in a sentence, nothing damaged, and work goes on after."""

import os
import resource
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from infra.audit import look
from infra.migrate import migrate
from infra.settings import Settings
from infra.wiring import build_parts, close_parts
from market.accounts.policy import Role
from market.discovery.drain import left_to_do
from tests import factories
from tests.support.machine import Machine, Nursery, until

ROOT = Path(__file__).resolve().parents[2]


class Disk:
    """A small disk where one may be mounted; elsewhere a limit on what processes write."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)]
        self.mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0

    @contextmanager
    def full(self, machine: Machine) -> Iterator[None]:
        ballast = self.folder / "ballast"
        if self.mounted:
            fill(ballast)
        else:
            for pid in machine.pids.values():
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        yield
        ballast.unlink(missing_ok=True)
        for pid in machine.pids.values():
            unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, unlimited)

    @contextmanager
    def read_only(self) -> Iterator[None]:
        subprocess.run(["mount", "-o", "remount,ro", str(self.folder)], check=True)
        yield
        subprocess.run(["mount", "-o", "remount,rw", str(self.folder)], check=True)

    def close(self) -> None:
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.folder)], check=True)


def fill(ballast: Path) -> None:
    def write(size: int) -> None:
        while True:
            file.write(b"0" * size)

    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            with pytest.raises(OSError, match="No space left"):
                write(size)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    made = Disk(tmp_path / "disk")
    yield made
    made.close()


@pytest.fixture
def settings(disk: Disk) -> Settings:
    made = Settings(data_dir=disk.folder / "data")
    migrate(made.database)
    return made


def zhihe(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "ZHIHE_DATA_DIR": str(settings.data_dir)}
    return subprocess.run(
        [sys.executable, "-m", "infra.cli", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_full_disk_loses_nothing_and_work_goes_on(
    disk: Disk, settings: Settings, nursery: Nursery
) -> None:
    parts = build_parts(settings)
    school = factories.organisation(parts, self_publish=True)
    token = factories.token(parts, factories.actor(parts, Role.MANAGER, school))
    with (
        Machine(nursery, settings) as machine,
        httpx.Client(
            base_url=f"{machine.url}/api/v1",
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        ) as client,
    ):

        def create(title: str) -> httpx.Response:
            key = {"Idempotency-Key": uuid.uuid4().hex}
            given = {"title": title, "body": "检" * 5_000}
            return client.post("/my/achievements", json=given, headers=key)

        def published(number: int) -> str:
            made = create(f"成果{number}号").json()
            assert client.post(f"/my/listings/{made['id']}/submission").is_success
            return str(made["id"])

        kept = [published(n) for n in range(3)]
        until(lambda: left_to_do(parts).total == 0, 60, "all is indexed")
        with disk.full(machine):
            answers = [create(f"满{n}") for n in range(3)]
            assert {one.status_code for one in answers} == {503}, answers[0].text
            assert "磁盘" in answers[0].text
            assert client.get(f"/listings/{kept[0]}").status_code == 200
            assert httpx.get(f"{machine.url}/search", timeout=30).status_code == 200
            assert (
                client.post(
                    "/my/imports",
                    data={"kind": "achievement"},
                    files={"file": ("成果.csv", "编号,成果名称\n1,甲\n".encode(), "text/csv")},
                ).status_code
                == 503
            )
        more = [published(n) for n in range(3, 6)]
        until(lambda: left_to_do(parts).total == 0, 90, "all is indexed")
        listed = client.get("/my/listings").json()["items"]
        assert {one["id"] for one in listed} == {*kept, *more}
        report = look(settings, parts, lambda *_: None)
        assert not report.findings, report.findings
    close_parts(parts)


def test_commands_say_that_the_disk_is_full(disk: Disk, settings: Settings, tmp_path: Path) -> None:
    assert zhihe(settings, "demo").returncode == 0
    if disk.mounted:
        fill(disk.folder / "ballast")
        where = disk.folder / "backup.zip"
    else:
        where = Path("/dev/full/backup.zip")
    told = zhihe(settings, "backup", str(where))
    assert told.returncode == 1
    assert "Traceback" not in told.stderr
    assert "磁盘已满" in told.stderr or not disk.mounted, told.stderr
    assert not list(disk.folder.glob("*.zip*"))
    (disk.folder / "ballast").unlink(missing_ok=True)
    assert zhihe(settings, "backup", str(tmp_path / "elsewhere.zip")).returncode == 0


def test_a_read_only_folder_is_said_at_the_start(disk: Disk, settings: Settings) -> None:
    parts = build_parts(settings)
    factories.organisation(parts)
    close_parts(parts)
    if not disk.mounted:
        told = zhihe(Settings(data_dir=Path("/sys/zhihe")), "serve")
        assert told.returncode == 1
        assert "/sys/zhihe" in told.stderr
        return
    with disk.read_only():
        for command in ("serve", "worker", "indexer", "migrate"):
            told = zhihe(settings, command)
            assert told.returncode == 1, (command, told.stdout, told.stderr)
            assert "Traceback" not in told.stderr, told.stderr
            assert "只读" in told.stderr, (command, told.stderr)
    parts = build_parts(settings)
    assert "索引" not in str(look(settings, parts, lambda *_: None).findings)
    close_parts(parts)
