"""Files that go back to people: refused rows with their reasons, exports, templates.

Each is written to a temporary file a row at a time, so that memory stays flat.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import BinaryIO, Literal

from market.accounts.policy import Action
from market.accounts.work import Work
from market.imports import reading, repository, targets
from market.imports.mapping import REASONS
from market.imports.models import ImportRun, Kind
from market.imports.service import own_run
from market.kit import sheets
from market.kit.errors import NotFound
from market.kit.ids import OrganisationId, PublicId
from market.kit.intake import Column
from market.kit.sheets import MAX_XLSX_CELL, Row, Shape

Format = Literal["xlsx", "csv"]
MEDIA = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/jsonl; charset=utf-8",
}
HOLDINGS = (Kind.ACHIEVEMENT, Kind.DEMAND)
_STEP = 500


@dataclass(frozen=True, slots=True)
class Download:
    """A file ready to be read from its start."""

    name: str
    media_type: str
    stream: BinaryIO


def refused_rows(work: Work, public_id: PublicId) -> Download:
    """Return the refused rows of an own run as the file had them, with the column 原因.

    Raises NotFound where none was refused.
    """
    run = own_run(work, public_id)
    if run.rows_file_id is None or not repository.problems(work.session, run.id, 1):
        raise NotFound
    shape = Shape.of(run.layout)
    kind = shape.format if shape.format in ("csv", "jsonl") else "xlsx"
    stem = repository.file_of(work.session, run).name.rpartition(".")[0] or "导入"
    rows = _refused(work, run)
    stream: BinaryIO = TemporaryFile()  # noqa: SIM115  whoever sends it closes it
    if kind == "jsonl":
        for row, why in rows:
            line = json.dumps({**row.values, REASONS: why}, ensure_ascii=False)
            stream.write(f"{line}\n".encode("utf-8", "replace"))
    else:
        header = (*shape.header, REASONS)
        width = len(shape.header)
        cells = (_with_reason(row.cells, width, why) for row, why in rows)
        _write(kind, stream, header, cells)
    stream.seek(0)
    return Download(f"{stem}-未导入.{kind}", MEDIA[kind], stream)


def _with_reason(cells: Sequence[str], width: int, why: str) -> Sequence[str]:
    """Cells beyond the headings stay beyond them: the row is refused again until it is mended."""
    return (*cells[:width], *[""] * (width - len(cells)), why, *cells[width:])


def _refused(work: Work, run: ImportRun) -> Iterator[tuple[Row, str]]:
    """Yield the refused rows of a run, each with all that is wrong with it."""
    sha256, offset = repository.rows_file(work.session, run).sha256, 0
    while records := reading.rows(work.parts.files, sha256, offset, _STEP):
        offset = records[-1].end
        span = (records[0].row, records[-1].row)
        reasons = repository.reasons(work.session, run.id, *span)
        for row in records:
            if row.row in reasons:
                yield row, reasons[row.row]


def export(work: Work, kind: Kind, form: Format) -> Download:
    """Return all that the acting organisation has of a kind. Raises NotFound for other kinds."""
    work.require(Action.LISTING_VIEW_OWN)
    if kind not in HOLDINGS:
        raise NotFound
    name = f"{work.actor.organisation_name}-{_title(work, kind)}-{work.today:%Y%m%d}"
    return written(work, kind, form, work.actor.organisation, name)


def written(
    work: Work, kind: Kind, form: Format, organisation_id: OrganisationId, name: str
) -> Download:
    """Return all that an organisation has of a kind; the caller has checked that one may."""
    target = targets.offers(demo=work.parts.demo)[kind].target
    rows = target.export(work.session, organisation_id)
    cells = ([row.get(column.key, "") for column in target.columns] for row in rows)
    return _file(name, form, target.columns, cells)


def template(work: Work, kind: Kind, form: Format) -> Download:
    """Return a file with the headings of a kind and one row as an example."""
    found = targets.offers(demo=work.parts.demo).get(kind)
    if found is None or work.actor.role not in found.roles:
        raise NotFound
    columns = [one for one in found.target.columns if one.example or one.required]
    example = [one.example for one in columns]
    return _file(f"{found.target.title}-模板", form, columns, [example])


def titles(work: Work, kinds: Iterable[Kind]) -> list[tuple[Kind, str]]:
    """Return kinds with what they are called."""
    return [(kind, _title(work, kind)) for kind in kinds]


def _title(work: Work, kind: Kind) -> str:
    return targets.offers(demo=work.parts.demo)[kind].target.title


def _file(
    name: str, form: Format, columns: Sequence[Column], rows: Iterable[Sequence[str]]
) -> Download:
    stream: BinaryIO = TemporaryFile()  # noqa: SIM115  whoever sends it closes it
    _write(form, stream, [one.label for one in columns], rows)
    stream.seek(0)
    return Download(f"{name}.{form}", MEDIA[form], stream)


def _write(
    form: str, stream: BinaryIO, header: Sequence[str], rows: Iterable[Sequence[str]]
) -> None:
    if form == "csv":
        sheets.write_csv(stream, header, rows)
    else:
        cut = ([cell[:MAX_XLSX_CELL] for cell in row] for row in rows)
        sheets.write_xlsx(stream, header, cut)
