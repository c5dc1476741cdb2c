"""`zhihe bench freshness`: how soon what is published can be found, and is compared.

The indexer and the worker run as they always do, in processes of their own; this one publishes
listings one at a time, each in its own transaction, at a steady pace. How long each took stands in
the change log: from the change to the end of its two deliveries.
"""

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from infra.bench import bringing, http, listings, market, repository
from infra.bench.figures import Figure, percentile, rounded
from infra.bench.market import DEMANDS_IN, Plan, Progress
from infra.bench.match import rematched
from infra.settings import Settings
from infra.wiring import build_parts, close_parts, open_reader
from market.accounts import repository as accounts
from market.accounts.policy import OrganisationKind, Role
from market.accounts.work import Actor, Parts, writing
from market.catalog import drafts, publishing
from market.catalog.schemas import AchievementIn, DemandIn
from market.discovery.drain import left_to_do
from market.kit.changes import Consumer

WRITES = 50.0
"""A second."""
SECONDS = 30.0
LIMIT_MS = 2_000.0
_NAMED = {Consumer.INDEX: "能搜到", Consumer.MATCH: "能搜到并已比较"}
_SETTLES = 2.0  # seconds that the processes may take to begin
_LOOK = 0.1


def run(folder: Path, size: int, seed: int, progress: Progress) -> list[Figure]:
    """Measure in an empty folder with `size` achievements and a fiftieth as many demands."""
    settings = Settings(data_dir=folder)
    plan = Plan(size, size // DEMANDS_IN, seed, datetime.now(UTC).replace(microsecond=0))
    market.fill(settings, plan, progress)
    parts = build_parts(settings)
    try:
        actor = _owner(parts)
        progress("先把全部需求比较一遍")
        with closing(open_reader(settings)) as engine:
            rematched(settings, parts, engine, progress)
        return list(_published(settings, parts, actor, plan, progress))
    finally:
        close_parts(parts)


def _owner(parts: Parts) -> Actor:
    """Return somebody whose organisation may publish without review."""
    bringing.add_owner(parts)
    with parts.database.write() as session:
        person = accounts.person_by_email(session, bringing.EMAIL)
        organisation = accounts.organisation_by_code(session, bringing.CODE)
        assert person is not None
        assert organisation is not None
        organisation.self_publish = True
        return Actor(
            role=Role.MANAGER,
            person_id=person.id,
            person_name=person.name,
            organisation_id=organisation.id,
            organisation_public_id=organisation.public_id,
            organisation_name=organisation.name,
            kind=OrganisationKind.UNIVERSITY,
            verified=True,
        )


def _published(
    settings: Settings, parts: Parts, actor: Actor, plan: Plan, progress: Progress
) -> Iterator[Figure]:
    with (
        http.running(settings, "infra.cli", "indexer"),
        http.running(settings, "infra.cli", "worker"),
    ):
        _publish(parts, actor, next(_forms(plan.seed + 1)))  # what is loaded with the first is
        time.sleep(_SETTLES)
        _until_done(parts)
        before = left_to_do(parts).newest_change
        progress(f"{SECONDS:g}秒，每秒发布{WRITES:g}条")
        count = int(WRITES * SECONDS)
        begun = time.perf_counter()
        taken = []
        for number, form in enumerate(islice(_forms(plan.seed + 2), count)):
            time.sleep(max(0.0, begun + number / WRITES - time.perf_counter()))
            at = time.perf_counter()
            _publish(parts, actor, form)
            taken.append((time.perf_counter() - at) * 1000)
        rate = count / (time.perf_counter() - begun)
        _until_done(parts)
    there = f"{plan.achievements:,}×{plan.demands:,}的市场"
    yield Figure(
        f"{there}，一条一条地发布", "条/秒", rounded(rate), limit=0.95 * WRITES, at_least=True
    )
    yield Figure(f"{there}，发布一条，p99", "毫秒", rounded(percentile(taken, 0.99)))
    with parts.database.read() as session:
        for consumer, named in _NAMED.items():
            waits = [1000 * one for one in repository.waits(session, consumer, after=before)]
            if len(waits) != count:
                raise RuntimeError(f"{len(waits)} of {count} arrived")
            for name, share in (("p50", 0.5), ("p99", 0.99)):
                yield Figure(
                    f"{there}，由发布到{named}，{name}",
                    "毫秒",
                    rounded(percentile(waits, share)),
                    limit=LIMIT_MS if share > 0.5 else None,
                )


def _forms(seed: int) -> Iterator[AchievementIn | DemandIn]:
    """Yield listings without end, one in DEMANDS_IN a demand."""
    offered = listings.listings(2**31, seed)
    wanted = listings.listings(2**31, seed, demands=True)
    while True:
        for row in islice(offered, DEMANDS_IN - 1):
            yield AchievementIn.model_validate({**row, "own_number": None})
        yield DemandIn.model_validate({**next(wanted), "own_number": None})


def _publish(parts: Parts, actor: Actor, form: AchievementIn | DemandIn) -> None:
    with writing(parts, actor, "listing.submit") as work:
        publishing.submit(work, drafts.create(work, form).public_id)


def _until_done(parts: Parts) -> None:
    while left_to_do(parts).total:
        time.sleep(_LOOK)
