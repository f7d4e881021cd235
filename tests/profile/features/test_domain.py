import pytest
import yaml

from services.profile.features.domain import FEATURES, Declared, Kind, UnknownFeature, chosen
from services.profile.features.repository.expressions import EXPRESSIONS
from services.profile.vocabulary import categories
from shared.paths import ROOT


def test_features_are_the_attributes_the_catalogue_says_profile_owns() -> None:
    entries = yaml.safe_load((ROOT / "catalogue" / "attributes.yaml").read_text())
    owned = {entry["name"]: entry["type"] for entry in entries if entry["owner"] == "profile"}

    assert {name: str(kind) for name, kind in FEATURES.items()} == owned


def test_every_feature_has_one_expression() -> None:
    assert set(EXPRESSIONS) == set(FEATURES)


def test_every_product_category_has_its_feature() -> None:
    assert {f"has_{key}" for key in categories()} <= set(FEATURES)


def test_columns_are_chosen_by_name() -> None:
    assert list(chosen("aum,age")) == ["aum", "age"]
    assert chosen(None) == FEATURES
    assert chosen(None, [Declared("rides_30d", Kind.INT, "flows")])["rides_30d"] is Kind.INT
    with pytest.raises(UnknownFeature, match="lifecycle"):
        chosen("aum,lifecycle")
