"""How often something may be tried: wrong passwords, and accounts made from one address.

The standard gives no numbers (GB/T 22239 asks for a limit). Eight typing errors in a quarter of
an hour are forgiven and no guessing gets far with them; sixty from one address are those of an
office behind one router. Thirty accounts an hour are a training course in one room; a program
that makes accounts, or asks which addresses are registered, wants more.

Keys are hashed with the deployment's secret, so that the table names nobody. An address is the
visitor's own behind a proxy only where that is named in ZHIHE_TRUSTED_PROXIES.
"""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session

from market.accounts import repository_throttle as repository
from market.accounts.work import Parts
from market.kit.errors import TooMany

WINDOW: Final = timedelta(minutes=15)
ACCOUNT_FAILURES: Final = 8
ADDRESS_FAILURES: Final = 60
SIGN_UP_WINDOW: Final = timedelta(hours=1)
ADDRESS_SIGN_UPS: Final = 30


def key(parts: Parts, kind: str, value: str) -> str:
    return hmac.new(parts.secret, f"{kind}:{value}".encode(), hashlib.sha256).hexdigest()


def guess_keys(parts: Parts, email: str, address: str) -> tuple[str, str]:
    """Return the keys under which a wrong password counts: of the account, of the address."""
    return key(parts, "account", email), key(parts, "address", address)


def count_guess(session: Session, keys: tuple[str, str], now: datetime) -> list[int]:
    """Count a password before it is tried and return the ids that `take_back` wants once it was
    right: those who try many at once find each other's tries here. Raises TooMany after too many
    wrong passwords of this account or from this address.
    """
    repository.hold(session, keys)
    counts = repository.failures(session, keys, now - WINDOW)
    account, address = (counts.get(one, 0) for one in keys)
    if account >= ACCOUNT_FAILURES or address >= ADDRESS_FAILURES:
        raise TooMany("尝试次数太多，请15分钟后再试", retry_after=int(WINDOW.total_seconds()))
    return repository.count(session, keys, now)


def take_back(session: Session, counted: Sequence[int]) -> None:
    """Count no longer what was no failure."""
    repository.drop(session, counted)


def count_sign_up(parts: Parts, address: str) -> None:
    """Count one try to make an account, whether it succeeds or not. Raises TooMany."""
    now, one = parts.clock.now(), key(parts, "sign-up", address)
    with parts.database.write() as session:
        repository.hold(session, [one])
        counts = repository.failures(session, [one], now - SIGN_UP_WINDOW)
        if counts.get(one, 0) >= ADDRESS_SIGN_UPS:
            raise TooMany(
                "这个网络地址一小时内注册的账号太多，请一小时后再试",
                retry_after=int(SIGN_UP_WINDOW.total_seconds()),
            )
        repository.count(session, [one], now)
