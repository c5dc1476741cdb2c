"""What discovery keeps for a time: what people searched for, and what was shown to them."""

from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session

from market.discovery import repository_judged, repository_queries
from market.discovery.queries import KEPT_FOR, UNUSED_FOR
from market.kit.across import Keep

SHOWN: Final = timedelta(days=400)


def _sightings(session: Session, now: datetime, limit: int) -> int:
    return repository_queries.expire_sightings(session, now - KEPT_FOR, limit)


def _queries(session: Session, now: datetime, limit: int) -> int:
    return repository_queries.expire_queries(session, now - UNUSED_FOR, limit)


def _shown(session: Session, now: datetime, limit: int) -> int:
    return repository_judged.drop_shown(session, now - SHOWN, limit)


KEEPS: Final = (
    Keep(
        "搜索词和机构的摘要（认不出原文和机构，用来数有几家搜过）",
        f"{KEPT_FOR.days}天",
        _sightings,
    ),
    Keep("多家机构搜过的词（不记是谁）", f"最近一次使用后{UNUSED_FOR.days}天", _queries),
    Keep("匹配页上每项成果排在第几（不记是谁看的）", f"最近一次显示后{SHOWN.days}天", _shown),
)
