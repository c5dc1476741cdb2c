"""Every job of the market, by kind: what the worker runs."""

from collections.abc import Mapping

from market import retention
from market.accounts.work import Parts
from market.catalog import tasks as catalog
from market.discovery import tasks as discovery
from market.kit.jobs import Handler


def handlers(parts: Parts) -> Mapping[str, Handler]:
    return {**catalog.handlers(parts), **discovery.handlers(parts), **retention.handlers(parts)}
