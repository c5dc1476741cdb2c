"""The Jinja environment: one a language, made once at start."""

import functools
import secrets
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from frontend import formats, i18n
from frontend.assets import Assets

TEMPLATES = Path(__file__).parent / "templates"


def environment(
    assets: Assets, language: str = i18n.SOURCE, *, reload: bool = False
) -> Environment:
    """Return the environment of a language; `reload` re-reads changed templates (development).

    Raises LookupError for a language without a catalogue.
    """
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=reload,
        cache_size=-1,
        extensions=["jinja2.ext.i18n"],
    )
    made.policies["ext.i18n.trimmed"] = True
    # install_gettext_translations comes with the i18n extension and is unknown to type checkers
    words = i18n.translations(language)
    made.install_gettext_translations(words, newstyle=True)  # type: ignore[attr-defined]
    made.filters.update(formats.FILTERS, translated=words.gettext)
    made.globals.update(
        asset=assets.url,
        language="zh-CN" if language == i18n.SOURCE else language,
        marked=formats.marked,
        price=formats.price,
        money_parts=formats.money_parts,
        once=functools.partial(secrets.token_urlsafe, 12),
    )
    return made
