"""The job edge of imports."""

from collections.abc import Mapping

from market.accounts.work import Parts
from market.imports.running import Running
from market.kit.jobs import Handler


def handlers(parts: Parts) -> Mapping[str, Handler]:
    return Running(parts).handlers()
