"""The ledger's key as a file of its own, which no backup holds."""

import secrets
from pathlib import Path
from typing import Final

from infra.settings import PREFIX, SECRET_LENGTH, Settings, keep_secret
from market.kit.errors import Invalid, NotFound
from market.ledger.chain import Key

LEDGER_KEY: Final = "ledger.key"


def ledger_key_of(settings: Settings, *, may_begin: bool) -> bytes | None:
    """Return the key of the ledger: the setting, or the file of the data folder, made where
    `may_begin`. None where it is nowhere: a new one would not be the ledger's.
    """
    if settings.ledger_key:
        return settings.ledger_key.encode()
    path = settings.data_dir / LEDGER_KEY
    if path.exists() and (kept := path.read_bytes()):
        return kept
    if not may_begin:
        return None
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    return keep_secret(path, secrets.token_urlsafe(SECRET_LENGTH).encode())


def save_key(settings: Settings, where: Path) -> str:
    """Write a copy of the key, readable by its owner alone; return the key's id.

    Raises NotFound where there is none, Invalid where the place is taken.
    """
    secret = ledger_key_of(settings, may_begin=False)
    if secret is None:
        raise NotFound(
            f"这里没有账本的密钥：没有设{PREFIX}LEDGER_KEY，"
            f"{settings.data_dir} 里也没有 ledger.key。启动过一次后才有"
        )
    if where.exists():
        raise Invalid(f"{where} 已经存在，不会覆盖任何文件，请换一个名称")
    if not where.parent.is_dir():
        raise Invalid(f"{where.parent} 不是已有的文件夹，请先建立")
    keep_secret(where, secret)
    return Key(secret).id
