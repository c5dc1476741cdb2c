"""What the catalogue holds of a person: who wrote, sent in and decided what."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session

from market.catalog.models import Listing, ListingRevision, Review, ReviewState
from market.kit.across import Held, any_by, by
from market.kit.clock import local_text
from market.kit.files import StoredFile
from market.kit.ids import OrganisationId, PersonId

KEPT = (
    "您为机构填写的成果、需求和上传的证明材料：归机构所有，填写人只以编号记。",
    "成果的完成人一栏：是成果的一部分，要更改请联系持有单位。",
)
_REVIEWS = {
    ReviewState.DRAFT: "已撤回",
    ReviewState.SUBMITTED: "审核中",
    ReviewState.REFUSED: "未通过",
    ReviewState.APPROVED: "已通过",
}


def held(_session: Session, person_id: PersonId) -> Sequence[Held[Any]]:
    return (
        Held(
            "写下的成果与需求",
            by(ListingRevision, "created_by", person_id),
            lambda row: {
                "题目": row.title,
                "第几稿": row.seq,
                "时间": local_text(row.created_at),
            },
        ),
        Held(
            "上传的文件",
            by(StoredFile, "person_id", person_id),
            lambda row: {
                "文件名": row.name,
                "字节": row.size,
                "时间": local_text(row.created_at),
            },
        ),
        Held(
            "提交审核",
            by(Review, "submitted_by", person_id),
            lambda row: {
                "结果": _REVIEWS[ReviewState(row.state)],
                "时间": local_text(row.submitted_at),
            },
        ),
        Held(
            "审核决定",
            by(Review, "decided_by", person_id),
            lambda row: {
                "结果": _REVIEWS[ReviewState(row.state)],
                "说明": row.note,
                "时间": local_text(row.decided_at) if row.decided_at else "",
            },
        ),
    )


def ties(session: Session, organisation_id: OrganisationId) -> bool:
    return any_by(session, Listing, "organisation_id", organisation_id)
