"""Files brought over to the store that the settings name."""

from infra.backup import files_lock
from infra.settings import PREFIX, SettingError, Settings
from infra.wiring import build_parts, close_parts
from market.kit.errors import Conflict
from market.kit.files_shared import Moved, Moving, move


def move_files(settings: Settings) -> Moved:
    """Move everything that is in the other store. Raises Conflict beside a backup, SettingError
    where there is one store only.
    """
    lock = files_lock(settings)
    if not lock.take():
        raise Conflict("另一个备份或清理正在进行，请等它结束后再试")
    try:
        parts = build_parts(settings)
        try:
            if not isinstance(parts.files, Moving):
                raise SettingError(
                    f"用SQLite时文件都在数据目录里，{PREFIX}DATABASE_URL是PostgreSQL时才有两处"
                )
            return move(parts.files)
        finally:
            close_parts(parts)
    finally:
        lock.release()
