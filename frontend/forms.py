"""HTML forms: what was typed → a pydantic model, or the page again with everything kept.

A message says what it should be and what it is now, without its subject
(“应为16位数字，现在是15位”); the summary on top puts the field's title before it.
"""

import unicodedata
from calendar import monthrange
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from types import UnionType
from typing import Annotated, Any, Generic, TypeVar, Union, get_args, get_origin

from fastapi import Depends
from pydantic import AfterValidator, BaseModel, BeforeValidator, ValidationError
from pydantic.fields import FieldInfo
from python_multipart.exceptions import FormParserError
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from frontend import csrf
from frontend.form_errors import ECHO, sentence
from market.kit import letters
from market.kit.cells import days
from market.kit.errors import Conflict, Invalid, TooLarge
from market.kit.money import fen_to_wan, wan_to_fen, yuan_to_fen
from market.kit.wire import in_time

M = TypeVar("M", bound=BaseModel)

MAX_BODY = 52 * 1024 * 1024  # an import of 50 MB and its fields
MAX_FIELDS = 300
MAX_FIELD_BYTES = 1024 * 1024  # no less than a whole form without files, or it came back empty
MAX_FILES = 10
_BLOCK = 1024 * 1024
WHOLE = ""  # the key of a message that speaks of the form as a whole


