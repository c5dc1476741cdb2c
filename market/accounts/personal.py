"""What accounts hold of a person: the copy, what goes when the account is deleted, what stays."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session

from market.accounts import repository, repository_personal
from market.accounts.law import NAMES, Document
from market.accounts.models import ApiToken, Consent, Person, SignIn
from market.kit.across import Held, by
from market.kit.audit import AuditRow
from market.kit.clock import local_text
from market.kit.ids import PersonId

KEPT = (
    "您同意隐私政策和服务条款的记录：证明处理您的信息时有您的同意，只以编号记人。",
    "操作记录（谁在什么时候做了什么）：网络安全法要求至少留存六个月，只以编号记人，到期自动删除。",
)
_OUTCOMES = {"done": "完成", "refused": "被拒绝", "failed": "失败"}


def held(_session: Session, person_id: PersonId) -> Sequence[Held[Any]]:
    return (*_account(person_id), *_ways_in(person_id), *_trail(person_id))


def _account(person_id: PersonId) -> Sequence[Held[Any]]:
    return (
        Held(
            "账号",
            by(Person, "id", person_id),
            lambda row: {
                "姓名": row.name,
                "邮箱": row.email,
                "电话": row.phone,
                "编号": row.public_id,
                "注册时间": local_text(row.created_at),
            },
        ),
        Held(
            "机构",
            repository_personal.memberships(person_id),
            lambda row: {
                "机构": row[1].name,
                "角色": row[0].role,
                "状态": row[0].state,
                "申请或加入": local_text(row[0].created_at),
            },
        ),
    )


def _ways_in(person_id: PersonId) -> Sequence[Held[Any]]:
    return (
        Held(
            "登录会话",
            by(SignIn, "person_id", person_id),
            lambda row: {
                "设备": row.agent,
                "登录时间": local_text(row.created_at),
                "最近使用": local_text(row.last_seen_at),
                "已退出": row.revoked_at is not None,
            },
        ),
        Held(
            "接口令牌",
            by(ApiToken, "person_id", person_id),
            lambda row: {
                "名称": row.name,
                "建立时间": local_text(row.created_at),
                "有效至": local_text(row.expires_at),
                "已撤销": row.revoked_at is not None,
            },
        ),
    )


def _trail(person_id: PersonId) -> Sequence[Held[Any]]:
    return (
        Held(
            "同意记录",
            by(Consent, "person_id", person_id),
            lambda row: {
                "文件": NAMES[Document(row.document)],
                "版本": row.version,
                "时间": local_text(row.at),
            },
        ),
        Held(
            "操作记录",
            by(AuditRow, "person_id", person_id),
            lambda row: {
                "时间": local_text(row.at),
                "动作": row.action,
                "对象": row.subject or "",
                "结果": _OUTCOMES[row.outcome],
                "说明": row.detail or "",
            },
        ),
    )


def erase(session: Session, person_id: PersonId, at: datetime) -> None:
    """Turn the person into a pseudonym and drop sessions, tokens and links."""
    repository_personal.drop_ways_in(session, person_id)
    repository_personal.forget(session, repository.person(session, person_id), at)
