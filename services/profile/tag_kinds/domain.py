"""Kinds of tags (标签): what a mark on a customer says, who sets it, and how long it holds."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from services.profile.attributes.domain import Words
from services.profile.rulebooks.domain import Shelf, must_be_agreed, read_rule
from services.profile.vocabulary import TagKind, tag_kind, tag_kinds
from shared.errors import FieldError, Invalid, NotFound

RULE = "rule"
SHELF = Shelf(table="tag_kind", shipped=tag_kinds, read=tag_kind)


class NoSuchTagKind(NotFound):
    code = "no_such_tag_kind"


class TagKindUnreadable(Invalid):
    code = "tag_kind_unreadable"
    title = "The kind of tag contradicts itself or names what there is not"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTag:
    """A tag as its rule is watched: it yields to none and has no quiet period."""

    key: str
    rule: str
    is_active: bool
    yields_to: None = None
    shown: tuple[str, ...] = ()
    quiet_days: int = 0


def rule_tags(kinds: Iterable[TagKind]) -> Iterator[RuleTag]:
    """Yield those that a rule sets."""
    for kind in kinds:
        if kind.rule is not None:
            yield RuleTag(key=kind.key, rule=kind.rule, is_active=kind.is_active)


def check(
    kind: TagKind, words: Words, kinds: Mapping[str, TagKind], *, grounds: Collection[str]
) -> None:
    """Refuse a kind that contradicts itself, or names what there is not.

    Raises:
        TagKindUnreadable: naming each place.
        NeedsSeparateConsent: it is sensitive, or reads what is, without the flag.
    """
    current = kinds.get(kind.key, kind)
    reads, faults = read_rule(kind.rule, words) if kind.rule is not None else (frozenset(), [])
    faults += _contradictions(kind)
    if kind.source != current.source:
        faults.append(FieldError("/source", f"stays {current.source}; give another tag a new key"))
    if kind.ground not in grounds:
        faults.append(FieldError("/ground", f"one of {', '.join(grounds)}"))
    if faults:
        raise TagKindUnreadable("Mend what is named in `errors`", errors=faults)
    sensitive = set(reads & words.sensitive) | ({kind.key} if kind.sensitive else set())
    must_be_agreed(sensitive, separate_consent=kind.separate_consent)


def _contradictions(kind: TagKind) -> list[FieldError]:
    keys = [value.key for value in kind.values]
    by_rule = kind.source == RULE
    wrong = [
        (
            by_rule != (kind.rule is not None),
            "/rule",
            "needed where the source is rule, only there",
        ),
        (by_rule and keys != [], "/values", "a rule's tag is borne or not"),
        (len(keys) != len(set(keys)), "/values", "each key once"),
        (by_rule and kind.valid_days is not None, "/valid_days", "it holds as long as its rule"),
    ]
    return [FieldError(place, says) for is_wrong, place, says in wrong if is_wrong]
