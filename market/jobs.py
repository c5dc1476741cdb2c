"""What runs across nouns: every job by its kind, for the worker; every noun's audit."""

from collections.abc import Mapping
from typing import Final

from market import retention, waiting
from market.access import audit as access
from market.accounts import audit as accounts
from market.accounts.work import Parts
from market.brokerage import audit as brokerage
from market.brokerage import tasks as brokerage_tasks
from market.catalog import audit as listings
from market.deals import audit as deals
from market.discovery import tasks as discovery
from market.imports import audit as imports
from market.imports import tasks as import_tasks
from market.kit.across import Audit
from market.kit.jobs import Handler
from market.ledger import audit as ledger
from market.ledger import tasks as ledger_tasks
from market.payments import audit as payments
from market.payments import tasks as payment_tasks
from market.payments.stripe import Cards
from market.registry import audit as registry
from market.registry import tasks as registry_tasks
from market.rewards import audit as rewards

AUDITS: Final[Mapping[str, Audit]] = {
    "账": ledger.audit,
    "登记": registry.audit,
    "洽谈": deals.audit,
    "报酬": brokerage.audit,
    "款项": payments.audit,
    "奖励": rewards.audit,
    "机构和成员": accounts.audit,
    "委托": access.audit,
    "成果和需求": listings.audit,
    "导入": imports.audit,
}


def handlers(
    parts: Parts,
    removing: retention.Removing = retention.alone,
    cards: Cards | None = None,
) -> Mapping[str, Handler]:
    """Return every job by its kind. `removing` guards the bytes that another process may need;
    without `cards` what Stripe has to be asked for waits.
    """
    return {
        **import_tasks.handlers(parts),
        **discovery.handlers(parts),
        **brokerage_tasks.handlers(parts),
        **payment_tasks.handlers(parts, cards),
        **retention.handlers(parts, removing),
        **waiting.handlers(parts),
        **ledger_tasks.handlers(parts.database, parts.clock),
        **registry_tasks.handlers(parts.clock),
    }
