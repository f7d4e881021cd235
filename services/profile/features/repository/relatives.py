"""What a customer's features take from other parties, and from the KYC card.

The facts of other parties are added up into `relative_sum` when relations of the customer are
written and in every run, never on a change of the customer's own: that reads one row by its key.
`$2` is the bank's day, `$3` the instant.
"""

# ruff: noqa: S608 - built from this module and the catalogue alone
from services.profile.features.repository.sources import AS_OF, ASSETS, DAY
from services.profile.vocabulary import KycItem, kyc_items, kyc_valid_months, relation_kinds

_YEAR = f"BETWEEN {DAY} - 364 AND {DAY}"
_CURRENT = f"coalesce(since, '-infinity') <= {DAY} AND coalesce(until, 'infinity') > {DAY}"
_HOUSEHOLD = f"kind = 'household' AND {_CURRENT}"


def _array(keys: list[str]) -> str:
    return f"ANY ('{{{','.join(keys)}}}'::text[])"


def _aum(party: str) -> str:
    """What one party's open assets stand at."""
    return f"""
        SELECT sum(b.balance) FROM party_holding AS h
        CROSS JOIN LATERAL (
            SELECT balance FROM party_balance AS b
            WHERE b.customer_id = h.customer_id AND b.holding_id = h.holding_id AND b.day <= {DAY}
            ORDER BY day DESC LIMIT 1
        ) AS b
        WHERE h.customer_id = {party} AND h.category = {_array(ASSETS)}
          AND h.opened_at <= {DAY} AND (h.closed_at IS NULL OR h.closed_at > {DAY})"""


_LARGEST_HOUSEHOLD = relation_kinds()["household"].largest_set

# A member that was found is not found again (UNION), so that circles end; the nearest come first.
_HOME = f"""
SELECT coalesce(sum(({_aum("member.customer_id")})), 0) AS others_aum
FROM (
    WITH RECURSIVE home (customer_id) AS (
        SELECT t.customer_id
        UNION
        SELECT near.customer_id FROM home CROSS JOIN LATERAL (
            SELECT to_party AS customer_id FROM relation
            WHERE from_party = home.customer_id AND {_HOUSEHOLD}
            UNION ALL
            SELECT from_party FROM relation WHERE to_party = home.customer_id AND {_HOUSEHOLD}
        ) AS near
    )
    SELECT customer_id FROM home LIMIT {_LARGEST_HOUSEHOLD}
) AS member
WHERE member.customer_id <> t.customer_id
"""

_CHILDREN = f"""
SELECT count(*) AS known,
       count(*) FILTER (WHERE extract(year FROM age({DAY}, c.birth_date)) < 18) AS minor
FROM (
    SELECT to_party AS customer_id FROM relation
    WHERE from_party = t.customer_id AND role = 'child' AND {_HOUSEHOLD}
    UNION
    SELECT from_party FROM relation
    WHERE to_party = t.customer_id AND role = 'parent' AND {_HOUSEHOLD}
) AS child
JOIN customer AS c USING (customer_id)
"""

_OWNING = " OR ".join(
    f"kind = '{kind.key}'" + (f" AND share >= {kind.owner_share}" if kind.owner_share else "")
    for kind in relation_kinds().values()
    if kind.owner_share is not None
)
_OWNS = f"""
SELECT EXISTS (
    SELECT FROM relation WHERE to_party = t.customer_id AND ({_OWNING}) AND {_CURRENT}
) AS business
"""

_REFERRED = f"""
SELECT count(*) AS successful FROM (
    SELECT to_party, coalesce(since, '-infinity') AS referred_at FROM relation
    WHERE from_party = t.customer_id AND kind = 'referral' AND coalesce(since, {DAY}) <= {DAY}
) AS r
WHERE EXISTS (SELECT FROM party_account WHERE customer_id = r.to_party AND role = 'owner'
                AND opened_at {_YEAR} AND opened_at >= referred_at)
   OR EXISTS (SELECT FROM party_holding WHERE customer_id = r.to_party
                AND category <> 'demand_deposit'
                AND opened_at {_YEAR} AND opened_at >= referred_at)
   OR EXISTS (SELECT FROM party_activity_day WHERE customer_id = r.to_party AND purchases > 0
                AND day {_YEAR} AND day >= referred_at)
"""

_KEY_PERSONS = _array([kind.key for kind in relation_kinds().values() if kind.key_person])
_PERSONS = f"""
SELECT (SELECT sum(coalesce(({_aum("r.to_party")}), 0)) FROM relation AS r
        WHERE r.from_party = t.customer_id AND kind = 'legal_representative'
          AND {_CURRENT}) AS legal_rep_aum,
       (SELECT count(DISTINCT to_party)
        FROM relation AS r JOIN customer AS c ON c.customer_id = to_party
        WHERE r.from_party = t.customer_id AND kind = {_KEY_PERSONS} AND {_CURRENT}
          AND (c.wechat_friend OR EXISTS (
              SELECT FROM party_identifier AS i
              WHERE i.customer_id = to_party AND i.kind = {_array(["phone", "email"])}))) AS known
"""

