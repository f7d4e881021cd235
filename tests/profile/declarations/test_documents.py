"""What docs/FEATURES.md shows is what the service takes."""

import re

import orjson
import pytest

from services.profile.declarations.domain import Operator
from services.profile.features.domain import Aggregate
from shared.paths import ROOT
from tests.profile.conftest import Profile
from tests.profile.declarations.bank import declare, open_segment, spend, tell

pytestmark = pytest.mark.anyio
TEXT = (ROOT / "docs" / "FEATURES.md").read_text()


async def test_a12_the_documented_declaration_is_taken_and_counts(profile: Profile) -> None:
    (example,) = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    (name,) = re.findall(r"PUT /v1/features/(\w+)", TEXT)
    await profile.customer("c1")
    open_segment(profile)

    answer = await declare(profile, name, orjson.loads(example))
    await profile.work()
    await tell(
        profile,
        spend("e1", amount=1_000, purpose="travel"),
        spend("e2", amount=5_000, purpose="car", data={"instalments": 12}),
        spend("e3", amount=999, purpose="car"),
        spend("e4", amount=5_000),
    )

    assert answer.status_code == 200, answer.text
    assert (await profile.features("c1"))[name] == 1


def test_the_document_names_every_operator_and_aggregate() -> None:
    assert [each for each in (*Operator, *Aggregate) if f"`{each}`" not in TEXT] == []
