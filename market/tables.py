"""Every table of the market, imported so that the metadata is whole."""

from sqlalchemy import MetaData
from sqlmodel import SQLModel

from market.access import models as access
from market.accounts import models as accounts
from market.catalog import models as catalog
from market.deals import models as deals
from market.deals import models_negotiation as negotiation
from market.discovery import models as discovery
from market.discovery import models_queries as queries
from market.imports import models as imports
from market.kit import audit, changes, files, files_shared, holding, jobs, notify, once
from market.ledger import models as ledger
from market.operations import models as operations
from market.registry import models as registry
from market.registry import models_comparables as comparables
from market.rules import models as rules

__all__ = [
    "access",
    "accounts",
    "audit",
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
    "ledger",
    "metadata",
    "negotiation",
    "notify",
    "once",
    "operations",
    "queries",
    "registry",
    "rules",
]


def metadata() -> MetaData:
    return SQLModel.metadata
