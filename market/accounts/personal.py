"""What accounts hold of a person: the copy, what goes when the account is deleted, what stays."""

from datetime import datetime

from sqlmodel import Session

from market.accounts import repository, repository_personal
from market.accounts.law import NAMES, Document
from market.accounts.models import ApiToken, SignIn
from market.kit.across import Records, rows_by
from market.kit.audit import AuditRow
from market.kit.clock import local_text
from market.kit.ids import PersonId

KEPT = (
    "您同意隐私政策和服务条款的记录：证明处理您的信息时有您的同意，只以编号记人。",
    "操作记录（谁在什么时候做了什么）：网络安全法要求至少留存六个月，只以编号记人，到期自动删除。",
)
_OUTCOMES = {"done": "完成", "refused": "被拒绝", "failed": "失败"}


def copy(session: Session, person_id: PersonId) -> Records:
    person = repository.person(session, person_id)
    return {
        "账号": [
            {
                "姓名": person.name,
                "邮箱": person.email,
                "电话": person.phone,
                "编号": person.public_id,
                "注册时间": local_text(person.created_at),
            }
        ],
        "机构": [
            {
                "机构": organisation.name,
                "角色": membership.role,
                "状态": membership.state,
                "申请或加入": local_text(membership.created_at),
            }
            for membership, organisation in repository_personal.memberships(session, person_id)
        ],
        **_ways_in(session, person_id),
        **_trail(session, person_id),
    }


def _ways_in(session: Session, person_id: PersonId) -> Records:
    return {
        "登录会话": [
            {
                "设备": row.agent,
                "登录时间": local_text(row.created_at),
                "最近使用": local_text(row.last_seen_at),
                "已退出": row.revoked_at is not None,
            }
            for row in rows_by(session, SignIn, "person_id", person_id)
        ],
        "接口令牌": [
            {
                "名称": row.name,
                "建立时间": local_text(row.created_at),
                "有效至": local_text(row.expires_at),
                "已撤销": row.revoked_at is not None,
            }
            for row in rows_by(session, ApiToken, "person_id", person_id)
        ],
    }


def _trail(session: Session, person_id: PersonId) -> Records:
    return {
        "同意记录": [
            {"文件": NAMES[Document(row.document)], "版本": row.version, "时间": local_text(row.at)}
            for row in repository.consents(session, person_id)
        ],
        "操作记录": [
            {
                "时间": local_text(row.at),
                "动作": row.action,
                "对象": row.subject or "",
                "结果": _OUTCOMES[row.outcome],
                "说明": row.detail or "",
            }
            for row in rows_by(session, AuditRow, "person_id", person_id)
        ],
    }


def erase(session: Session, person_id: PersonId, at: datetime) -> None:
    """Turn the person into a pseudonym and drop sessions, tokens and links."""
    repository_personal.drop_ways_in(session, person_id)
    repository_personal.forget(session, repository.person(session, person_id), at)
