from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson
import pyarrow as pa
import pytest

from services.profile.exports import domain
from services.profile.identifiers.domain import KINDS
from services.profile.jobs.domain.columns import LAYOUTS, ImportKind
from tests.kit import bearer
from tests.profile.conftest import Profile, ago, cny

pytestmark = pytest.mark.anyio


async def exported(profile: Profile, path: str, **options: Any) -> list[dict[str, Any]]:
    answer = await profile.call("GET", path, **options)
    assert answer.status_code == 200, answer.text
    return pa.ipc.open_stream(answer.content).read_all().to_pylist()


def test_exports_have_the_columns_of_the_imports_without_identifiers() -> None:
    exports = {
        ImportKind.CUSTOMERS: domain.CUSTOMERS,
        ImportKind.ACCOUNTS: domain.ACCOUNTS,
        ImportKind.HOLDINGS: domain.HOLDINGS,
        ImportKind.EVENTS: domain.EVENTS,
        ImportKind.RELATIONS: domain.RELATIONS,
        ImportKind.KYC: domain.KYC,
        ImportKind.NEEDS: domain.NEEDS,
        ImportKind.GOALS: domain.GOALS,
    }
    for kind, export in exports.items():
        taken = LAYOUTS[kind].schema
        kept_back = {*KINDS, "value"} if kind == ImportKind.KYC else {*KINDS}
        assert export.schema.names == [name for name in taken.names if name not in kept_back]
        assert all(taken.field(field.name).type == field.type for field in export.schema)


async def test_what_is_exported_is_what_was_stated(profile: Profile) -> None:
    await profile.customer("c1", industry='text with "quotes",\nlines', income_year=cny("10.50"))
    await profile.holding("c1", "fund", balance=cny(7), balance_at="2026-03-01T00:00:00Z")
    event = {"event_id": "e1", "customer_id": "c1", "type": "login", "occurred_at": ago(1)}
    await profile.ok("POST", "/events", json={**event, "data": {"page": "home"}})

    (customer,) = await exported(profile, "/customers:export")
    holdings = await exported(profile, "/holdings:export")
    (told,) = await exported(profile, "/events:export")

    assert customer["industry"] == 'text with "quotes",\nlines'
    assert customer["income_year"] == Decimal("10.50")
    assert (customer["org_path"], customer["rm_id"]) == ("", None)
    assert [(each["category"], each["balance"]) for each in holdings] == [
        ("demand_deposit", None),
        ("fund", Decimal("7.00")),
    ]
    assert holdings[1]["balance_at"] == datetime(2026, 3, 1, tzinfo=UTC)
    assert holdings[1]["opened_at"] == date(2025, 1, 1)
    assert orjson.loads(told["data"]) == {"page": "home"}


async def test_an_export_is_written_as_asked(profile: Profile) -> None:
    await profile.customer("c1", industry="=制造业", income_year=cny("10.50"))

    async def told(**query: str) -> Any:
        return await profile.call("GET", "/customers:export", params=query)

    chinese = await told(format="csv", charset="gb18030", delimiter=";")
    marked = await told(format="csv", bom="true")
    fixed = await told(format="fixed", widths="customer_id:4,industry:3")
    unknown = await told(format="fixed", widths="colour:3")
    wrong = await told(format="parchment")

    assert "'=制造业" in chinese.content.decode("gb18030").splitlines()[1].split(";")
    assert chinese.headers["content-disposition"] == 'attachment; filename="customers.csv"'
    assert marked.content.startswith(b"\xef\xbb\xbfcustomer_id,party_type,")
    assert "c1          person" in fixed.text
    assert " ******** " in fixed.text, "too long for its column"
    assert (unknown.status_code, unknown.json()["code"]) == (422, "wrong_widths")
    assert wrong.status_code == 422


async def test_features_are_exported_by_column(profile: Profile) -> None:
    await profile.customer("c1", birth_date="1980-01-01")

    (found,) = await exported(profile, "/features/export?columns=age,has_fund,aum,track")
    unknown = await profile.call("GET", "/features/export?columns=lifecycle")

    assert {name: found[name] for name in ("customer_id", "age", "has_fund", "aum", "track")} == {
        "customer_id": "c1", "age": 46, "has_fund": False, "aum": 0.0, "track": "existing",
    }  # fmt: skip
    assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown_feature")


async def test_exports_show_whom_the_token_sees(profile: Profile) -> None:
    await profile.customer("c1", org_path="bank/b1")
    await profile.customer("c2", org_path="bank/b2")
    branch = bearer("customers:read", org="bank/b2")
    bound = bearer("customers:read", customer="c1")

    found = await exported(profile, "/accounts:export", headers=branch)

    assert [each["customer_id"] for each in found] == ["c2"]
    refused = await profile.call("GET", "/accounts:export", headers=bound)
    assert refused.status_code == 403


async def test_an_empty_bank_exports_empty_tables(profile: Profile) -> None:
    assert await exported(profile, "/events:export") == []
    assert await exported(profile, "/features/export") == []


async def test_features_of_a_past_moment_leave_out_what_came_later(profile: Profile) -> None:
    await profile.customer("c1", opened="2025-01-01")
    for number, days in enumerate((40, 20, 1)):
        login = {"event_id": f"e{number}", "customer_id": "c1", "type": "login"}
        await profile.ok("POST", "/events", json={**login, "occurred_at": ago(days)})
    wanted = {"columns": "logins_30d,tenure_days,credit_line,party_type,has_rm", "as_of": ago(15)}

    (found,) = await exported(profile, "/features/export", params=wanted)
    wanted |= {"known_at": ago(15)}
    unheard_of = await exported(profile, "/features/export", params=wanted)

    assert (found["logins_30d"], found["tenure_days"]) == (2, 410)
    assert (found["credit_line"], found["party_type"], found["has_rm"]) == (None, "person", None)
    assert unheard_of == []


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"known_at": ago(1)}, "no_moment"),
        ({"as_of": ago(1), "changed_in_run": "r1"}, "no_moment"),
        ({"as_of": ago(-1)}, "run_ahead"),
    ],
)
async def test_a_moment_that_makes_no_sense_is_refused(
    profile: Profile, params: dict[str, str], code: str
) -> None:
    answer = await profile.call("GET", "/features/export", params=params)

    assert (answer.status_code, answer.json()["code"]) == (422, code)
