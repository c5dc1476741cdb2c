"""Every table of the market, imported so that the metadata is whole."""

from sqlalchemy import MetaData
from sqlmodel import SQLModel

from market.access import models as access
from market.accounts import models as accounts
from market.catalog import models as catalog
from market.deals import models as deals
from market.kit import audit, changes, files, jobs

__all__ = [
    "access",
    "accounts",
    "audit",
    "catalog",
    "changes",
    "deals",
    "files",
    "jobs",
    "metadata",
]


def metadata() -> MetaData:
    return SQLModel.metadata
