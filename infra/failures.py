"""What fails outside the program (the database, the data folder), as sentences for operators."""

from sqlalchemy.exc import DBAPIError, OperationalError

from infra.settings import PREFIX

UNPREPARED = "数据库还没有准备好，请先运行 zhihe migrate"
_NO_TABLE = ("no such table", "no such column", "UndefinedTable", "UndefinedColumn")


def sentence(error: Exception) -> str | None:
    """Return the sentence for a failure outside, None for one of our own making."""
    if isinstance(error, OSError):
        if error.filename is None:  # a closed pipe, say: not ours to explain
            return None
        return f"不能使用 {error.filename}：{error.strerror}。请检查{PREFIX}DATA_DIR和文件的权限"
    if not isinstance(error, DBAPIError):
        return None
    cause = error.orig
    told = f"{type(cause).__name__}: {cause}"
    if any(name in told for name in _NO_TABLE):
        return UNPREPARED
    if not isinstance(error, OperationalError):
        return None
    reason = str(cause).strip().partition("\n")[0]
    return f"数据库不能用：{reason}。请检查{PREFIX}DATABASE_URL或{PREFIX}DATA_DIR"
