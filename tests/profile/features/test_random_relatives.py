"""The SQL over relatives against the plain reference, on random families and companies."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.profile.relations.domain.admission import Admission
from services.profile.relations.domain.relations import Relation
from services.profile.vocabulary import relation_kinds
from shared.errors import DomainError
from tests.profile.conftest import NOW, Profile
from tests.profile.features.reference import Party, day_of, from_relatives

pytestmark = pytest.mark.anyio

TODAY = day_of(NOW)
KINDS = relation_kinds()
PEOPLE = [f"p{number}" for number in range(7)]
COMPANIES = ["x", "y"]
TYPES = dict.fromkeys(PEOPLE, "person") | dict.fromkeys(COMPANIES, "company")
_numbers = count(1)

near = st.sampled_from((-1, 0, 1, 30, 364, 365, 366, 900))
past = st.sampled_from((0, 1, 364, 365, 366, 900))
parties = st.builds(
    Party,
    aum=st.integers(0, 10**8),
    categories=st.integers(0, 3),
    born=st.none() | st.sampled_from((date(2008, 3, 2), date(2008, 3, 3), date(1980, 1, 1))),
    opened=past.map(lambda days: TODAY - timedelta(days=days)),
    bought=st.none() | past.map(lambda days: TODAY - timedelta(days=days)),
    is_reachable=st.booleans(),
    minor_children=st.sampled_from((None, None, 0, 2)),
    is_business_owner=st.sampled_from((None, None, False, True)),
)


@st.composite
def relations(draw: st.DrawFn) -> list[Relation]:
    """Relations that may stand together, some ended, some yet to come, circles among them."""
    admission, admitted = Admission(KINDS, TYPES, []), list[Relation]()
    for number in range(draw(st.integers(0, 30))):
        kind = draw(st.sampled_from(list(KINDS.values())))
        since = draw(st.none() | near.map(lambda days: TODAY - timedelta(days=days)))
        lasts = draw(st.none() | st.integers(0, 400))
        wanted = Relation(
            relation_id=f"r{number}",
            kind=kind.key,
            from_id=draw(st.sampled_from(list(TYPES))),
            to_id=draw(st.sampled_from(list(TYPES))),
            role=draw(st.sampled_from(list(kind.roles))) if kind.roles else None,
            since=since,
            until=since + timedelta(days=lasts) if since and lasts is not None else None,
            share=draw(st.sampled_from((None, 5, 20, 60))) if kind.has_share else None,
            source="test",
            confidence=1,
            recorded_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        try:
            admission.admit(wanted)
        except DomainError:
            continue
        admitted.append(wanted)
    return admitted


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.fixed_dictionaries(dict.fromkeys(TYPES, parties)), relations())
async def test_features_from_relatives_equal_those_of_the_reference(
    profile: Profile, known: dict[str, Party], related: list[Relation]
) -> None:
    prefix = f"t{next(_numbers)}-"
    related = [replace(r, from_id=prefix + r.from_id, to_id=prefix + r.to_id) for r in related]
    known = {prefix + name: party for name, party in known.items()}
    await _state(profile, known, related, prefix)
    await profile.ok("POST", "/features/rolls", json={})
    await profile.work()

    for name in known:
        found = await profile.features(name)
        expected = from_relatives(name, known, related, TODAY)
        assert {key: found[key] for key in expected} == pytest.approx(expected), name


async def _state(
    profile: Profile, known: Mapping[str, Party], related: Sequence[Relation], prefix: str
) -> None:
    async with profile.database.transaction() as connection:
        for name, party in known.items():
            await connection.execute(
                """INSERT INTO customer (customer_id, party_type, birth_date, minor_children,
                       is_business_owner, wechat_friend, created_at, updated_at)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $7)""",
                *(name, TYPES[name.removeprefix(prefix)], party.born, party.minor_children),
                *(party.is_business_owner, party.is_reachable, NOW),
            )
            await connection.execute(
                """INSERT INTO account (customer_id, account_id, role, currency, opened_at)
                   VALUES ($1, 'a', 'owner', 'CNY', $2)""",
                name,
                party.opened,
            )
            await connection.execute(
                """INSERT INTO holding (customer_id, holding_id, category, currency, opened_at)
                   SELECT $1, key, key, 'CNY', date '2020-01-01'
                   FROM unnest((ARRAY['fund', 'bill', 'mortgage'])[:$2]) AS key
                   UNION ALL SELECT $1, 'demand', 'demand_deposit', 'CNY', '2020-01-01'""",
                name,
                party.categories,
            )
            await connection.execute(
                """INSERT INTO balance (customer_id, holding_id, day, balance, at)
                   VALUES ($1, 'demand', '2020-01-01', $2, $3)""",
                name,
                party.aum,
                NOW,
            )
            if party.bought is not None:
                await connection.execute(
                    """INSERT INTO activity_day (customer_id, day, channel, purchases)
                       VALUES ($1, $2, 'app', 1)""",
                    name,
                    party.bought,
                )
        names = [field.name for field in fields(Relation)]
        columns = ["customer_id" if name == "from_id" else name for name in names]
        columns += ["from_party", "to_party"]
        await connection.executemany(
            f"""INSERT INTO relation ({", ".join(columns)})
                VALUES ({", ".join(f"${n}" for n in range(1, len(columns) + 1))})""",
            [
                [*(getattr(each, name) for name in names), each.from_id, each.to_id]
                for each in related
            ],
        )
