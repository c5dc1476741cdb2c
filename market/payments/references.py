"""What a bank transfer quotes of its payment: ten digits and two by which a slip of the pen shows
(ISO 7064, MOD 97-10). 附言号
"""

from secrets import randbelow


def made() -> str:
    """Return a new one."""
    first = f"{randbelow(9 * 10**9) + 10**9}"
    return f"{first}{98 - int(first) * 100 % 97:02d}"


def fits(text: str) -> bool:
    """Tell whether a text can be one."""
    return len(text) == 12 and text.isascii() and text.isdigit() and int(text) % 97 == 1
