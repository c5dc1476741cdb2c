"""Money is integer fen. Nothing here rounds silently."""

import re
import unicodedata
from decimal import Decimal
from typing import Final

MINUS: Final = "−"
"""The sign of what is less than nothing, wherever a person reads it."""
FEN_PER_YUAN = 100
FEN_PER_WAN = 1_000_000
FEN_PER_YI = 10_000_000_000
# 9.2e18 fits 64 bits; a contract over 10,000亿 is a slip of the keyboard.
MAX_FEN = 1_000_000_000_000 * FEN_PER_YUAN


_TYPED = re.compile(r"[+-]?\d{1,15}(\.\d{1,10})?", re.ASCII)


def typed_number(text: str) -> Decimal:
    """Return a number as people type it: digits, full-width ones too, with a decimal point at most.

    Raises ValueError for everything else that Decimal reads: an exponent of a few characters makes
    a number whose digits take minutes to write out.
    """
    plain = unicodedata.normalize("NFKC", text[:40]).strip()
    if not _TYPED.fullmatch(plain):
        raise ValueError(text[:20])
    return Decimal(plain)


def wan_to_fen(text: str) -> int:
    """Return the fen of a figure typed in 万元 such as `120.5`.

    Raises ValueError with a Chinese sentence where it is no amount or finer than a fen.
    """
    cleaned = _bare(text).removesuffix("万元").removesuffix("万")
    return _fen(cleaned, text, FEN_PER_WAN, "万元", "120或120.50", "最多六位小数")


def yuan_to_fen(text: str) -> int:
    """Return the fen of a figure typed in 元 such as `3,000.50`. Raises as `wan_to_fen` does."""
    cleaned = _bare(text).removesuffix("元")
    return _fen(cleaned, text, FEN_PER_YUAN, "元", "3000或3000.50", "最多两位小数")


def _bare(text: str) -> str:
    return text.strip().replace(",", "").replace("，", "")


def _fen(cleaned: str, typed: str, per: int, unit: str, like: str, finest: str) -> int:
    if len(cleaned) > 20 or (cleaned.isdecimal() and len(cleaned) > 15):
        raise ValueError(f"太长，请填{unit}数，如{like.partition('或')[2]}")
    try:
        value = typed_number(cleaned)
    except ValueError:
        raise ValueError(f"请填数字，单位{unit}，如{like}，现在是“{typed.strip()[:20]}”") from None
    amount = value * per
    if amount != amount.to_integral_value():
        raise ValueError(f"最细到分，{unit}数{finest}")
    if amount < 0:
        raise ValueError("不能小于0")
    if amount > MAX_FEN:
        raise ValueError(f"超过10,000亿元，请核对单位是不是{unit}")
    return int(amount)


def fen_to_wan(amount: int) -> str:
    """Return the figure in 万元 as a person would type it: `120.5`, `80`."""
    text = f"{Decimal(amount) / FEN_PER_WAN:.6f}".rstrip("0").rstrip(".")
    return text or "0"


def wan_in_words(amount: int) -> str:
    """Return the amount as a sentence says it, to the fen: `1,205.50万元`, `80万元`."""
    figure = f"{Decimal(amount) / FEN_PER_WAN:,.6f}".rstrip("0").rstrip(".")
    whole, _, rest = figure.partition(".")
    return f"{whole}{f'.{rest:0<2}' if rest else ''}万元"


def yuan_in_words(amount: int) -> str:
    """Return the amount in 元, to the fen: `1,205.50元`, `−3.00元`."""
    return f"{MINUS if amount < 0 else ''}{Decimal(abs(amount)) / FEN_PER_YUAN:,.2f}元"
