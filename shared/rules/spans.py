"""Where the nodes of a parsed text stand in it, and what is wrong with them."""

from collections.abc import Sequence

from sqlglot import exp
from sqlglot.expressions.core import Expr
from sqlglot.tokenizer_core import Token, TokenType

from shared.rules.faults import Fault


class Faults:
    """Collects what is wrong with one text, each fault once and with its place."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        """Start without faults; the words of the text tell the places."""
        self.found: list[Fault] = []
        self._tokens = tokens

    def add(self, node: Expr, code: str, message: str, suggestion: str | None = None) -> None:
        """Note what is wrong with a node."""
        start, end = self._span(node)
        fault = Fault(code=code, message=message, start=start, end=end, suggestion=suggestion)
        if fault not in self.found:
            self.found.append(fault)

    def _span(self, node: Expr) -> tuple[int, int]:
        """A node stands where its first name does, else its first literal, else everywhere."""
        for name in node.find_all(exp.Identifier):
            return int(name.meta["start"]), int(name.meta["end"]) + 1
        words = {entry.this for entry in node.find_all(exp.Literal)}
        for token in self._tokens:
            if token.token_type is not TokenType.VAR and token.text in words:
                return token.start, token.end + 1
        return self._tokens[0].start, self._tokens[-1].end + 1
