"""What accounts keep for how long."""

from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session

from market.accounts import repository_personal as repository
from market.kit import once
from market.kit.across import Keep

ENDED: Final = timedelta(days=30)
FAILURES: Final = timedelta(days=1)


def _sign_ins(session: Session, now: datetime, limit: int) -> int:
    return repository.drop_ended_sign_ins(session, now - ENDED, limit)


def _tokens(session: Session, now: datetime, limit: int) -> int:
    return repository.drop_ended_tokens(session, now - ENDED, limit)


def _links(session: Session, now: datetime, limit: int) -> int:
    return repository.drop_ended_links(session, now - ENDED, limit)


def _failures(session: Session, now: datetime, limit: int) -> int:
    return repository.drop_failures(session, now - FAILURES, limit)


KEEPS: Final = (
    Keep("登录会话（设备、登录和最近使用的时间）", "退出或过期后30天", _sign_ins),
    Keep("接口令牌（只存摘要）", "撤销或过期后30天", _tokens),
    Keep("设置密码的一次性链接（只存摘要）", "用过或过期后30天", _links),
    Keep("登录失败和注册次数（邮箱、网络地址只存摘要）", "1天", _failures),
    Keep("已做过的提交和回答（防止重复提交）", "2天", once.expire),
)
