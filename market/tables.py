"""Every table of the market, imported so that the metadata is whole."""

from sqlalchemy import MetaData
from sqlmodel import SQLModel

from market.access import models as access
from market.accounts import models as accounts
from market.brokerage import models as brokerage
from market.catalog import models as catalog
from market.deals import models as deals
from market.deals import models_keeping as keeping
from market.deals import models_negotiation as negotiation
from market.discovery import models as discovery
from market.discovery import models_queries as queries
from market.imports import models as imports
from market.kit import audit, changes, files, files_shared, holding, jobs, notify, once
from market.ledger import models as ledger
from market.operations import models as operations
from market.payments import models as payments
from market.payments import models_beside as payments_beside
from market.registry import models as registry
from market.registry import models_comparables as comparables
from market.rewards import models as rewards
from market.rules import models as rules
from market.rules import models_transfer as transfer_rules

__all__ = [
    "access",
    "accounts",
    "audit",
    "brokerage",
    "catalog",
    "changes",
    "comparables",
    "deals",
    "discovery",
    "files",
    "files_shared",
    "holding",
    "imports",
    "jobs",
    "keeping",
    "ledger",
    "metadata",
    "negotiation",
    "notify",
    "once",
    "operations",
    "payments",
    "payments_beside",
    "queries",
    "registry",
    "rewards",
    "rules",
    "transfer_rules",
]


def metadata() -> MetaData:
    return SQLModel.metadata
