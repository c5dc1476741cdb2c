"""Every table of the market, imported so that the metadata is whole."""

from sqlalchemy import MetaData
from sqlmodel import SQLModel

from market.accounts import models as accounts
from market.catalog import models as catalog
from market.kit import audit, changes, files, jobs

__all__ = ["accounts", "audit", "catalog", "changes", "files", "jobs", "metadata"]


def metadata() -> MetaData:
    return SQLModel.metadata
