"""The file of a backup: a zip whose last member, the manifest, names every other with its digest.

It is written beside its place under another name and renamed when it is whole and on disk, so that
what was cut short never looks like a backup. Members stream; of each only its name, size and digest
stay in memory.
"""

import contextlib
import hashlib
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, Final, Self, TypedDict, cast

from market.kit.errors import Invalid
from market.kit.files import names_to_disk

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
SECRET: Final = "keys/secret"  # noqa: S105  a name
TABLES, FILES = "tables/", "files/"
_BLOCK: Final = 1024 * 1024
_AT_ONCE: Final = 16 * _BLOCK
"""Bytes after which what was written goes to disk: one great flush at the end would make every
commit of the running database wait for it."""

# What zipfile raises for bytes that are not as they were: it trusts its directory.
_BROKEN: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    KeyError,
    ValueError,
    TypeError,
    RuntimeError,  # taken for an encrypted member, or one packed another way
)

Told = Callable[[int], None]
"""Hears of bytes as they are read."""


class Member(TypedDict):
    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the backup is of. `rows` by table, times in UTC as ISO 8601.

    The data are as they were at one moment between `begun` and `ended`. `missing` names, by sha256,
    bytes that were gone or damaged already.
    """

    format: int
    product: str
    database: str
    revision: str
    begun: str
    ended: str
    rows: Mapping[str, int]
    missing: tuple[str, ...]
    members: tuple[Member, ...]


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _are_counts(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_count, value.values()))


def _are_members(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, dict)
        and one.keys() == Member.__annotations__.keys()
        and isinstance(one["name"], str)
        and _is_count(one["size"])
        and isinstance(one["sha256"], str)
        for one in value
    )


_LOOKS: Final[Mapping[str, Callable[[object], bool]]] = {
    "format": _is_count,
    **dict.fromkeys(
        ("product", "database", "revision", "begun", "ended"), lambda value: isinstance(value, str)
    ),
    "rows": _are_counts,
    "missing": _are_texts,
    "members": _are_members,
}


def _manifest(path: Path, given: object) -> Manifest:
    """Return a manifest as it was read. Raises Invalid for another format, or none at all."""
    if isinstance(given, dict) and _is_count(given.get("format")) and given["format"] != FORMAT:
        raise Invalid(
            f"{path} 的备份格式是{given['format']}，这个版本的程序读格式{FORMAT}，"
            "请用做这份备份的版本或更新的版本"
        )
    if not isinstance(given, dict) or given.keys() != _LOOKS.keys():
        raise Invalid(f"{path} 的清单缺少项目，或有不认识的项目，请换一份备份")
    if wrong := [name for name, fits in _LOOKS.items() if not fits(given[name])]:
        raise Invalid(f"{path} 的清单里{wrong[0]}一项写得不对，请换一份备份")
    names = [one["name"] for one in given["members"]]
    tables = {one.removeprefix(TABLES) for one in names if one.startswith(TABLES)}
    if len(set(names)) < len(names) or tables != given["rows"].keys() or SECRET not in names:
        raise Invalid(f"{path} 的清单与它列出的内容对不上，请换一份备份")
    return Manifest(
        **given | {"members": tuple(given["members"]), "missing": tuple(given["missing"])}
    )


class Writer:
    """Writes one archive. Use as a context: what is not finished is removed."""

    def __init__(self, target: Path) -> None:
        """Raises Invalid where something is in the place already, OSError where none can be."""
        if target.exists():
            raise Invalid(f"{target} 已经存在，备份不会覆盖任何文件，请换一个名称")
        self._target = target
        self._part = target.with_name(f"{target.name}.part")
        self._members: list[Member] = []
        self._unwritten = 0
        self._part.unlink(missing_ok=True)  # of a backup that was cut short
        descriptor = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = os.fdopen(descriptor, "wb")
        self._zip = zipfile.ZipFile(self._file, "w", compresslevel=1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._file.closed:
            with contextlib.suppress(OSError, ValueError):
                self._zip.close()
            with contextlib.suppress(OSError):
                self._file.close()
            self._part.unlink(missing_ok=True)

    @property
    def newest(self) -> Member:
        return self._members[-1]

    @contextmanager
    def member(self, name: str, *, packed: bool) -> Iterator[Callable[[bytes], None]]:
        """Yield what to call with the bytes of a new member, piece by piece."""
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
        digest, size = hashlib.sha256(), 0
        with self._zip.open(info, "w", force_zip64=True) as stream:

            def write(piece: bytes) -> None:
                nonlocal size
                stream.write(piece)
                digest.update(piece)
                size += len(piece)
                self._unwritten += len(piece)
                if self._unwritten >= _AT_ONCE:
                    self._to_disk()

            yield write
        self._members.append({"name": name, "size": size, "sha256": digest.hexdigest()})

    def finish(
        self,
        *,
        product: str,
        database: str,
        revision: str,
        begun: str,
        ended: str,
        rows: Mapping[str, int],
        missing: Sequence[str],
    ) -> Manifest:
        """Write the manifest and put the archive in its place."""
        manifest = Manifest(
            FORMAT,
            product,
            database,
            revision,
            begun,
            ended,
            rows,
            tuple(missing),
            tuple(self._members),
        )
        told = json.dumps(asdict(manifest), ensure_ascii=False, indent=1)
        self._zip.writestr(MANIFEST, told, zipfile.ZIP_DEFLATED)
        self._zip.close()
        self._to_disk()
        self._file.close()
        self._part.rename(self._target)
        names_to_disk(self._target.parent)
        return manifest

    def _to_disk(self) -> None:
        self._unwritten = 0
        self._file.flush()
        os.fsync(self._file.fileno())


class Archive:
    """An archive to read. Raises Invalid for a file that is none, is cut short or is newer."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with contextlib.ExitStack() as opened:
            try:
                self._zip = opened.enter_context(zipfile.ZipFile(path))
                given = json.loads(self._zip.read(MANIFEST))
            except _BROKEN as error:
                raise Invalid(f"{path} 不是完整的备份：{error}。请换一份备份") from None
            self.manifest = _manifest(path, given)
            opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    @property
    def size(self) -> int:
        return sum(one["size"] for one in self.manifest.members)

    def verify(self, told: Told) -> None:
        """Read every member and hold it against the manifest. Raises Invalid for the first that
        does not agree.
        """
        named = [one["name"] for one in self.manifest.members]
        if sorted(self._zip.namelist()) != sorted([*named, MANIFEST]):
            raise Invalid(f"{self.path} 里的内容与它的清单不符，请换一份备份")
        for one in self.manifest.members:
            digest, size = hashlib.sha256(), 0
            try:
                for piece in self.pieces(one["name"]):
                    digest.update(piece)
                    size += len(piece)
                    told(len(piece))
            except _BROKEN as error:
                raise self._broken(one["name"], f"（{error}）") from None
            if (size, digest.hexdigest()) != (one["size"], one["sha256"]):
                raise self._broken(one["name"])

    def _broken(self, name: str, why: str = "") -> Invalid:
        return Invalid(f"{self.path} 里的 {name} 已损坏{why}，请换一份备份")

    def open(self, name: str) -> BinaryIO:
        return cast("BinaryIO", self._zip.open(name))

    def pieces(self, name: str) -> Iterator[bytes]:
        with self.open(name) as stream:
            while piece := stream.read(_BLOCK):
                yield piece
