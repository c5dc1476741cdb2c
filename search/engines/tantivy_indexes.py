"""Where the indexes of one schema lie in a folder, and which of them is live.

    tantivy-<fingerprint>             the first
    tantivy-<fingerprint>-2, -3, …    built anew beside it
    tantivy-<fingerprint>.live        names the live one; absent: the first

The pointer is replaced in one step, and readers look at it with every call.
"""

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

State = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    folder: Path
    fingerprint: str

    @property
    def first(self) -> str:
        return f"tantivy-{self.fingerprint}"

    @property
    def pointer(self) -> Path:
        return self.folder / f"{self.first}.live"

    def state(self) -> State:
        """Changes when another index becomes the live one."""
        try:
            return state_of(self.pointer)
        except FileNotFoundError:
            return ()

    def live(self) -> Path:
        try:
            return self.folder / self.pointer.read_text(encoding="ascii")
        except FileNotFoundError:
            return self.folder / self.first

    def point(self, path: Path) -> None:
        """Make this index the live one, for all who look from now on; on disk when it returns."""
        descriptor, name = tempfile.mkstemp(prefix="new-", dir=self.folder)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(path.name)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(self.pointer)
        _keep(self.folder)

    def all(self) -> dict[int, Path]:
        """The indexes that are there, by number."""
        found = {1: self.folder / self.first} if (self.folder / self.first).exists() else {}
        for path in self.folder.glob(f"{self.first}-*"):
            number = path.name.removeprefix(f"{self.first}-")
            if number.isdecimal():
                found[int(number)] = path
        return found

    def number(self, path: Path) -> int:
        return 1 if path.name == self.first else int(path.name.removeprefix(f"{self.first}-"))

    def next(self) -> Path:
        """A place for an index later than all; those later than the live one are removed: a build
        that was interrupted left them.
        """
        live = self.number(self.live())
        for number, path in self.all().items():
            if number > live:
                shutil.rmtree(path)
        return self.folder / f"{self.first}-{live + 1}"

    def drop_before(self, number: int) -> None:
        """Remove the indexes earlier than this one. Who still reads one keeps its open files."""
        for one, path in self.all().items():
            if one < number:
                shutil.rmtree(path)


def state_of(path: Path) -> State:
    status = path.stat()
    return status.st_mtime_ns, status.st_size, status.st_ino


def _keep(folder: Path) -> None:
    """See to it that a renamed file survives a power cut, where the system can be asked to."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
