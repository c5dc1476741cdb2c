"""How a test works a page: with the mouse, or with nothing but the keyboard.

The keyboard goes from where the focus is with Tab, as a person does, and fails where the element
is never reached or where the focus cannot be seen on it.
"""

import re
from typing import Protocol

from playwright.sync_api import Locator, Page

MOST_STEPS = 250
_SEEN = """element => {
  const ring = (one, how) => {
    const style = getComputedStyle(one);
    return one.matches(how) && (style.outlineStyle !== 'none' || style.boxShadow !== 'none');
  };
  const holder = element.closest('label, .choice, .field');
  return ring(element, ':focus-visible') || (holder !== null && ring(holder, ':focus-within'));
}"""


class Hand(Protocol):
    def press(self, button: Locator) -> None: ...
    def fill(self, field: Locator, text: str) -> None: ...
    def check(self, choice: Locator) -> None: ...
    def choose(self, select: Locator, label: str) -> None: ...


class Mouse:
    def press(self, button: Locator) -> None:
        button.click()

    def fill(self, field: Locator, text: str) -> None:
        field.fill(text)

    def check(self, choice: Locator) -> None:
        choice.check()

    def choose(self, select: Locator, label: str) -> None:
        select.select_option(index=option(select, label))


class Keyboard:
    def press(self, button: Locator) -> None:
        reach(button)
        button.page.keyboard.press("Enter")

    def fill(self, field: Locator, text: str) -> None:
        reach(field)
        keys = field.page.keyboard
        if field.get_attribute("type") == "date":
            # The parts of a date are fields of their own, in the order of the language.
            for part in text.split("-"):
                keys.type(part)
                if len(part) == 4:
                    keys.press("ArrowRight")
            assert field.input_value() == text
            return
        keys.press("ControlOrMeta+a")
        keys.insert_text(text)

    def check(self, choice: Locator) -> None:
        group = f'[name="{choice.get_attribute("name")}"]'
        reach(choice, or_else=choice.page.locator(f"input{group}"))
        keys = choice.page.keyboard
        if choice.get_attribute("type") == "radio":
            keys.press("Space")
            for _ in range(choice.page.locator(f"input{group}").count()):
                if choice.is_checked():
                    return
                keys.press("ArrowDown")
        else:
            keys.press("Space")
        assert choice.is_checked()

    def choose(self, select: Locator, label: str) -> None:
        wanted = option(select, label)
        reach(select)
        keys = select.page.keyboard
        keys.press("Home")
        for _ in range(wanted):
            keys.press("ArrowDown")
        assert select.evaluate("one => one.selectedIndex") == wanted


def option(select: Locator, label: str) -> int:
    """Return the index of the first option whose text holds `label`."""
    labels = select.locator("option").all_inner_texts()
    return next(n for n, text in enumerate(labels) if label in text)


def reach(wanted: Locator, or_else: Locator | None = None) -> None:
    """Press Tab until the element has the focus, or another of its radio group has."""
    page: Page = wanted.page
    here = "(some) => some.includes(document.activeElement)"
    some = wanted.or_(or_else) if or_else is not None else wanted
    met = []
    for _ in range(MOST_STEPS):
        if some.evaluate_all(here):
            focused = page.evaluate_handle("() => document.activeElement").as_element()
            assert focused is not None
            assert focused.evaluate(_SEEN), f"no ring to be seen on {wanted}"
            return
        page.keyboard.press("Tab")
        met.append(page.evaluate("() => (document.activeElement?.innerText || '').slice(0, 12)"))
    way = " → ".join(re.sub(r"\s+", " ", one) for one in met[:60])
    raise AssertionError(f"Tab never comes to {wanted}; it went {way}")
