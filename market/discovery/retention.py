"""What matching keeps for how long."""

from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session

from market.discovery import repository_judged as repository
from market.kit.across import Keep

SHOWN: Final = timedelta(days=400)


def _shown(session: Session, now: datetime, limit: int) -> int:
    return repository.drop_shown(session, now - SHOWN, limit)


KEEPS: Final = (
    Keep("匹配页上每项成果排在第几（不记是谁看的）", f"最近一次显示后{SHOWN.days}天", _shown),
)
