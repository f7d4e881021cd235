"""What may reach the parser at all: short texts of allowed words, not nested too deep."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NoReturn

from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import Token, TokenType
from sqlglot.tokens import Tokenizer

from shared.rules.faults import Fault, RuleError

MAX_CHARACTERS = 10_000
MAX_TOKENS = 2_000
MAX_NESTING = 16  # sqlglot overflows the stack near 60 brackets; callers stand deep in theirs

_OPERATORS = {
    TokenType.EQ,
    TokenType.NEQ,
    TokenType.LT,
    TokenType.LTE,
    TokenType.GT,
    TokenType.GTE,
    TokenType.PLUS,
    TokenType.DASH,
    TokenType.STAR,
    TokenType.SLASH,
}
_WORDS = {
    TokenType.AND,
    TokenType.OR,
    TokenType.NOT,
    TokenType.IN,
    TokenType.BETWEEN,
    TokenType.IS,
    TokenType.LIKE,
}
_OPERANDS = {
    TokenType.VAR,
    TokenType.NUMBER,
    TokenType.STRING,
    TokenType.TRUE,
    TokenType.FALSE,
    TokenType.NULL,
}
_BRACKETS = {TokenType.L_PAREN, TokenType.R_PAREN, TokenType.COMMA}
_ALLOWED = _OPERATORS | _WORDS | _OPERANDS | _BRACKETS
_PREFIXES = {TokenType.NOT, TokenType.DASH, TokenType.PLUS}
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?")


def tokens_of(text: str) -> list[Token]:
    """Split a text into words of the language.

    Raises:
        RuleError: if it is empty, too long, nested too deep, or holds another word.
    """
    if len(text) > MAX_CHARACTERS:
        _refuse("too_long", f"a rule has at most {MAX_CHARACTERS:,} characters, not {len(text):,}")
    try:
        tokens = Tokenizer().tokenize(text)
    except TokenError:
        _refuse("unreadable", "a quote or a comment is not closed", 0, len(text))
    if not tokens:
        _refuse("empty", "a rule cannot be empty")
    if len(tokens) > MAX_TOKENS:
        _refuse("too_long", f"a rule has at most {MAX_TOKENS:,} words, not {len(tokens):,}")
    faults = [fault for token in tokens if (fault := _fault_of(token))] + _calls(tokens)
    if faults:
        raise RuleError(faults)
    _check_nesting(tokens)
    return tokens


def _fault_of(token: Token) -> Fault | None:
    if token.token_type not in _ALLOWED:
        message = f"{token.text[:40]!r} is not part of the rule language"
        return _at(token, "word_not_allowed", message)
    if token.token_type is TokenType.NUMBER and not _NUMBER.fullmatch(token.text):
        return _at(token, "bad_number", f"{token.text[:40]!r} is not a number")
    if token.token_type is TokenType.STRING and any("\ud800" <= c <= "\udfff" for c in token.text):
        return _at(token, "bad_text", "a text holds half a character")
    return None


def _calls(tokens: Sequence[Token]) -> list[Fault]:
    return [
        _at(word, "no_functions", f"{word.text[:40]!r} looks like a function; rules have none")
        for word, bracket in pairwise(tokens)
        if word.token_type is TokenType.VAR and bracket.token_type is TokenType.L_PAREN
    ]


def _check_nesting(tokens: Sequence[Token]) -> None:
    depth = run = 0
    for token in tokens:
        depth += (token.token_type is TokenType.L_PAREN) - (token.token_type is TokenType.R_PAREN)
        run = run + 1 if token.token_type in _PREFIXES else 0
        if depth + run > MAX_NESTING:
            message = f"brackets and signs nest at most {MAX_NESTING} deep"
            raise RuleError([_at(token, "too_deep", message)])


def _at(token: Token, code: str, message: str) -> Fault:
    return Fault(code=code, message=message, start=token.start, end=token.end + 1)


def _refuse(code: str, message: str, start: int = 0, end: int = 0) -> NoReturn:
    raise RuleError([Fault(code=code, message=message, start=start, end=end)])
