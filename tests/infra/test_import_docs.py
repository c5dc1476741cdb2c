"""What the documents say of imports is what the program takes."""

from pathlib import Path

import pytest

from market.imports.models import Kind
from market.imports.targets import offers

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("kind", "title"), [(Kind.CONTRACT, "合同"), (Kind.ORGANISATION, "机构")])
def test_the_columns_of_the_bureau_s_files_are_listed(kind: Kind, title: str) -> None:
    columns = offers(demo=True)[kind].target.columns
    needed = "、".join(one.label for one in columns if one.required)
    other = "、".join(one.label for one in columns if not one.required)
    text = (ROOT / "docs/imports.md").read_text(encoding="utf-8")
    assert f"| {title} | {needed} | {other} |" in text
    assert "(samples/contracts.csv)" in text


def test_the_readme_leads_to_the_documents_and_the_operator() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for one in ("(docs/operations.md)", "(docs/imports.md)", "operator@yunying.example"):
        assert one in text
