"""Files that back a listing: seen by its owner and by the bureau, by nobody else."""

from typing import BinaryIO

from market.accounts.policy import Action
from market.accounts.work import Work
from market.catalog import publishing, repository
from market.catalog.drafts import IN_REVIEW, own_listing
from market.catalog.models import Listing, Proof, ReviewState
from market.kit import files
from market.kit.errors import Conflict, Invalid, NotFound
from market.kit.files import MAX_FILE_BYTES, StoredFile
from market.kit.ids import PublicId

MAX_PROOFS = 20
_HEAD = 16  # bytes that tell the kinds apart


def attach(work: Work, public_id: PublicId, name: str, stream: BinaryIO) -> StoredFile:
    """Attach a file to an own listing. `stream` stands at its start and can seek.

    Raises Invalid at `file` for a wrong kind, an empty file, one attached already, or one too
    many; TooLarge over 20 MB; Conflict while in review.
    """
    listing = _changeable(work, public_id)
    repository.touch(work.session, listing, work.now)
    attached = repository.proofs(work.session, listing.id)
    if len(attached) >= MAX_PROOFS:
        raise Invalid(fields={"file": f"一条最多附{MAX_PROOFS}个文件，请先移除不用的"})
    head = stream.read(_HEAD)
    if not head:
        raise Invalid(fields={"file": "文件是空的，请重新选择"})
    media_type = files.proof_media_type(name, head)
    stream.seek(0)
    stored = work.parts.files.save(stream, limit=MAX_FILE_BYTES)
    same = next((file for _, file in attached if file.sha256 == stored[0]), None)
    if same is not None:
        raise Invalid(fields={"file": f"内容与已附的“{same.name}”相同，不用再附"})
    file = files.keep(
        work.session,
        stored=stored,
        name=name,
        media_type=media_type,
        organisation_id=listing.organisation_id,
        person_id=work.actor.person_id,
        at=work.now,
    )
    repository.add_proof(work.session, listing.id, file.id, work.now)
    return file


def remove(work: Work, public_id: PublicId, file_id: PublicId) -> None:
    """Take a proof off an own listing. Raises NotFound, Conflict while in review."""
    listing = _changeable(work, public_id)
    proof, _ = _find(work, listing, file_id)
    repository.touch(work.session, listing, work.now)
    repository.remove_proof(work.session, proof)


def open_own(work: Work, public_id: PublicId, file_id: PublicId) -> tuple[StoredFile, BinaryIO]:
    """Return a proof of an own listing for download; the caller closes it. Raises NotFound."""
    listing = own_listing(work, public_id, Action.LISTING_VIEW_OWN)
    return _open(work, listing, file_id)


def open_reviewed(
    work: Work, public_id: PublicId, file_id: PublicId
) -> tuple[StoredFile, BinaryIO]:
    """Return a proof of a listing that was handed in, for the bureau. Raises NotFound."""
    listing, _ = publishing.under_review(work, public_id)
    return _open(work, listing, file_id)


def _changeable(work: Work, public_id: PublicId) -> Listing:
    listing = own_listing(work, public_id, Action.LISTING_EDIT)
    if listing.review_state == ReviewState.SUBMITTED:
        raise Conflict(IN_REVIEW)
    return listing


def _find(work: Work, listing: Listing, file_id: PublicId) -> tuple[Proof, StoredFile]:
    for proof, file in repository.proofs(work.session, listing.id):
        if file.public_id == file_id:
            return proof, file
    raise NotFound


def _open(work: Work, listing: Listing, file_id: PublicId) -> tuple[StoredFile, BinaryIO]:
    file = _find(work, listing, file_id)[1]
    return file, work.parts.files.open(file.sha256)
