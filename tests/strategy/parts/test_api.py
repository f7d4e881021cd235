"""What strategy holds of a customer, in one answer."""

import pytest

from tests.kit import bearer
from tests.strategy.bank import ALL_SCOPES, arrive, keyed, renew_lease

pytestmark = pytest.mark.anyio

PATH = "/v1/customers/c1/parts/strategy"


async def test_open_contacts_and_restraints_come_together(api, database) -> None:
    await arrive(database)
    body = {"customer_id": "c1", "channel": "sms", "purpose": "marketing"}
    contact = (await api.post("/v1/contacts", json=body, headers=keyed())).json()

    found = (await api.get(PATH, headers=ALL_SCOPES)).json()

    assert found["parts"]["contacts"] == [contact]
    assert found["parts"]["suppressions"] == []
    assert found["parts"]["restraints"]["everywhere"] == []
    assert found["parts"]["restraints"]["channels"]["rm"] is None
    assert found["as_of"].keys() == {"suppressions", "restraints"}

    await renew_lease(database, age_seconds=3600)
    path = f"/v1/contacts/{contact['contact_id']}/release"
    await api.post(path, headers=ALL_SCOPES)
    later = (await api.get(f"{PATH}?names=contacts,restraints", headers=ALL_SCOPES)).json()
    assert later["parts"]["contacts"] == []
    assert later["parts"]["restraints"]["channels"]["rm"]["code"] == "consent_unknown"


async def test_whom_a_token_does_not_see_is_not_there(api, database) -> None:
    await arrive(database)

    for claims in ({"org": "bank/west"}, {"rm": "r9"}, {"customer": "c2"}):
        answer = await api.get(PATH, headers=bearer("contacts:read", **claims))
        assert answer.status_code == 404, claims
    assert (await api.get(PATH, headers=bearer("customers:read"))).status_code == 403
