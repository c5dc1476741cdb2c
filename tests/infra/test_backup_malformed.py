"""A backup that somebody changed by hand is refused with a sentence, and leaves nothing behind."""

import hashlib
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra import backup, restore
from infra.archive import Archive
from infra.migrate import migrate
from infra.settings import Settings
from infra.wiring import build_parts, close_parts
from market.kit.db import Database
from market.kit.dump import revision
from market.kit.errors import Invalid
from tests import factories

Members = dict[str, bytes]
Change = Callable[[Members, dict[str, Any]], object]
PERSON = "tables/person"


def quiet(_step: str, _done: int, _total: int) -> None:
    pass


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The backup of a market with one person."""
    folder = tmp_path_factory.mktemp("saved")
    settings = Settings(data_dir=folder / "data")
    migrate(settings.database)
    parts = build_parts(settings)
    factories.person(parts)
    close_parts(parts)
    path, _ = backup.save(settings, folder / "good.zip", quiet)
    return path


@pytest.fixture
def good(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(saved, tmp_path / "good.zip"))


def changed(good: Path, change: Change) -> Path:
    """Return a copy of a backup with something changed, and its digests right again. A change may
    return what stands in place of the manifest.
    """
    with zipfile.ZipFile(good) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(members.pop("manifest.json"))
    instead = change(members, manifest)
    if instead is None:
        for one in manifest["members"]:
            content = members[one["name"]]
            one |= {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    path = good.with_name("changed.zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        told = json.dumps(manifest) if instead is None else instead
        archive.writestr(
            "manifest.json", told if isinstance(told, str | bytes) else json.dumps(told)
        )
    return path


def said(**values: object) -> Change:
    """Change entries of the manifest."""
    return lambda _members, manifest: {**manifest, **values}


def without(name: str) -> Change:
    return lambda _members, manifest: {n: v for n, v in manifest.items() if n != name}


def of_a_member(**values: object) -> Change:
    def change(_members: Members, manifest: dict[str, Any]) -> object:
        first = {n: v for n, v in {**manifest["members"][0], **values}.items() if v is not None}
        return {**manifest, "members": [first, *manifest["members"][1:]]}

    return change


def rows(name: str, value: object) -> Change:
    def change(_members: Members, manifest: dict[str, Any]) -> object:
        return {**manifest, "rows": {**manifest["rows"], name: value}}

    return change


def lines(edit: Callable[[list[bytes]], list[bytes]]) -> Change:
    """Change the lines of the table of people; the first are its columns."""

    def change(members: Members, _manifest: dict[str, Any]) -> None:
        members[PERSON] = b"\n".join(edit(members[PERSON].splitlines()))

    return change


def first_row(line: bytes) -> Change:
    return lines(lambda found: [found[0], line, *found[2:]])


def head(line: bytes) -> Change:
    return lines(lambda found: [line, *found[1:]])


def no_secret(members: Members, manifest: dict[str, Any]) -> None:
    del members["keys/secret"]
    manifest["members"] = [one for one in manifest["members"] if one["name"] != "keys/secret"]


def secret(content: bytes) -> Change:
    def change(members: Members, _manifest: dict[str, Any]) -> None:
        members["keys/secret"] = content

    return change


def another_table(name: str) -> Change:
    def change(members: Members, manifest: dict[str, Any]) -> None:
        members[f"tables/{name}"] = b'[["name","text"]]\n["x"]\n'
        manifest["members"].append({"name": f"tables/{name}"})
        manifest["rows"][name] = 1

    return change


def edited(**values: object) -> Change:
    """Change a person's row by column."""

    def edit(found: list[bytes]) -> list[bytes]:
        names = [name for name, _ in json.loads(found[0])]
        row = dict(zip(names, json.loads(found[1]), strict=True)) | values
        return [found[0], json.dumps(list(row.values())).encode(), *found[2:]]

    return lines(edit)


