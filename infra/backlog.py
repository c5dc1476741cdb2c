"""What the index and the matcher owe, how far they are behind, and what was set aside: for the
command line.
"""

from contextlib import closing
from datetime import UTC, datetime
from typing import Any, Final

from sqlmodel import Session

from infra.demo.load import LOADED
from infra.settings import Settings
from infra.wiring import open_reader
from market.accounts.work import Parts
from market.discovery import rebuild
from market.kit import audit, upkeep
from market.kit.changes import Consumer, DeliveryState
from market.kit.clock import local_text
from search.errors import SearchUnavailable

LAST: Final = 200
"""Changes by which the lag is told."""
SHOWN: Final = 50
NAMES: Final = {Consumer.INDEX: "索引", Consumer.MATCH: "匹配"}


def backlog(settings: Settings, parts: Parts) -> dict[str, Any]:
    """Return the state of both consumers: counts, the oldest's age and the last ones' lag in
    seconds (None for none), and what was set aside, the oldest first.
    """
    found: dict[str, Any] = {"documents": _documents(settings)}
    found["rebuilding"] = rebuild.asked(parts) is not None
    now = parts.clock.now()
    with parts.database.read() as session:
        loads = upkeep.delivery_loads(session)
        for consumer in Consumer:
            mine = {one.state: one for one in loads if one.kind == consumer}
            owed = [one for state, one in mine.items() if state != DeliveryState.ASIDE]
            oldest = min((one.oldest for one in owed), default=None)
            aside = mine.get(DeliveryState.ASIDE)
            found[consumer.value] = {
                "owed": sum(one.count for one in owed),
                "aside": 0 if aside is None else aside.count,
                "oldest_seconds": None
                if oldest is None
                else round((now - oldest).total_seconds(), 1),
                "lag": _lag(upkeep.lags(session, consumer, last=LAST, since=_begun(session))),
            }
        found["aside"] = [
            {
                "id": one.id,
                "consumer": one.consumer.value,
                "subject": f"{one.subject_kind.value} {one.subject_id}",
                "attempts": one.attempts,
                "changed_at": one.changed_at.isoformat(),
                "changed_at_local": local_text(one.changed_at),
                "reason": one.error,
            }
            for one in upkeep.set_aside(session, limit=SHOWN)
        ]
    return found


def lines(found: dict[str, Any]) -> list[str]:
    """Return the same as sentences."""
    documents = found["documents"]
    told = ["索引现在不能用" if documents is None else f"索引里有{documents}条"]
    if found["rebuilding"]:
        told.append("正在旁边另建一个索引")
    for consumer, name in NAMES.items():
        mine = found[consumer.value]
        oldest, lag = mine["oldest_seconds"], mine["lag"]
        waits = "" if oldest is None else f"，最早的等了{oldest}秒"
        told.append(f"{name}：等待{mine['owed']}条{waits}；搁置{mine['aside']}条")
        if lag is not None:
            times = f"中位{lag['p50']}秒，99%在{lag['p99']}秒内，最长{lag['max']}秒"
            told.append(f"  最近{lag['changes']}条从变更到完成：{times}")
    for one in found["aside"]:
        name = NAMES[Consumer(one["consumer"])]
        told.append(
            f"搁置 {one['id']}（{name}，{one['subject']}，{one['changed_at_local']}的变更，"
            f"试了{one['attempts']}次）：{one['reason']}"
        )
    return told


def _begun(session: Session) -> datetime:
    """Return from when on changes are dated by when they were made: the demonstration's are years
    old on the day it is loaded.
    """
    loaded = audit.newest(session, limit=1, only=audit.Only(action=LOADED))
    return loaded[0].at if loaded else datetime.min.replace(tzinfo=UTC)


def _documents(settings: Settings) -> int | None:
    try:
        with closing(open_reader(settings)) as engine:
            return engine.count()
    except SearchUnavailable:
        return None


def _lag(seconds: list[float]) -> dict[str, Any] | None:
    if not seconds:
        return None
    ordered = sorted(seconds)
    return {
        "changes": len(ordered),
        "p50": round(ordered[len(ordered) // 2], 2),
        "p99": round(ordered[int(len(ordered) * 0.99)], 2),
        "max": round(ordered[-1], 2),
    }
