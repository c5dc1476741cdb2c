"""What is wrong with a row of a file that reads well, held against others and what is stored."""

from market.catalog.intake_rows import Row
from market.kit.intake import Fault


def unknown_reference(row: Row) -> Fault:
    heading = row.headings.get("reference", "")
    return Fault(heading, "应为本单位同类内容的平台编号，或留空新建；没有这一条，可能已被撤销")


def same_listing(row: Row, earlier: int) -> Fault:
    by = "reference" if row.reference else "own_number" if row.form.own_number else ""
    return Fault(row.headings.get(by, ""), f"与第{earlier}行是同一条，每条只能有一行")


def met_before(row: Row, earlier: int) -> Fault:
    where = f"第{earlier}行"
    if row.reference:
        return same_listing(row, earlier)
    if row.form.own_number is None:
        return Fault("", f"与{where}的内容完全相同，只导入一次")
    heading = row.headings.get("own_number", "")
    return Fault(heading, f"“{row.form.own_number[:20]}”在{where}已经有了，每个编号只能有一行")


def taken_number(row: Row) -> Fault:
    heading = row.headings.get("own_number", "")
    return Fault(heading, f"“{(row.form.own_number or '')[:20]}”已是另一条的编号，请换一个")
