"""What fails outside the program (the database, the index, the data folder), as sentences for
operators.
"""

from sqlalchemy.exc import DBAPIError, OperationalError

from infra.settings import PREFIX
from market.kit import faults
from search.errors import SearchUnavailable

UNPREPARED = "数据库还没有准备好，请先运行 zhihe migrate"
_NO_TABLE = ("no such table", "no such column", "UndefinedTable", "UndefinedColumn")
_BUSY = ("database is locked", "database table is locked", "LockNotAvailable")


def sentence(error: Exception) -> str | None:
    """Return the sentence for a failure outside, None for one of our own making."""
    if faults.unwritable(error):
        return f"不能写入：{_why(error)}。腾出空间或改为可写之后再运行一次，已有的数据没有受损"
    if isinstance(error, OSError) and error.filename is not None:
        return f"不能使用 {error.filename}：{error.strerror}。请检查{PREFIX}DATA_DIR和文件的权限"
    if isinstance(error, SearchUnavailable):
        reason = str(error).partition("\n")[0]
        return f"搜索索引不能用：{reason}。请检查{PREFIX}SEARCH_URL，或数据目录里的index"
    if isinstance(error, DBAPIError):
        return _of_database(error)
    return None  # a closed pipe, say: not ours to explain


def _of_database(error: DBAPIError) -> str | None:
    cause = error.orig
    told = f"{type(cause).__name__}: {cause}"
    if any(name in told for name in _NO_TABLE):
        return UNPREPARED
    if not isinstance(error, OperationalError):
        return None
    if any(sign in told for sign in _BUSY):
        return "数据库正忙，请稍后再试"
    reason = str(cause).strip().partition("\n")[0]
    if "unable to open database file" in reason:
        reason = "数据库文件打不开，可能没有权限，或磁盘是只读的"
    return f"数据库不能用：{reason}。请检查{PREFIX}DATABASE_URL或{PREFIX}DATA_DIR"


def _why(error: Exception) -> str:
    if isinstance(error, OSError):
        where = f" {error.filename}" if error.filename else ""
        return faults.what(error).partition("：")[2] + where
    read_only = any(sign in str(error) for sign in ("readonly", "read-only"))
    return "数据库所在的磁盘是只读的" if read_only else "数据库所在的磁盘已满"
