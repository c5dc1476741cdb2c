"""What may be said of an exception in a log or to an operator: never what people entered.

Messages of exceptions repeat values (`Key (email)=(…) already exists`, `KeyError: '…'`), so they
are left out. What is kept: the class, the place in the code, and of the database's refusals the
code and the constraint.
"""

import errno
import traceback
from pathlib import PurePath
from typing import Final

from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError

_ROOMS: Final = ("search", "market", "frontend", "infra")
_CAUSES: Final = {
    errno.ENOSPC: "磁盘已满",
    errno.EDQUOT: "磁盘配额已用完",
    errno.EROFS: "数据目录是只读的",
    errno.EACCES: "没有权限",
    errno.EIO: "磁盘读写出错",
    errno.EFBIG: "文件超过了系统允许的大小",
    errno.EMFILE: "打开的文件太多",
}
_DATABASE: Final = (
    ("database or disk is full", "磁盘已满"),
    ("No space left on device", "磁盘已满"),
    ("readonly database", "数据库是只读的"),
    ("read-only", "数据库是只读的"),
    ("database is locked", "数据库正忙"),
    ("disk I/O error", "磁盘读写出错"),
    ("unable to open database file", "数据库文件打不开"),
    ("not a database", "数据库文件已损坏"),
    ("malformed", "数据库文件已损坏"),
    ("no such table", "数据库结构没有建好"),
    ("does not exist", "数据库结构没有建好"),
    ("too many connections", "数据库的连接已用完"),
    ("too many clients", "数据库的连接已用完"),
    ("onnection", "连不上数据库"),
)
_FULL: Final = ("disk is full", "No space left", "readonly database", "read-only", "disk I/O error")
_UNWRITABLE: Final = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)
LENGTH: Final = 300


def told(error: BaseException) -> str:
    """Return one sentence on a failure: what it was and where in the code."""
    place = where(error)
    return f"{what(error)}{f'（{place}）' if place else ''}"[:LENGTH]


def what(error: BaseException) -> str:
    """Return the failure without a value that anybody entered."""
    name = type(error).__name__
    if isinstance(error, DBAPIError):
        return _of_database(error)
    if isinstance(error, OSError):
        return f"{name}：{_CAUSES.get(error.errno or 0, error.strerror or '')}".rstrip("：")
    return name


def where(error: BaseException) -> str:
    """Return the innermost place in our own code, `market/kit/jobs.py:120 run_one`."""
    own = [place for place in frames(error) if place.startswith(tuple(f"{r}/" for r in _ROOMS))]
    return own[-1] if own else ""


def frames(error: BaseException) -> list[str]:
    """Return where the exception passed, outermost first, without locals or source lines."""
    return [
        f"{_short(frame.f_code.co_filename)}:{line} {frame.f_code.co_name}"
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]


def unwritable(error: BaseException) -> bool:
    """Tell whether the disk is what fails: full, over its quota, or read-only."""
    if isinstance(error, OperationalError):
        return any(sign in str(error.orig) for sign in _FULL)
    return isinstance(error, OSError) and error.errno in _UNWRITABLE


def outside(error: BaseException) -> bool:
    """Tell whether something beyond the program fails (database, disk) and may come back."""
    if isinstance(error, OperationalError) or type(error) is DatabaseError:
        return True
    return isinstance(error, OSError) and error.errno in _CAUSES


def _of_database(error: DBAPIError) -> str:
    cause = error.orig
    name = type(cause).__name__ if cause is not None else type(error).__name__
    parts = [part for part in (getattr(cause, "sqlstate", None), _constraint(cause)) if part]
    if outside(error):
        message = str(cause)
        parts += [said for sign, said in _DATABASE if sign in message][:1]
    return "：".join([name, " ".join(parts)]) if parts else name


def _constraint(cause: BaseException | None) -> str | None:
    diagnosis = getattr(cause, "diag", None)
    return getattr(diagnosis, "constraint_name", None)


def _short(filename: str) -> str:
    parts = PurePath(filename).parts
    for room in _ROOMS:
        if room in parts:
            return "/".join(parts[len(parts) - 1 - parts[::-1].index(room) :])
    return "/".join(parts[-2:])