@dataclass(frozen=True, slots=True)
class Submission:
    """What a browser sent: every value of every name, in order, as typed."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, list[UploadFile]] = field(default_factory=dict)

    def first(self, name: str) -> str:
        return (self.fields.get(name) or [""])[0]

    def content(self) -> Iterator[str]:
        """Yield all that was sent, files by name and hash, as one sequence that tells it apart."""
        for name, values in sorted(self.fields.items()):
            yield from (name, str(len(values)), *values)
        for name, files in sorted(self.files.items()):
            for one in files:
                yield from (name, one.filename or "", _file_hash(one))

    def file(self, name: str) -> UploadFile:
        """Return the file of an input. Raises Invalid at the field where none was chosen."""
        chosen = self.files.get(name)
        if not chosen:
            raise Invalid(fields={name: "请选择一个文件，现在没有选"})
        return chosen[0]


def _file_hash(file: UploadFile) -> str:
    found = sha256()
    while block := file.file.read(_BLOCK):
        found.update(block)
    file.file.seek(0)
    return found.hexdigest()


async def read(request: Request) -> Submission:
    """Read the body once; later calls for the same request get the same Submission.

    Raises TooLarge over MAX_BODY (a body must say its length, as every browser's does), Invalid
    where it is no form or has too many or too long parts.
    """
    known: Submission | None = getattr(request.state, "submission", None)
    if known is not None:
        return known
    length = request.headers.get("content-length", "")
    if not length.isdecimal() or len(length) > 12 or int(length) > MAX_BODY:
        raise TooLarge("一次提交最多52 MB，请减少附件后再提交")
    try:
        data = await request.form(
            max_files=MAX_FILES, max_fields=MAX_FIELDS, max_part_size=MAX_FIELD_BYTES
        )
    except (HTTPException, FormParserError) as error:
        raise Invalid("提交的内容不完整，或有一栏过长，请回到原页面再试") from error
    request.state.submission = _sorted(data)
    return _sorted(data)


def _sorted(data: FormData) -> Submission:
    sent = Submission()
    for name, value in data.multi_items():
        if isinstance(value, str):
            sent.fields.setdefault(name, []).append(value)
        elif value.filename:
            sent.files.setdefault(name, []).append(value)
    return sent


async def submission(request: Request) -> AsyncIterator[Submission]:
    """Give what a request that changes something sent; its files are closed after the answer."""
    if request.method in csrf.SAFE:
        yield Submission()
        return
    try:
        yield await read(request)
    finally:
        await request.close()


Sent = Annotated[Submission, Depends(submission)]


def query(request: Request) -> Submission:
    """Return the query string in the same form, so that GET pages are parsed alike."""
    sent = Submission()
    for name, value in request.query_params.multi_items()[:MAX_FIELDS]:
        sent.fields.setdefault(name, []).append(value)
    return sent


class Form(Generic[M]):
    """A form as a page shows it: typed values, messages by field, and the data once all is well.

    `rest` is the data with wrong fields left out, where the others stand without them: by it a
    page tells all that is wrong at once.
    """

    def __init__(self, model: type[M], values: Mapping[str, list[str]]) -> None:
        self._titles = {_key(n, i): i.title or "" for n, i in model.model_fields.items()}
        self.values = {name: [printable(v) for v in typed] for name, typed in values.items()}
        self.errors: dict[str, str] = {}
        self.standing: dict[str, list[str]] = {}
        self.rest: M | None = None
        self._data: M | None = None

    @property
    def data(self) -> M | None:
        """Return the model, None while there is any error."""
        return None if self.errors else self._data

    def accept(self, data: M) -> None:
        self._data = data

    def first(self, name: str) -> str:
        return (self.values.get(name) or [""])[0]

    def all(self, name: str) -> list[str]:
        return self.values.get(name, [])

    def has(self, name: str, value: object) -> bool:
        return str(value) in self.values.get(name, [])

    def error(self, name: str) -> str:
        return self.errors.get(name, "")

    def fail(self, name: str, message: str) -> None:
        """Note a message; the first of a field stays."""
        self.errors.setdefault(name if name in self._titles else WHOLE, message)

    def reject(self, error: Invalid | Conflict) -> None:
        """Take over what a service refused: its fields to ours, the rest to the top."""
        fields = error.fields if isinstance(error, Invalid) else {}
        for name, message in fields.items():
            self.fail(name, message)
        if not fields:
            self.fail(WHOLE, error.message)

    def overtaken(self, newest: "Form[Any]", *, by: Iterable[str]) -> None:
        """Show beside each field that differs what somebody saved meanwhile, to choose from.

        `newest` is the form of what stands now; from here on the form is based on it: `by` names
        the fields that hold the version.
        """
        versions = set(by)
        for name in self._titles:
            if name in versions:
                self.values[name] = newest.all(name)
            elif _bare(newest.all(name)) != _bare(self.all(name)):
                self.standing[name] = newest.all(name)

    @property
    def summary(self) -> list[tuple[str, str]]:
        """Return (field or "", sentence with its subject) in the order of the form."""
        order = [WHOLE, *self._titles]
        found = sorted(self.errors.items(), key=lambda item: order.index(item[0]))
        return [(name, self._with_subject(name, message)) for name, message in found]

    def _with_subject(self, name: str, message: str) -> str:
        title = self._titles.get(name, "")
        return message if title in message else f"{title}{message}"


def parse(model: type[M], sent: Submission) -> Form[M]:
    """Return the form of what was sent. Blank inputs count as not sent; ends are trimmed."""
    fields = _chosen(sent.fields)
    form = Form(model, fields)
    payload: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        key = _key(name, info)
        raw = fields.get(key, [])
        if message := _unstorable(raw):
            form.fail(key, message)
            continue
        typed = [text for value in raw if (text := value.replace("\r\n", "\n").strip())]
        if typed:
            payload[key] = typed if _takes_many(info.annotation) else typed[-1]
    try:
        form.accept(model.model_validate(payload))
    except ValidationError as refused:
        for error in refused.errors(include_url=False):
            key = str(error["loc"][0]) if error["loc"] else WHOLE
            form.fail(key, sentence(error, _field(model, key)))
        with suppress(ValidationError):
            good = {key: typed for key, typed in payload.items() if key not in form.errors}
            form.rest = model.model_validate(good)
    return form


def _bare(values: Iterable[str]) -> list[str]:
    """Return what was typed as far as it matters: blank is nothing, line ends are alike."""
    return [text for value in values if (text := value.replace("\r\n", "\n").strip())]


def _chosen(fields: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Return the fields with the choices of a form that was overtaken carried out.

    Beside the field `title` that form has `theirs:title` with what somebody else saved, and
    `use:title` by which a person takes it.
    """
    kept = {name: typed for name, typed in fields.items() if ":" not in name}
    for name, choice in fields.items():
        mark, _, field_name = name.partition(":")
        if mark == "use" and choice == ["theirs"]:
            kept[field_name] = fields.get(f"theirs:{field_name}", [])
    return kept


def blank(model: type[M], values: Mapping[str, object] | None = None) -> Form[M]:
    """Return a form filled as a person would have typed it; money comes as `wan(fen)`."""
    return Form(model, {name: _typed(value) for name, value in (values or {}).items()})


def wan(fen: int | None) -> str:
    """Return an amount as it is typed into a 万元 field: `120.5`, "" for none."""
    return "" if fen is None else fen_to_wan(fen)


def _typed(value: object) -> list[str]:
    if value is None or value is False or value == "":
        return []
    if value is True:
        return ["1"]
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [str(part) for part in value]
    return [str(value)]


def _key(name: str, info: FieldInfo) -> str:
    return info.alias or name


def _field(model: type[BaseModel], key: str) -> FieldInfo | None:
    return next((i for n, i in model.model_fields.items() if _key(n, i) == key), None)


def _takes_many(annotation: object) -> bool:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _takes_many(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return any(_takes_many(part) for part in get_args(annotation))
    return (origin or annotation) in (list, tuple, set, frozenset)


def _unstorable(values: list[str]) -> str:
    return next((wrong for value in values if (wrong := letters.problem(value))), "")


def printable(value: str) -> str:
    """Return what was typed with a mark where no database keeps a letter."""
    return "".join(letter if letters.is_storable(letter) else "\ufffd" for letter in value)


def _plain(value: object) -> str:
    """Return full-width digits and signs as ASCII."""
    return unicodedata.normalize("NFKC", str(value)).strip()


def _to_whole(value: object) -> object:
    text = _plain(value).replace(",", "")
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 18:
        raise ValueError(f"应为整数，现在是“{str(value)[:ECHO]}”")
    return int(text)


def _to_day(value: object) -> object:
    if isinstance(value, date):
        return value
    found = days.day(str(value))
    if found is None:
        raise ValueError(f"应写成2026-11-20的样子，现在是“{str(value)[:ECHO]}”")
    year, month, one = found
    if one is None:
        raise ValueError(f"应写到哪一天，如{year}-{month:02}-20，现在是“{str(value)[:ECHO]}”")
    try:
        return date(year, month, one)
    except ValueError:
        raise ValueError(f"日历上没有这一天：{str(value)[:ECHO]}") from None


def _to_last_day(value: object) -> object:
    found = days.day(str(value))
    if found is None or found[2] is not None or not 1 <= found[1] <= 12 or not found[0]:
        return _to_day(value)
    return date(found[0], found[1], monthrange(found[0], found[1])[1])


def _to_fen(value: object) -> object:
    return wan_to_fen(_plain(value))


Wan = Annotated[int, BeforeValidator(_to_fen)]
"""An amount typed in 万元, exact fen in the model."""

OptionalWan = Annotated[
    int | None,
    BeforeValidator(lambda value: _to_fen(value) if isinstance(value, str) and value else None),
]
"""An amount typed in 万元, or nothing."""

Yuan = Annotated[int, BeforeValidator(lambda value: yuan_to_fen(_plain(value)))]
"""An amount typed in 元: what banks and invoices say. Exact fen in the model."""

OptionalYuan = Annotated[
    int | None,
    BeforeValidator(
        lambda value: yuan_to_fen(_plain(value)) if isinstance(value, str) and value else None
    ),
]
"""An amount typed in 元, or nothing."""

Whole = Annotated[int, BeforeValidator(_to_whole)]
"""A whole number; commas and full-width digits are read as people mean them."""

Day = Annotated[date, BeforeValidator(_to_day), AfterValidator(in_time)]
"""A calendar day as people write it, by the same reader as in files."""

LastDay = Annotated[date, BeforeValidator(_to_last_day), AfterValidator(in_time)]
"""A day until which something runs: of a month (2027年6月) its last."""
