"""Figures, money, dates and texts as people read them. Every public function is a Jinja filter.

Money comes in fen, moments as aware datetimes (shown in Asia/Shanghai) or dates. None is shown as
nothing: what is missing must be said in words where it stands.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from markupsafe import Markup, escape

from market.kit.clock import SHANGHAI
from market.kit.money import FEN_PER_WAN, FEN_PER_YI, FEN_PER_YUAN, MINUS

CENT = Decimal("0.01")
PER = {"total": "", "year": "/年", "unit": "/件"}


def _scaled(fen: int, unit: int, *, fixed: bool) -> str:
    """Return the figure in `unit` fen with commas; two decimals unless whole and not `fixed`."""
    figure = (Decimal(fen) / unit).quantize(CENT, rounding=ROUND_HALF_UP)
    sign, figure = (MINUS, -figure) if figure < 0 else ("", figure)
    whole = figure == figure.to_integral_value()
    return f"{sign}{figure:,.0f}" if whole and not fixed else f"{sign}{figure:,.2f}"


def _unit(fen: int) -> tuple[int, str, bool]:
    """Return the unit that suits an amount (fen), its name, whether decimals always show."""
    size = abs(fen)
    if size >= FEN_PER_YI:
        return FEN_PER_YI, "亿元", True
    if size >= FEN_PER_WAN:
        return FEN_PER_WAN, "万元", False
    return FEN_PER_YUAN, "元", False


def money_parts(fen: int) -> tuple[str, str]:
    """Return figure and unit apart: ("21.86", "亿元"), ("80", "万元"), ("8,600", "元")."""
    unit, name, fixed = _unit(fen)
    return _scaled(fen, unit, fixed=fixed), name


def money(fen: int | None) -> str:
    """Return `21.86亿元`, `80万元`, `205.50万元`, `8,600元`."""
    return "" if fen is None else "".join(money_parts(fen))


def money_exact(fen: int | None) -> str:
    """Return the amount to the fen, for contracts and receipts: `7,800,000.00元`."""
    return "" if fen is None else f"{_scaled(fen, FEN_PER_YUAN, fixed=True)}元"


def yuan(fen: int | None) -> str:
    """Return the figure of a column whose head says 元, to the fen: `7,800,000.00`."""
    return "" if fen is None else _scaled(fen, FEN_PER_YUAN, fixed=True)


def wan(fen: int | None) -> str:
    """Return the figure of a column whose head says 万元: `286.00`."""
    return "" if fen is None else _scaled(fen, FEN_PER_WAN, fixed=True)


def yi(fen: int | None) -> str:
    """Return the figure of a column whose head says 亿元: `9.74`."""
    return "" if fen is None else _scaled(fen, FEN_PER_YI, fixed=True)


def _range(low: int, high: int) -> str:
    unit, name, fixed = _unit(high)
    if low * 100 < unit:  # the lower end would vanish in the upper end's unit
        return f"{money(low)}～{money(high)}"
    return f"{_scaled(low, unit, fixed=fixed)}～{_scaled(high, unit, fixed=fixed)}{name}"


def money_range(ends: tuple[int | None, int | None]) -> Markup:
    """Return `120～180万元`, `80万元起`, `40万元以内`, or 面议 where both ends are open."""
    low, high = ends
    if low is not None and high is not None:
        text = money(low) if low == high else _range(low, high)
    elif low is not None:
        text = f"{money(low)}起"
    elif high is not None:
        text = f"{money(high)}以内"
    else:
        text = "面议"
    return Markup('<span class="keep">{}</span>').format(text)


def price(kind: str, per: str, low: int | None, high: int | None) -> str:
    """Return a listing's price: kind none, fixed, from, up_to or range; per total, year or unit.

    A missing end that the kind needs is a defect of the row and raises.
    """
    if kind == "none":
        return "面议"
    suffix = PER[per]
    if kind == "up_to":
        return f"{money(_given(high))}{suffix}以内"
    if kind == "range":
        return f"{_range(_given(low), _given(high))}{suffix}"
    return f"{money(_given(low))}{suffix}{ {'fixed': '', 'from': '起'}[kind] }"


def _given(fen: int | None) -> int:
    if fen is None:
        raise ValueError("a price of this kind needs its amount")
    return fen


def _local(value: date) -> date:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("moments shown to people must be aware")
        return value.astimezone(SHANGHAI)
    return value


def _time(machine: str, shown: str) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(machine, shown)


def day(value: date | None) -> Markup:
    """Return `2026-11-20` in a time element."""
    if value is None:
        return Markup("")
    iso = f"{_local(value):%Y-%m-%d}"
    return _time(iso, iso)


def ahead(value: datetime, days: int) -> str:
    """Return the day so many days later, as an example of what is still to come."""
    return f"{_local(value) + timedelta(days=days):%Y-%m-%d}"


def day_cn(value: date | None) -> str:
    """Return `11月20日`, for sentences where the year is plain."""
    if value is None:
        return ""
    local = _local(value)
    return f"{local.month}月{local.day}日"


def moment(value: datetime | None) -> Markup:
    """Return `11-12 09:10` in a time element, where the year is plain."""
    if value is None:
        return Markup("")
    local = _local(value)
    return _time(f"{local:%Y-%m-%dT%H:%M}+08:00", f"{local:%m-%d %H:%M}")


def moment_full(value: datetime | None) -> Markup:
    """Return `2026-11-12 09:10` in a time element."""
    if value is None:
        return Markup("")
    local = _local(value)
    return _time(f"{local:%Y-%m-%dT%H:%M}+08:00", f"{local:%Y-%m-%d %H:%M}")


def number(value: float | None) -> str:
    """Return `1,936`; a fraction keeps one decimal."""
    if value is None:
        return ""
    text = f"{abs(value):,}" if isinstance(value, int) else f"{abs(value):,.1f}"
    return f"{MINUS}{text}" if value < 0 else text


def percent(share: float | None) -> str:
    """Return 0.547 as `54.7%`, a whole one without decimal: `100%`."""
    if share is None:
        return ""
    figure = (Decimal(str(share)) * 100).quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)
    sign, figure = (MINUS, -figure) if figure < 0 else ("", figure)
    return f"{sign}{figure:.0f}%" if figure == figure.to_integral_value() else f"{sign}{figure}%"


def hundredths(value: int | None) -> str:
    """Return hundredths of a per cent as `30%`, `2.75%`."""
    if value is None:
        return ""
    figure = f"{Decimal(value) / 100:.2f}".rstrip("0").rstrip(".")
    return f"{figure}%"


def small_unit(text: str) -> Markup:
    """Return a price with its figure large and the words after it small: `80` `万元起`."""
    figure = len(text) - len(text.lstrip("0123456789,.～"))
    if not figure:
        return escape(text)
    return Markup("{}<small>{}</small>").format(text[:figure], text[figure:])


def marked(text: str, spans: Iterable[tuple[int, int]]) -> Markup:
    """Return the text with its hits marked; spans are (start, end) character offsets, in order."""
    parts: list[Markup] = []
    at = 0
    for start, end in spans:
        parts += [escape(text[at:start]), Markup("<mark>{}</mark>").format(text[start:end])]
        at = end
    parts.append(escape(text[at:]))
    return Markup("").join(parts)


def paragraphs(text: str | None) -> Markup:
    """Return typed text as paragraphs, one a line."""
    lines = [line.strip() for line in (text or "").splitlines() if line.strip()]
    return Markup("\n").join(Markup("<p>{}</p>").format(line) for line in lines)


_BROWSERS = (
    ("MicroMessenger", "微信"),
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("HarmonyOS", "鸿蒙"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def device(agent: str) -> str:
    """Return what a browser says of itself in two words, `Chrome，Windows`."""
    named = (
        next((name for mark, name in known if mark in agent), "") for known in (_BROWSERS, _SYSTEMS)
    )
    return "，".join(name for name in named if name) or agent[:60] or "未知设备"


FILTERS = {
    function.__name__: function
    for function in (
        hundredths,
        money_parts,
        money,
        money_exact,
        wan,
        yuan,
        yi,
        money_range,
        day,
        ahead,
        day_cn,
        moment,
        moment_full,
        number,
        percent,
        small_unit,
        paragraphs,
        device,
    )
}
