"""What discovery keeps for a time."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from market.discovery import repository_queries as repository
from market.discovery.queries import KEPT_FOR, UNUSED_FOR
from market.kit.across import Keep


def _sightings(session: Session, now: datetime, limit: int) -> int:
    return repository.expire_sightings(session, now - KEPT_FOR, limit)


def _queries(session: Session, now: datetime, limit: int) -> int:
    return repository.expire_queries(session, now - UNUSED_FOR, limit)


KEEPS: Sequence[Keep] = (
    Keep(
        "搜索词和机构的摘要（认不出原文和机构，用来数有几家搜过）",
        f"{KEPT_FOR.days}天",
        _sightings,
    ),
    Keep("多家机构搜过的词（不记是谁）", f"最近一次使用后{UNUSED_FOR.days}天", _queries),
)
