"""What imports keep for how long: a file may hold names that nobody put on a page."""

from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session

from market.imports import repository_retention as repository
from market.imports import waiting
from market.kit.across import Keep

ENDED: Final = timedelta(days=365)


def _runs(session: Session, now: datetime, limit: int) -> int:
    """Delete rows of the oldest run that is past its time, and last the run itself."""
    run = repository.oldest_before(session, now - ENDED)
    if run is None:
        return 0
    if count := repository.drop_rows(session, run, limit):
        return count
    waiting.gone(session, run, at=now)
    return repository.drop(session, run)


KEEPS: Final = (Keep("导入的表格、逐行结果和问题", "导入结束后1年，之后不能再撤销", _runs),)