_EMPLOYEES = f"""
SELECT count(*) AS paid, count(*) FILTER (WHERE categories >= 2) AS converted
FROM (
    SELECT (
        SELECT count(DISTINCT category) FROM party_holding AS h
        WHERE h.customer_id = e.to_party AND category <> 'demand_deposit' AND opened_at <= {DAY}
          AND (closed_at IS NULL OR closed_at > {DAY})
    ) AS categories
    FROM (
        SELECT DISTINCT to_party FROM relation
        WHERE from_party = t.customer_id AND kind = 'employment' AND {_CURRENT}
    ) AS e
) AS x
"""

_SUMS = (
    *("household_others_aum", "minor_children", "owns_business", "referrals", "legal_rep_aum"),
    *("key_persons", "employees", "employees_converted"),
)

# Who has no relation and never had one has no row.
ADD_UP = f"""
INSERT INTO relative_sum AS s (customer_id, {", ".join(_SUMS)})
SELECT t.customer_id, home.others_aum, CASE WHEN child.known > 0 THEN child.minor END,
       owns.business, referred.successful, person.legal_rep_aum, person.known,
       employee.paid, employee.converted
FROM customer AS t
CROSS JOIN LATERAL ({_HOME}) AS home
CROSS JOIN LATERAL ({_CHILDREN}) AS child
CROSS JOIN LATERAL ({_OWNS}) AS owns
CROSS JOIN LATERAL ({_REFERRED}) AS referred
CROSS JOIN LATERAL ({_PERSONS}) AS person
CROSS JOIN LATERAL ({_EMPLOYEES}) AS employee
WHERE t.customer_id = ANY ($1::text[])
  AND (EXISTS (SELECT FROM relation AS r WHERE r.from_party = t.customer_id)
    OR EXISTS (SELECT FROM relation AS r WHERE r.to_party = t.customer_id)
    OR EXISTS (SELECT FROM relative_sum AS r WHERE r.customer_id = t.customer_id))
ORDER BY t.customer_id
ON CONFLICT (customer_id) DO UPDATE
SET {", ".join(f"{name} = excluded.{name}" for name in _SUMS)}
WHERE ({", ".join(f"s.{name}" for name in _SUMS)})
   IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in _SUMS)})
"""

_OLDEST = f"{AS_OF} - interval '{kyc_valid_months()} months'"

# What was confirmed on the card not too long ago, and when the facts were stated. Aggregates, each
# of one row: plain subqueries would be evaluated anew wherever they are named.
_KNOWN = f"""
(SELECT coalesce(array_agg(item), '{{}}') AS confirmed, t.updated_at > {_OLDEST} AS stated_lately
 FROM party_kyc_value WHERE customer_id = t.customer_id AND confirmed_at > {_OLDEST}) AS card,
(SELECT coalesce(array_agg(kind), '{{}}') AS identifiers FROM party_identifier
 WHERE customer_id = t.customer_id) AS borne,
(SELECT count(*) > 0 AS aimed, coalesce(max(stated_at) > {_OLDEST}, false) AS aimed_lately,
        count(horizon) > 0 AS timed,
        coalesce(max(stated_at) FILTER (WHERE horizon IS NOT NULL) > {_OLDEST}, false)
            AS timed_lately
 FROM party_goal WHERE customer_id = t.customer_id AND closed_at IS NULL) AS aims
"""


def _stated(fact: str) -> tuple[str, str]:
    """Whether a fact of `t` or the last assessment `r` is stated, and not too long ago."""
    match fact.split("."):
        case ["identifier", kind]:
            return f"'{kind}' = ANY (identifiers)", "stated_lately"
        case ["assessment", _]:
            return "r.assessed_at IS NOT NULL", f"r.assessed_at > {_OLDEST}"
        case ["goal", "horizon"]:
            return "timed", "timed_lately"
        case ["goal", _]:
            return "aimed", "aimed_lately"
        case [_, column]:
            return f"t.{column} IS NOT NULL", "stated_lately"
        case _:
            raise ValueError(f"kyc_items.yaml: a fact is table.name, not {fact}")


def _is_filled(item: KycItem) -> str:
    confirmed = f"'{item.key}' = ANY (confirmed)"
    if item.fact is None:
        return f"({confirmed})::int"
    stated, lately = _stated(item.fact)
    return f"({stated} AND ({lately} OR {confirmed}))::int"


def _cards() -> dict[tuple[KycItem, ...], list[str]]:
    """The cards there are, each with the party types that it is for."""
    cards: dict[tuple[KycItem, ...], list[str]] = {}
    for party_type in sorted({each for item in kyc_items().values() for each in item.party_types}):
        items = tuple(item for item in kyc_items().values() if party_type in item.party_types)
        cards.setdefault(items, []).append(party_type)
    return cards


def _share(items: tuple[KycItem, ...], party_types: list[str]) -> str:
    filled = " + ".join(map(_is_filled, items))
    return f"WHEN t.party_type = {_array(party_types)} THEN ({filled})::float8 / {len(items)}"


KYC = f"""
SELECT CASE {" ".join(_share(*card) for card in _cards().items())} END AS filled
FROM {_KNOWN}
"""
