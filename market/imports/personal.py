"""What imports hold of a person: the files that the person brought in, and what became of them."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session

from market.imports import repository
from market.kit.across import Held
from market.kit.clock import local_text
from market.kit.ids import PersonId

KEPT = ("您为机构导入的表格和逐行结果：归机构所有，导入人只以编号记，导入结束后1年删去。",)


def held(_session: Session, person_id: PersonId) -> Sequence[Held[Any]]:
    return (
        Held(
            "导入的表格",
            repository.started_by(person_id),
            lambda row: {
                "文件名": row[1].name,
                "行数": row[0].rows,
                "新建": row[0].created,
                "更新": row[0].updated,
                "未导入": row[0].refused,
                "时间": local_text(row[0].created_at),
            },
        ),
    )
