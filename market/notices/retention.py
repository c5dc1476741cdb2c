"""What the inbox keeps for how long."""

from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session

from market.kit.across import Keep
from market.notices import repository

READ: Final = timedelta(days=365)
UNREAD: Final = timedelta(days=730)


def _settled(session: Session, now: datetime, limit: int) -> int:
    return repository.drop_settled(
        session, read_before=now - READ, before=now - UNREAD, limit=limit
    )


KEEPS: Final = (Keep("办完的待办、看过的消息", "1年；没有人看过的消息2年", _settled),)
