"""The ledger's key as a file of its own, which no backup holds."""

from pathlib import Path

from infra.settings import PREFIX, Settings, keep_secret, ledger_key_of
from market.kit.errors import Invalid, NotFound
from market.ledger.chain import Key


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
