"""Jobs of brokerage: after each signature, and each night for mandates that are over."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlmodel import Session

from market.accounts.work import Parts
from market.brokerage import working
from market.deals.contracts import SIGNED
from market.kit import jobs
from market.kit.clock import local_date
from market.kit.ids import ContractId, MandateId
from market.kit.jobs import Chunk, Handler, Job

COSTS: Final = "brokerage.costs"
CHUNK: Final = 100


def handlers(parts: Parts) -> Mapping[str, Handler]:
    """Return the jobs of brokerage by kind."""

    def signed(session: Session, job: Job) -> Chunk:
        contract = ContractId(job.payload["contract_id"])
        working.contract_signed(session, contract, parts.clock.now())
        return Chunk(None)

    def costs(session: Session, job: Job) -> Chunk:
        now = parts.clock.now()
        after = MandateId(job.cursor.get("after", 0))
        rows = working.overdue_mandates(session, after, now, CHUNK)
        for row in rows:
            working.mandate_over(session, row, now)
        return Chunk({"after": rows[-1].id} if len(rows) == CHUNK else None)

    return {SIGNED: signed, COSTS: costs}


def nightly(session: Session, *, at: datetime) -> bool:
    """Owe the look at mandates that are over, once a day."""
    return jobs.enqueue(session, COSTS, f"{COSTS}:{local_date(at)}", {}, at=at)