MANIFESTS: dict[str, Change] = {
    "a list": lambda _m, _f: "[]",
    "null": lambda _m, _f: "null",
    "no JSON": lambda _m, _f: b"\xff\xfe{",
    "deep": lambda _m, _f: "[" * 100_000 + "]" * 100_000,
    "another entry": said(more=1),
    "no rows": without("rows"),
    "no members": without("members"),
    "members of another kind": said(members={"a": 1}),
    "a member without a name": of_a_member(name=None),
    "a member with more": of_a_member(more=1),
    "a size that is a text": of_a_member(size="9"),
    "a size below zero": of_a_member(size=-1),
    "a name that is a list": of_a_member(name=["x"]),
    "missing of no kind": said(missing=None),
    "a revision that is a list": said(revision=["x"]),
    "no revision": said(revision=None),
    "a later format": said(format=2),
    "a format that is a text": said(format="1"),
    "rows as a list": said(rows=[1]),
    "a count that is a text": rows("person", "x"),
    "a count that is true": rows("person", True),
    "a table without a member": rows("nowhere", 0),
    "no key": no_secret,
    "an empty key": secret(b""),
    "a key of a megabyte": secret(b"x" * 1_000_000),
}
TABLES: dict[str, Change] = {
    "the table of revisions": another_table("alembic_version"),
    "a table of the database itself": another_table("sqlite_master"),
    "another table": another_table("nowhere"),
    "another column": head(b'[["nowhere","text"]]'),
    "columns that are no JSON": head(b"x"),
    "columns that are an object": head(b'{"a":1}'),
    "columns that are a number": head(b"5"),
    "nothing at all": lines(lambda _found: [b""]),
    "a row that is an object": first_row(b'{"a":1}'),
    "a row that is a number": first_row(b"5"),
    "a row that is too short": first_row(b"[1]"),
    "a row within a row": edited(name=[1]),
    "a deep row": first_row(b"[" * 100_000 + b"]" * 100_000),
    "an integer beyond 64 bits": edited(id=10**30),
    "a row less": lines(lambda found: found[:1]),
    "a name that is missing": edited(name=None),
}


@pytest.mark.parametrize("change", MANIFESTS.values(), ids=MANIFESTS)
def test_a_manifest_that_is_none_touches_nothing(
    good: Path, tmp_path: Path, change: Change
) -> None:
    target = Settings(data_dir=tmp_path / "there")
    with pytest.raises(Invalid):
        restore.restore(target, changed(good, change), quiet)
    assert not target.data_dir.exists()


@pytest.mark.parametrize("change", TABLES.values(), ids=TABLES)
def test_rows_that_are_none_leave_nothing(good: Path, tmp_path: Path, change: Change) -> None:
    target = Settings(data_dir=tmp_path / "there")
    with pytest.raises(Invalid, match="请换一份备份"):
        restore.restore(target, changed(good, change), quiet)
    assert not target.data_dir.exists()


def test_what_was_there_stays(good: Path, tmp_path: Path) -> None:
    target = Settings(data_dir=tmp_path / "there")
    target.data_dir.mkdir()
    (target.data_dir / "logs").mkdir()
    Database(target.database).close()
    before = sorted(one.name for one in target.data_dir.iterdir())
    with pytest.raises(Invalid):
        restore.restore(target, changed(good, first_row(b"5")), quiet)
    assert sorted(one.name for one in target.data_dir.iterdir()) == before
    restore.restore(target, good, quiet)
    assert (target.data_dir / "secret").exists()


@pytest.mark.on_postgres
@pytest.mark.postgres
@pytest.mark.parametrize(
    "name", ["a row that is a number", "an integer beyond 64 bits", "a deep row"]
)
def test_rows_that_are_none_leave_nothing_on_postgresql(
    good: Path, tmp_path: Path, database_url: Callable[..., str], name: str
) -> None:
    target = Settings(data_dir=tmp_path / "there", database_url=database_url())
    with pytest.raises(Invalid, match="请换一份备份"):
        restore.restore(target, changed(good, TABLES[name]), quiet)
    assert not target.data_dir.exists()
    database = Database(target.database)
    with database.reader.connect() as connection:
        assert revision(connection) is None
    database.close()


def test_the_good_one_is_good(good: Path) -> None:
    with Archive(good) as archive:
        assert archive.manifest.rows["person"] == 1
