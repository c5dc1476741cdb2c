"""The unified social credit code (统一社会信用代码, GB 32100-2015): 18 characters, mod-31 check."""

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)


def normalise(text: str) -> str:
    """Return the code in upper-case half-width characters without spaces."""
    folded = (chr(ord(c) - 0xFEE0) if "！" <= c <= "～" else c for c in text)
    return "".join(c for c in folded if not c.isspace() and c != "-").upper()


def check_digit(first17: str) -> str:
    """Return the 18th character. Raises ValueError on a character outside the code's alphabet."""
    total = sum(_ALPHABET.index(c) * w for c, w in zip(first17, _WEIGHTS, strict=True))
    return _ALPHABET[(31 - total % 31) % 31]


def problem(code: str) -> str | None:
    """Return what is wrong with a normalised code as a sentence for people, or None."""
    if len(code) != 18:
        return f"统一社会信用代码应为18位，现在是{len(code)}位"
    strange = next((c for c in code if c not in _ALPHABET), None)
    if strange is not None:
        return f"统一社会信用代码由数字和大写字母组成，不用I、O、S、V、Z，现在有“{strange}”"
    if check_digit(code[:17]) != code[17]:
        return "统一社会信用代码的校验位对不上，请逐位核对"
    return None
