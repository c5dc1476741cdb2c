"""Words by Babel. The source language is Chinese: what has no translation stays Chinese.

Catalogues are read from the .po files themselves, so nothing compiled is kept or committed.
`python -m frontend.i18n` gathers the words of the templates into messages.pot and brings the
translations up to date with it.
"""

import io
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from babel.support import NullTranslations, Translations

from frontend import notices, pages

HERE = Path(__file__).parent
LOCALES = HERE / "locales"
SOURCE = "zh"


@cache
def translations(language: str) -> NullTranslations:
    """Return the catalogue of a language; the source language needs none.

    Raises LookupError for a language without a catalogue.
    """
    if language == SOURCE:
        return NullTranslations()
    path = _po(language)
    if not path.is_file():
        raise LookupError(f"no catalogue for {language}: {path}")
    compiled = io.BytesIO()
    write_mo(compiled, _read(path, language))
    compiled.seek(0)
    return Translations(fp=compiled)


def languages() -> tuple[str, ...]:
    """Return the source language and those with a catalogue."""
    return (SOURCE, *sorted(path.parts[-3] for path in LOCALES.glob("*/LC_MESSAGES/messages.po")))


def extract() -> Catalog:
    """Gather the marked words of the templates, as `babel.cfg` says, and those of notices."""
    template = Catalog(project="zhihe", version="1", charset="utf-8", fuzzy=False)
    with (HERE / "babel.cfg").open(encoding="utf-8") as config:
        methods, options = parse_mapping_cfg(config)  # type: ignore[no-untyped-call]
    for path, _line, message, comments, context in extract_from_dir(HERE, methods, options):
        template.add(message, locations=[(path, 1)], auto_comments=comments, context=context)
    for module in iter_modules(pages.__path__, f"{pages.__name__}."):
        import_module(module.name)
    for notice in notices.registered():
        for text in filter(None, (notice.title, notice.text)):
            template.add(text, locations=[("notices.py", 1)])
    return template


def render(catalog: Catalog) -> bytes:
    """Return a catalogue as text that changes only when words or their files change."""
    text = io.BytesIO()
    write_po(
        text,
        catalog,
        omit_header=True,
        sort_output=True,
        include_lineno=False,
        ignore_obsolete=True,
    )
    header = b'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
    return header + text.getvalue()


def update() -> None:
    """Rewrite messages.pot and every messages.po; translations that still apply are kept."""
    template = extract()
    (LOCALES / "messages.pot").write_bytes(render(template))
    for language in languages()[1:]:
        path = _po(language)
        catalog = _read(path, language)
        catalog.update(template, no_fuzzy_matching=True)
        path.write_bytes(render(catalog))


def _po(language: str) -> Path:
    return LOCALES / language / "LC_MESSAGES" / "messages.po"


def _read(path: Path, language: str) -> Catalog:
    with path.open("rb") as source:
        return read_po(source, locale=language)


if __name__ == "__main__":
    update()
    sys.stdout.write(f"{LOCALES / 'messages.pot'}: {len(extract())}\n")
