"""The rule language: one text, one parse, two evaluators (columns and single customers).

The one for columns is `shared.rules.columns`: only who computes on columns loads Polars.
"""

from shared.rules.canonical import spell_literal
from shared.rules.catalogue import Attribute, AttributeType, Catalogue, Kind, fit, is_speakable
from shared.rules.faults import Fault, RuleError
from shared.rules.levels import Ladder, Level
from shared.rules.rule import Expression, Rule, parse, parse_value
from shared.rules.single import compile_levels, compile_single, compile_tuple, compile_values

__all__ = [
    "Attribute",
    "AttributeType",
    "Catalogue",
    "Expression",
    "Fault",
    "Kind",
    "Ladder",
    "Level",
    "Rule",
    "RuleError",
    "compile_levels",
    "compile_single",
    "compile_tuple",
    "compile_values",
    "fit",
    "is_speakable",
    "parse",
    "parse_value",
    "spell_literal",
]
