"""What of a contract holds under its registration: as it was registered, until a change says so."""

from typing import Any, Final

from market.accounts.work import Work
from market.catalog.vocabulary import FIELDS, region_name
from market.deals.models import Contract
from market.deals.vocabulary import CONTRACT_TYPES, SUB_TYPES, ContractType
from market.kit.errors import Invalid
from market.ledger.schemas import OUTSIDE
from market.registry import repository_past
from market.registry.models import Registration
from market.registry.repository import Filed
from market.registry.schemas import ChangeIn
from market.rules import versions

NO_REGION: Final = "本站没有这个名称的已核验机构，请写明它的行政区划代码"
NOT_OF_TYPE: Final = "请选这一类别的小类"
ONE_PARTY: Final = "卖方和买方不能是同一个"
NAMES: Final = {
    "contract_type": "合同类别",
    "sub_type": "合同小类",
    "field": "技术领域",
    "seller_id": "卖方机构号",
    "seller_name": "卖方名称",
    "seller_region": "卖方地区",
    "buyer_id": "买方机构号",
    "buyer_name": "买方名称",
    "buyer_region": "买方地区",
}
"""What a change may move beside the amounts, by the names that the ledger has for it."""


def registered(row: Registration, contract: Contract) -> dict[str, Any]:
    """Return what was registered, by NAMES; before that, what the contract says."""
    own = contract.model_dump(include=set(NAMES))
    return own | {"contract_type": row.registered_type or contract.type}


def of(row: Registration, contract: Contract) -> dict[str, Any]:
    """Return what is in force now, by NAMES."""
    return registered(row, contract) | row.in_force


def changed(work: Work, filed: Filed, form: ChangeIn) -> dict[str, Any]:
    """Return what differs from what was registered once a change is in force.

    Raises Invalid at the fields that do not fit.
    """
    first, now = registered(filed.row, filed.contract), of(filed.row, filed.contract)
    new = now | _kind(work, filed, form)
    if form.field is not None:
        new["field"] = form.field
    new |= _party(work, now, "seller", form.seller, form.seller_region)
    new |= _party(work, now, "buyer", form.buyer, form.buyer_region)
    if new["seller_name"] == new["buyer_name"]:
        raise Invalid(fields={"buyer": ONE_PARTY})
    return {name: value for name, value in new.items() if value != first[name]}


def _kind(work: Work, filed: Filed, form: ChangeIn) -> dict[str, str]:
    """Return type and sub-type as the rules of the signing date name them."""
    if form.type is None:
        if form.sub_type:
            raise Invalid(fields={"type": "改小类时请同时写明类别"})
        return {}
    if form.sub_type not in SUB_TYPES[form.type]:
        raise Invalid(fields={"sub_type": NOT_OF_TYPE})
    assert filed.contract.signed_on is not None
    rules = versions.book(work.session).at(filed.contract.signed_on).rules
    return {"contract_type": rules.registered_as(form.type), "sub_type": form.sub_type}


def _party(
    work: Work, now: dict[str, Any], side: str, name: str | None, region: str
) -> dict[str, Any]:
    """Return a party by its name: an organisation of the market, where one verified has it."""
    if not name or name == now[f"{side}_name"]:
        return {f"{side}_region": region} if region else {}
    known = repository_past.known_parties(work.session, set(), {name})
    match = known[0] if len(known) == 1 else None
    region = region or (match.region if match else "")
    if not region:
        raise Invalid(fields={f"{side}_region": NO_REGION})
    return {
        f"{side}_id": match.id if match else OUTSIDE,
        f"{side}_name": name,
        f"{side}_region": region,
    }


def words(row: Registration, contract: Contract) -> list[tuple[str, str]]:
    """Return (label, words) of what a change moved beside the amounts."""
    now, moved = of(row, contract), row.in_force
    kind = f"{CONTRACT_TYPES[ContractType(now['contract_type'])]}，{now['sub_type']}"
    told = (
        (("contract_type", "sub_type"), "变更后类别", kind),
        (("field",), "变更后领域", FIELDS[now["field"]]),
        *(
            (
                (f"{side}_name", f"{side}_region"),
                f"变更后{label}",
                f"{now[f'{side}_name']}（{region_name(now[f'{side}_region'])}）",
            )
            for side, label in (("seller", "卖方"), ("buyer", "买方"))
        ),
    )
    return [(label, text) for names, label, text in told if any(one in moved for one in names)]
