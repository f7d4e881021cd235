"""The shipped catalogue holds together: names exist, rules parse, labels are there."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import product as pairs
from typing import Any

import pytest
import yaml

from services.profile.identifiers.domain import KINDS
from services.profile.matching.domain.columns import FIELDS
from shared.paths import ROOT
from shared.rules import Attribute, AttributeType, Catalogue, parse

Entry = dict[str, Any]

CATALOGUE = ROOT / "catalogue"
LISTS = (
    "attributes",
    "categories",
    "channels",
    "clients",
    "codes",
    "event_types",
    "groups",
    "products",
    "relation_kinds",
    "roles",
    "percentiles",
    "scales",
    "scores",
    "source_systems",
    "strategies",
    "unmasking",
)
FORBIDDEN = ("保本", "保息", "保证收益", "稳赚", "低风险", "高收益", "秒到账")


def load(name: str) -> Any:
    return yaml.safe_load((CATALOGUE / f"{name}.yaml").read_text())


def key_of(entry: Entry) -> str:
    return entry.get("key") or entry.get("name") or entry["client_id"]


def keys(name: str) -> set[str]:
    return {key_of(entry) for entry in load(name)}


def nested(value: Any) -> Iterator[Entry]:
    """Yield every mapping inside, the value itself included."""
    if isinstance(value, dict):
        yield value
    children = value.values() if isinstance(value, dict) else value
    for child in children if isinstance(value, dict | list) else ():
        yield from nested(child)


def levels_of(scale: Entry) -> dict[str, list[Entry]]:
    return {side: scale[side] for side in ("retail", "corporate") if side in scale}


def named_rules() -> dict[str, str]:
    rules = {f"group {group['key']}": group["rule"] for group in load("groups")}
    for scale in load("scales"):
        rules[f"scale {scale['key']}"] = scale.get("where")
        for side, levels in levels_of(scale).items():
            rules |= {f"{side} {scale['key']}:{level['key']}": level["rule"] for level in levels}
    rules |= {f"product {product['key']}": product["rule"] for product in load("products")}
    rules |= {
        f"strategy {strategy['key']}": strategy.get("when") for strategy in load("strategies")
    }
    rules["rfm"] = load("rfm")["where"]
    return {name: rule for name, rule in rules.items() if rule}


RULES = named_rules()
ATTRIBUTES = {entry["name"]: entry for entry in load("attributes")}
VOCABULARY = Catalogue(
    Attribute(name, AttributeType(entry["type"]), tuple(entry.get("values", ())))
    for name, entry in ATTRIBUTES.items()
)


@pytest.mark.parametrize("path", sorted(CATALOGUE.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_file_loads_and_labels_come_in_both_languages(path: Any) -> None:
    for entry in nested(yaml.safe_load(path.read_text())):
        assert ("zh" in entry) == ("en" in entry), entry
        if "zh" in entry and not isinstance(entry["zh"], dict):
            assert entry["zh"], entry
            assert entry["en"], entry


@pytest.mark.parametrize("name", LISTS)
def test_every_entry_has_a_key_of_its_own_and_labels(name: str) -> None:
    entries: list[Entry] = load(name)

    assert [key for key, count in Counter(map(key_of, entries)).items() if count > 1] == []
    assert [key_of(entry) for entry in entries if not (entry.get("zh") and entry.get("en"))] == []


def test_every_attribute_of_the_domain_guide_is_there_with_one_owner() -> None:
    assert Counter(entry["owner"] for entry in ATTRIBUTES.values()) == {
        "profile": 148,
        "segment": 13 + 15,  # scores and levels of section 2; levels of the other scales
        "strategy": 3,
        "feedback": 4,
    }
    assert {f"has_{category}" for category in keys("categories")} <= set(ATTRIBUTES)


def test_an_attribute_says_its_type_unit_and_meaning() -> None:
    for name, entry in ATTRIBUTES.items():
        assert entry["definition"], name
        assert isinstance(entry["unit"], str), name
        assert ("values" in entry) == (entry["type"] == "enum"), name
        assert bool(entry["unit"]) == (entry["type"] in {"int", "decimal", "ratio"}), name


@pytest.mark.parametrize("name", RULES)
def test_every_rule_parses_over_the_attributes(name: str) -> None:
    parse(RULES[name], VOCABULARY)


@pytest.mark.parametrize("name", RULES)
def test_a_text_in_a_rule_is_a_value_of_its_attribute(name: str) -> None:
    pattern = r"(\w+) (?:=|<>|IN) (\('[^)]*\)|'\w+')"
    for attribute, literals in re.findall(pattern, RULES[name]):
        values = ATTRIBUTES[attribute].get("values", [])
        assert set(re.findall(r"'(\w+)'", literals)) <= set(values), (attribute, literals)


def test_p5_a_rule_over_a_sensitive_attribute_asks_for_separate_consent() -> None:
    sensitive = {name for name, entry in ATTRIBUTES.items() if entry.get("sensitive")}

    for group in load("groups"):
        used = parse(group["rule"], VOCABULARY).dependencies & sensitive
        assert group.get("separate_consent", False) == bool(used), group["key"]
    for scale in load("scales"):
        rules = [level["rule"] for side in levels_of(scale).values() for level in side]
        used = {n for rule in rules if rule for n in parse(rule, VOCABULARY).dependencies}
        assert scale.get("separate_consent", False) == bool(used & sensitive), scale["key"]


def test_scores_and_percentiles_are_numbers_of_segment_and_compare_facts_of_the_profile() -> None:
    for entry in [*load("scores"), *load("percentiles")]:
        own = ATTRIBUTES[entry["key"]]
        assert (own["owner"], own["zh"], own["en"]) == ("segment", entry["zh"], entry["en"])
        assert own["unit"] == entry.get("unit", "share"), entry["key"]
    for entry in load("percentiles"):
        of, within = ATTRIBUTES[entry["of"]], ATTRIBUTES[entry["within"]]
        assert (of["owner"], within["owner"], within["type"]) == ("profile", "profile", "enum")
        assert of["type"] in {"int", "decimal", "ratio"}
        assert 1 <= entry["digits"] <= 4


def test_the_levels_of_a_scale_are_the_values_of_its_attribute() -> None:
    for scale in load("scales"):
        levels = {level["key"] for side in levels_of(scale).values() for level in side}
        assert levels == set(ATTRIBUTES[scale["key"]]["values"]), scale["key"]
        for side in levels_of(scale).values():
            assert [level["key"] for level in side if level["rule"] is None] == [side[-1]["key"]]


def test_the_eight_rfm_segments_cover_every_combination_once() -> None:
    rfm = load("rfm")
    combinations = {
        frozenset(dimension for dimension, is_high in zip("rfm", highs, strict=True) if is_high)
        for highs in pairs((True, False), repeat=3)
    }

    assert {frozenset(segment["high"]) for segment in rfm["segments"]} == combinations
    assert len(rfm["segments"]) == len(combinations) == 8
    assert {s["key"] for s in rfm["segments"]} == set(ATTRIBUTES["rfm_segment"]["values"])


def test_a_strategy_names_only_what_exists() -> None:
    scales = {scale["key"]: levels_of(scale) for scale in load("scales")}
    groups = keys("groups") | {segment["key"] for segment in load("rfm")["segments"]}
    groups |= {
        f"{key}:{level['key']}"
        for key, sides in scales.items()
        for s in sides.values()
        for level in s
    }
    stages = set(ATTRIBUTES["lifecycle"]["values"]) | {"*"}
    codes = {entry["key"]: {v["key"] for v in entry["values"]} for entry in load("codes")}

    for strategy in load("strategies"):
        products = strategy["products"] if isinstance(strategy["products"], list) else []
        assert set(strategy["groups"]) <= groups, strategy["key"]
        assert strategy["stage"] in stages, strategy["key"]
        assert set(strategy["channels"]) <= keys("channels"), strategy["key"]
        assert {wanted["category"] for wanted in products} <= keys("categories"), strategy["key"]
        assert strategy["goal"]["metric"] in codes["goal_metric"], strategy["key"]
        assert strategy["goal"]["outcome"] in codes["outcome"], strategy["key"]
        assert strategy["scenario"] in codes["scenario"], strategy["key"]


def test_every_rfm_segment_has_a_running_strategy() -> None:
    running = [s for s in load("strategies") if s["state"] == "running"]
    covered = {group for strategy in running for group in strategy["groups"]}

    assert {segment["key"] for segment in load("rfm")["segments"]} <= covered


def test_a_product_under_suitability_is_rated_and_no_other() -> None:
    suitability = {entry["key"]: entry["suitability"] for entry in load("categories")}

    assert keys("categories") == {product["category"] for product in load("products")}
    for product in load("products"):
        assert bool(product["risk_level"]) == suitability[product["category"]], product["key"]
        assert product["risk_level"] in {None, "R1", "R2", "R3", "R4", "R5"}
        assert product["materials"]["notice"]["zh"], product["key"]


@pytest.mark.parametrize("name", ["products", "strategies"])
def test_b9_shipped_copy_holds_no_forbidden_word(name: str) -> None:
    text = (CATALOGUE / f"{name}.yaml").read_text()

    assert [word for word in FORBIDDEN if word in text] == []


def test_the_contact_policy_names_existing_channels_and_tiers() -> None:
    policy = load("contact_policy")
    tiers = set(ATTRIBUTES["tier"]["values"]) | set(ATTRIBUTES["corporate_tier"]["values"])

    named = [entry["channels"] for entry in policy["caps"] + policy["channel_order"]]
    assert {channel for channels in named for channel in channels} == keys("channels")
    assert {tier for entry in policy["channel_order"] for tier in entry["tiers"]} == tiers


def test_a_day_worked_instead_is_a_week_end_and_no_holiday() -> None:
    for year in load("contact_policy")["holidays"]["years"]:
        for period in year["periods"]:
            assert period["from"] <= period["until"]
            assert period["from"].year == period["until"].year == year["year"]
            assert all(day.weekday() >= 5 for day in period["worked"]), period
            assert not [d for d in period["worked"] if period["from"] <= d <= period["until"]]


def test_a_kind_of_relation_joins_party_types_and_reads_the_same_both_ways_or_does_not() -> None:
    (types,) = [{v["key"] for v in e["values"]} for e in load("codes") if e["key"] == "party_type"]

    for kind in load("relation_kinds"):
        assert {*kind["from"], *kind["to"]} <= types, kind["key"]
        assert kind["one"] in {"from", "to", None}, kind["key"]
        roles = {role["key"]: role["reverse"] for role in kind["roles"]}
        assert {reverse for reverse in roles.values() if reverse} <= set(roles), kind["key"]
        if kind["symmetric"]:
            assert kind["from"] == kind["to"], kind["key"]
            assert kind["reverse"] == {"zh": kind["zh"], "en": kind["en"]}
            assert all(roles[reverse] == role for role, reverse in roles.items()), kind["key"]


def test_every_party_type_has_twenty_kyc_items_each_with_its_question() -> None:
    (types,) = [{v["key"] for v in e["values"]} for e in load("codes") if e["key"] == "party_type"]
    card = load("kyc_items")

    items = Counter(each for item in card["items"] for each in item["party_types"])
    assert items == dict.fromkeys(types, 20)
    assert len({item["key"] for item in card["items"]}) == len(card["items"])
    assert all(item["question"]["zh"] and item["question"]["en"] for item in card["items"])


def test_a_talk_card_lies_where_a_group_over_profiles_features_holds() -> None:
    rules = {group["key"]: group["rule"] for group in load("groups")}

    for card in load("kyc_items")["talk_cards"]:
        used = parse(rules[card["group"]], VOCABULARY).dependencies
        assert {ATTRIBUTES[name]["owner"] for name in used} == {"profile"}, card["key"]


@pytest.mark.parametrize("part", ["needs", "goals"])
def test_a_need_and_a_goal_have_a_key_of_their_own(part: str) -> None:
    entries: list[Entry] = load("needs")[part]

    assert len(set(map(key_of, entries))) == len(entries)


def test_the_codes_repeat_the_labels_of_the_other_files() -> None:
    codes = {entry["key"]: entry["values"] for entry in load("codes")}
    scales = {scale["key"]: scale for scale in load("scales")}
    roles = {kind["key"]: kind["roles"] for kind in load("relation_kinds")}
    defined = {
        "channel": load("channels"),
        "category": load("categories"),
        "rfm_segment": load("rfm")["segments"],
        "lifecycle": scales["lifecycle"]["retail"],
        "tier": scales["tier"]["retail"],
        "corporate_tier": scales["corporate_tier"]["corporate"],
        "value_type": scales["value_type"]["retail"],
        "outcome": load("outcomes")["outcomes"],
        "refusal_reason": load("outcomes")["refusal_reasons"],
        "call_result": load("outcomes")["call_results"],
        "role": load("roles"),
        "relation_kind": load("relation_kinds"),
        "household_role": roles["household"],
        "key_person_role": roles["key_person"],
        "kyc_item": load("kyc_items")["items"],
        "need": load("needs")["needs"],
        "goal": load("needs")["goals"],
        "source_system": load("source_systems"),
        "unmasking_purpose": load("unmasking"),
        "duplicate_refusal": load("matching")["refusals"],
        "alert": load("alerts")["alerts"],
        "tag": load("tags"),
        "alert_acknowledgement": load("alerts")["acknowledgements"],
        "hand_over_reason": load("ownership")["reasons"],
        "hand_over_dispute": load("ownership")["disputes"],
        "manager_kind": load("ownership")["manager_kinds"],
        "recipient": load("recipients")["recipients"],
        "rights_refusal": load("rights")["refusals"],
        **{
            f"retention_{each}": [
                {"key": key, **entry} for key, entry in load("retention")[f"{each}s"].items()
            ]
            for each in ("ground", "purpose", "source")
        },
        "matching_comparison": load("matching")["equal"]
        + load("matching")["linkage"]["comparisons"],
    }

    for key, entries in defined.items():
        assert codes[key] == [{n: entry[n] for n in ("key", "zh", "en")} for entry in entries]
    for key in set(codes) & set(ATTRIBUTES) - {"risk_class", "behaviour"}:
        assert {value["key"] for value in codes[key]} == set(ATTRIBUTES[key]["values"]), key


def test_the_matching_compares_what_there_is_and_labels_every_level() -> None:
    matching, codes = load("matching"), {each["key"]: each["values"] for each in load("codes")}
    linkage = matching["linkage"]
    kinds = {kind for rule in matching["equal"] for kind in rule["kinds"]}
    levels = [level for each in linkage["comparisons"] for level in each["levels"]]
    named = [each["key"] for each in linkage["comparisons"]]
    named += [level["of"] for level in levels if "of" in level]
    for fields in (linkage["alike"]["fields"], linkage["learn_from"], linkage["compare"]):
        named += [name for names in fields for name in names]

    assert kinds <= {value["key"] for value in codes["identifier_kind"]}
    assert set(named) <= set(FIELDS.names)
    assert set(linkage["party_types"]) <= {value["key"] for value in codes["party_type"]}
    assert {level["key"] for level in levels} | {"different"} == {
        value["key"] for value in codes["matching_level"]
    }
    assert 0 < linkage["propose_from"] < 1
    assert len(linkage["learn_from"]) >= 2


def test_a_kind_of_identifier_and_a_source_system_are_told_apart_by_their_keys() -> None:
    (kinds,) = [entry["values"] for entry in load("codes") if entry["key"] == "identifier_kind"]

    assert [kind["key"] for kind in kinds] == list(KINDS)
    assert keys("source_systems").isdisjoint(KINDS)


def test_a_client_and_a_role_ask_only_for_scopes_that_exist() -> None:
    (scopes,) = [entry["values"] for entry in load("codes") if entry["key"] == "scope"]
    known = {scope["key"] for scope in scopes}

    asked = {client["client_id"]: set(client["scopes"]) for client in load("clients")}
    asked |= {role["key"]: set(role["scopes"]) for role in load("roles")}
    assert {who: extra - known for who, extra in asked.items() if extra - known} == {}
    assert set().union(*asked.values()) == known


def test_every_code_that_a_problem_or_a_gate_may_name_has_labels() -> None:
    codes = {entry["key"]: {v["key"] for v in entry["values"]} for entry in load("codes")}
    sources = [path for name in ("services", "gateway") for path in (ROOT / name).rglob("*.py")]
    text = "\n".join(path.read_text() for path in sources)

    problems = set(re.findall(r'\bcode ?= ?"([a-z_]+)"', text))
    gates = set(re.findall(r'Refusal\(\s*Stage\.\w+,\s*"([a-z_]+)"', text))
    assert problems - codes["problem"] - codes["refusal"] == set()
    assert gates - codes["refusal"] == set()
