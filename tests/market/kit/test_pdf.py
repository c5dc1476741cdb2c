"""A printed paper carries its own Chinese font, and its text can be read back."""

from datetime import UTC, datetime

from market.kit import pdf
from tests.support import printed

AT = datetime(2026, 11, 30, 4, 0, tzinfo=UTC)
SOURCE = "= 登记表\n#data.name\n\n#table(columns: 2, [项目], [#data.sum])"


def test_chinese_text_stands_in_an_embedded_font() -> None:
    made = pdf.render(SOURCE, {"name": "轨道扣件螺栓松动声学检测", "sum": "1,205.50万元"}, at=AT)
    told = printed.text(made)
    assert "登记表" in told
    assert "轨道扣件螺栓松动声学检测" in told
    assert "1,205.50万元" in told.replace(" ", "")
    assert all(name.startswith("NotoSansSC") for name in printed.fonts(made))


def test_text_is_drawn_regular_and_what_is_strong_bold() -> None:
    """The font is a variable one, thin where nobody says otherwise."""
    made = pdf.render("技 *技*", {}, at=AT)
    (font,) = pdf.folder().glob("*wght*.ttf")
    thin, strong = printed.inks_at(font, "技", [100]), printed.inks_at(font, "技", [400, 700])
    assert thin.isdisjoint(strong)
    assert printed.inks(made) == strong


def test_what_was_typed_is_never_markup() -> None:
    made = pdf.render(SOURCE, {"name": '#panic("x") *粗* $1$', "sum": "]"}, at=AT)
    assert '#panic("x") *粗* $1$' in printed.text(made).replace("“", '"')


def test_the_same_paper_is_the_same_bytes() -> None:
    one, other = (pdf.render(SOURCE, {"name": "甲", "sum": "0"}, at=AT) for _ in range(2))
    assert one == other
