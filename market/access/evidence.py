"""The signed paper of a mandate: put in by the principal, read by both sides."""

from collections.abc import Sequence
from typing import BinaryIO

from market.access import mandates, repository
from market.access.models import Mandate, MandateState
from market.accounts.policy import Action
from market.accounts.work import Work
from market.kit import files
from market.kit.errors import Conflict, Invalid, NotFound
from market.kit.files import MAX_FILE_BYTES, StoredFile
from market.kit.ids import MandateId, PublicId

_HEAD = 16  # bytes that tell the kinds apart


def attach(work: Work, public_id: PublicId, name: str, stream: BinaryIO) -> Mandate:
    """Keep the paper of an own mandate. `stream` stands at its start and can seek.

    Raises NotFound, Invalid at `file`, TooLarge over 20 MB, Conflict once it was refused or ended.
    """
    row = mandates.mandate(work, public_id)
    work.require(Action.MANDATE_GRANT, mandates.relation(work, row))
    if row.state not in (MandateState.OFFERED, MandateState.LIVE):
        raise Conflict("这份委托已经结束，不能再换证据文件")
    head = stream.read(_HEAD)
    if not head:
        raise Invalid(fields={"file": "文件是空的，请重新选择"})
    media_type = files.proof_media_type(name, head)
    stream.seek(0)
    stored = work.parts.files.save(stream, limit=MAX_FILE_BYTES)
    file = files.keep(
        work.session,
        stored=stored,
        name=name,
        media_type=media_type,
        organisation_id=work.actor.organisation,
        person_id=work.actor.person_id,
        at=work.now,
    )
    repository.set_evidence(work.session, row.id, file.id)
    work.touched("mandate", row.public_id)
    work.session.refresh(row)
    return row


def ids(work: Work, rows: Sequence[Mandate]) -> dict[MandateId, PublicId]:
    """Return the file of each mandate that has one."""
    return repository.evidence_ids(work.session, [row.id for row in rows])


def paper(work: Work, row: Mandate) -> StoredFile | None:
    """Return the row of a mandate's paper, whose bytes may be asked for with `open_paper`."""
    if row.evidence_file_id is None:
        return None
    return repository.evidence_of(work.session, row.id)


def open_paper(work: Work, public_id: PublicId) -> tuple[StoredFile, BinaryIO]:
    """Return the paper for download; the caller closes it. Raises NotFound."""
    file = paper(work, mandates.mandate(work, public_id))
    if file is None:
        raise NotFound
    return file, work.parts.files.open(file.sha256)
