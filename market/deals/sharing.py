"""Files put to a deal: each is its organisation's own until it is shared, and stays shared."""

from collections.abc import Sequence
from typing import BinaryIO

from market.accounts.policy import Action, Relation
from market.accounts.work import Work
from market.deals import repository, service
from market.deals import repository_negotiation as beside
from market.deals.models import Deal
from market.deals.models_negotiation import DealFile
from market.deals.schemas import FileAudienceIn
from market.deals.vocabulary import AUDIENCES, WIDER, Audience
from market.kit import files
from market.kit.errors import Forbidden, Invalid, NotFound
from market.kit.files import MAX_FILE_BYTES, StoredFile
from market.kit.ids import PublicId

MAX_FILES = 50
NOTE = 200
_HEAD = 16  # bytes that tell the kinds apart


def attach(
    work: Work,
    public_id: PublicId,
    name: str,
    stream: BinaryIO,
    audience: Audience,
    note: str,
) -> DealFile:
    """Put a file to a deal. `stream` stands at its start and can seek.

    Raises Invalid at `file`, `audience`, `note`; TooLarge over 20 MB. What others put there is not
    looked at: neither its number nor its content changes the answer.
    """
    deal, related = service.step(work, public_id, Action.DEAL_NOTE)
    service.check_audience(related, audience)
    if len(note) > NOTE:
        raise Invalid(fields={"note": f"说明最多{NOTE}字，现在是{len(note)}字"})
    own = beside.attached(work.session, deal.id, work.actor.organisation)
    if len(own) >= MAX_FILES:
        raise Invalid(fields={"file": f"本单位在一项洽谈里最多放{MAX_FILES}个文件"})
    file = keep(work, name, stream, own)
    row = DealFile(
        deal_id=deal.id,
        file_id=file.id,
        audience=audience,
        note=note,
        organisation_id=work.actor.organisation,
        person_id=work.actor.person,
        at=work.now,
    )
    work.session.add(row)
    work.session.flush()
    if audience is Audience.ALL:
        repository.touch_deal(work.session, deal.id, work.now)
    return row


def keep(
    work: Work, name: str, stream: BinaryIO, beside_these: Sequence[StoredFile] = ()
) -> StoredFile:
    """Store a document or picture for the acting organisation. Raises Invalid at `file`."""
    head = stream.read(_HEAD)
    if not head:
        raise Invalid(fields={"file": "文件是空的，请重新选择"})
    media_type = files.proof_media_type(name, head)
    stream.seek(0)
    stored = work.parts.files.save(stream, limit=MAX_FILE_BYTES)
    for one in beside_these:
        if one.sha256 == stored[0]:
            raise Invalid(fields={"file": f"内容与本单位已放的“{one.name}”相同，不用再放"})
    return files.keep(
        work.session,
        stored=stored,
        name=name,
        media_type=media_type,
        organisation_id=work.actor.organisation,
        person_id=work.actor.person_id,
        at=work.now,
    )


def share(work: Work, public_id: PublicId, file_id: PublicId, form: FileAudienceIn) -> DealFile:
    """Show one's own file to more readers than before; it cannot be taken back from them.

    Raises NotFound, Forbidden for another's file, Invalid at `audience`, Conflict.
    """
    deal, related = service.step(work, public_id, Action.DEAL_NOTE)
    row, _ = _own(work, deal, related, file_id)
    service.check_audience(related, form.audience)
    if form.audience not in WIDER[form.seen]:
        raise Invalid(fields={"audience": f"现在{AUDIENCES[form.seen]}能看，只能改成让更多的人看"})
    beside.share_file(work.session, row, form.seen, form.audience)
    work.session.refresh(row)
    return row


def remove(work: Work, public_id: PublicId, file_id: PublicId) -> None:
    """Take one's own file, which nobody else could read, out of a deal.

    Raises NotFound, Forbidden for another's file, Conflict where it is shared.
    """
    deal, related = service.step(work, public_id, Action.DEAL_NOTE)
    row, _ = _own(work, deal, related, file_id)
    beside.remove_file(work.session, row)


def _own(
    work: Work, deal: Deal, related: Relation, file_id: PublicId
) -> tuple[DealFile, StoredFile]:
    found = beside.file_of(work.session, deal.id, file_id, service.reader(work, deal, related))
    if found is None:
        raise NotFound
    if found[0].organisation_id != work.actor.organisation:
        raise Forbidden("文件由放它的单位处理")
    return found


def opened(work: Work, public_id: PublicId, file_id: PublicId) -> tuple[StoredFile, BinaryIO]:
    """Return a file of a deal for download to those it is shared with; the caller closes it.

    Raises NotFound.
    """
    deal = service.find(work, public_id)
    reader = service.reader(work, deal, service.relation(work, deal))
    found = beside.file_of(work.session, deal.id, file_id, reader)
    if found is None:
        raise NotFound
    return found[1], work.parts.files.open(found[1].sha256)
