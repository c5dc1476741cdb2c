"""What does not agree between the index and the listings that everybody may see: all of them.

Processes write meanwhile, so a difference counts only when it lasts: what is owed to the index is
no difference, and what is wrong is looked at again a few times before it is told.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from market.accounts.work import Parts
from market.catalog import views
from market.discovery import repository_audit as repository
from market.discovery.documents import CONTENT
from market.discovery.drain import BATCH, EVERY, documents_of
from market.kit.across import Finding
from market.kit.ids import ListingId
from search.errors import SearchUnavailable
from search.port import SearchEngine

LOOKS: Final = 6
PAUSE: Final = 0.5
"""Seconds between two looks: time for a batch of the indexer."""
_REMEDY: Final = "请运行 zhihe reindex；正在运行的系统照常工作"


def audit_index(parts: Parts, engine: SearchEngine) -> Iterator[Finding]:
    """Yield a finding for each listing whose document is missing, old or too many."""
    wrong = None
    for look in range(LOOKS):
        if look:
            time.sleep(PAUSE)
        try:
            wrong = _wrong(parts, engine, wrong)
        except SearchUnavailable:
            wrong = _wrong_without(parts)
            if wrong:
                what = f"没有可用的索引，{len(wrong)}条成果和需求搜不到"
                yield Finding("索引", what, f"索引进程启动后会自动重建：zhihe up；或{_REMEDY}")
            return
        if not wrong:
            return
    for one, what in sorted((wrong or {}).items()):
        yield Finding(f"索引，成果或需求 {one}", what, _REMEDY)


def _wrong(
    parts: Parts, engine: SearchEngine, only: Mapping[ListingId, str] | None
) -> dict[ListingId, str]:
    """Return what is wrong with each listing's document; with `only`, of those alone."""
    wrong: dict[ListingId, str] = {}
    if only is not None:
        for some in _batches(sorted(only)):
            wrong |= _differing(parts, engine, some)
        return wrong
    seen: set[int] = set()
    for ids in _visible(parts):
        seen.update(ids)
        wrong |= _differing(parts, engine, ids)
    others = [ListingId(one) for one, _ in engine.scan() if one not in seen]
    for some in _batches(others):
        wrong |= _differing(parts, engine, some)
    return wrong


def _differing(
    parts: Parts, engine: SearchEngine, ids: Sequence[ListingId]
) -> dict[ListingId, str]:
    indexed = engine.versions(ids)
    contents = engine.numbers(CONTENT, ids)
    with parts.database.read() as session:
        documents, _, broken = documents_of(session, ids)
        owed = repository.owed(session, ids)
    made = {one.id: one for one in documents}
    wrong = {}
    for one in ids:
        if one in owed:
            continue
        there, should = indexed.get(one), made.get(one)
        if one in broken:
            wrong[one] = f"做不成文档：{broken[one]}"
        elif should is None:
            if there is not None:
                wrong[one] = "索引里有，而它没有公开"
        elif there is None:
            wrong[one] = "已公开，索引里没有"
        elif there != should.version:
            wrong[one] = f"索引里是第{there}版，应为第{should.version}版"
        elif should.numbers[CONTENT] != contents.get(one):
            wrong[one] = f"索引里第{there}版的内容与数据库里的不同"
    return wrong


def _batches(ids: Sequence[ListingId]) -> Iterator[Sequence[ListingId]]:
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]


def _wrong_without(parts: Parts) -> dict[ListingId, str]:
    return {one: "" for some in _visible(parts) for one in some}


def _visible(parts: Parts) -> Iterator[Sequence[ListingId]]:
    with parts.database.read() as session:
        ids = views.public_ids(session, limit=EVERY)
    yield from _batches(ids)
