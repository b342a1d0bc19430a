"""Reads a filter expression: the grammar, by recursive descent."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from lambda_src.trace_group.filter_expression.errors import FilterExpressionError, RootCauseError
from lambda_src.trace_group.filter_expression.keywords import KEYWORDS, ROOT_CAUSES, SEARCHES, Place, Type
from lambda_src.trace_group.filter_expression.tokens import Kind, Token, tokens
from lambda_src.trace_group.filter_expression.tree import (
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    EdgeFilter,
    Expression,
    InGroup,
    IsSet,
    Not,
    Selector,
    ServiceFilter,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_src.trace_group.filter_expression.tree import Value

_DEEPEST = 50
_ALWAYS = AllOf(())
_COMPLEX = ("service", "edge", "annotation", "group.name", "group.arn", "rootcause.json", *ROOT_CAUSES)


def parse(text: str) -> Expression:
    """Read a filter expression.

    >>> parse('service("api.example.com") { fault OR responsetime > 2.5 }').text
    'service("api.example.com") { fault OR responsetime > 2.5 }'

    :raises RootCauseError: when all is well formed, but X-Ray alone can evaluate it.
    :raises FilterExpressionError: at the first mistake.
    """
    parser = _Parser(text)
    condition = parser.whole()
    if parser.root_cause:
        raise RootCauseError(
            "Root causes are what X-Ray itself finds out; here, write service() { fault } or the like",
            parser.root_cause.position,
            text,
        )
    return Expression(text, condition)


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(tokens(text))
        self._next = 0
        self._depth = 0
        self.root_cause: Token | None = None

    def whole(self) -> Condition:
        if self._at_end():
            raise self._error("The filter expression is empty; write for example responsetime > 5")
        condition = self._alternatives(Place.TRACE)
        if not self._at_end():
            raise self._error(f"After a condition comes AND, OR or another condition, and not {self._token}")
        return condition

    # Conditions

    def _alternatives(self, place: Place) -> Condition:
        conditions = [self._conjunction(place)]
        while self._token.is_word("OR"):
            self._take()
            conditions.append(self._conjunction(place))
        return conditions[0] if len(conditions) == 1 else AnyOf(tuple(conditions))

    def _conjunction(self, place: Place) -> Condition:
        """Read conditions with AND between them, or with nothing: ``ok !partial duration <3``."""
        conditions = [self._condition(place)]
        while self._token.is_word("AND") or self._begins_condition():
            if self._token.is_word("AND"):
                self._take()
            conditions.append(self._condition(place))
        return conditions[0] if len(conditions) == 1 else AllOf(tuple(conditions))

    def _begins_condition(self) -> bool:
        return self._token.is_sign("!", "(") or (self._token.kind is Kind.WORD and not self._token.is_word("OR"))

    def _condition(self, place: Place) -> Condition:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._error(f"This is nested more than {_DEEPEST} deep")
        try:
            if self._token.is_sign("!"):
                self._take()
                return Not(self._condition(place))
            if self._token.is_sign("("):
                opening = self._take()
                condition = self._alternatives(place)
                self._close(")", opening)
                return condition
            return self._keyword(place)
        finally:
            self._depth -= 1

    def _keyword(self, place: Place) -> Condition:
        token = self._token
        if token.kind is not Kind.WORD or token.is_word("AND", "OR", *SEARCHES):
            raise self._error(f"A keyword such as responsetime is missing here, before {token}")
        self._take()
        name = token.value.partition("[")[0].lower()
        if name in KEYWORDS[place] and "[" not in token.value:
            return self._comparison(name, KEYWORDS[place][name])
        special = self._special(name, token)
        if special is None:
            raise self._error(_unknown(token.value, name, place), token)
        if place is not Place.TRACE:
            raise self._error(f"{token.value} cannot stand {place.value}", token)
        return special()

    def _special(self, name: str, token: Token) -> Callable[[], Condition] | None:
        """Find how a keyword is read that stands for more than one value."""
        if name == "annotation" or name.startswith("annotation."):
            return lambda: self._annotation(token)
        if "[" in token.value:
            return None
        if name in ROOT_CAUSES:
            return lambda: self._root_cause(token)
        return {
            "service": self._service,
            "edge": self._edge,
            "group.name": lambda: self._group(name),
            "group.arn": lambda: self._group(name),
            "rootcause.json": lambda: self._json(token),
        }.get(name)

    def _comparison(self, keyword: str, kind: Type) -> Condition:
        """Read ``= value`` and the like; a keyword alone asks whether it holds or is set."""
        operator = self._token
        word = operator.value.upper()
        if not (operator.is_word(*SEARCHES) or operator.is_sign(*Type.NUMBER.value)):
            return IsSet(keyword)
        if word not in kind.value:
            raise self._error(f"{keyword} goes with {_listed(kind.value)}, and not with {word}")
        self._take()
        return Comparison(keyword, word, self._value(keyword, kind, word))

    def _value(self, keyword: str, kind: Type, operator: str) -> Value:
        token = self._token
        if kind is Type.ANY:
            kind = Type.STRING if operator in SEARCHES else Type.NUMBER if operator in {"<", "<=", ">", ">="} else kind
        takes = {
            Type.BOOLEAN: "true or false",
            Type.NUMBER: "a number",
            Type.STRING: 'a text in quotation marks: "..."',
            Type.ANY: 'a number, true, false, or a text in quotation marks: "..."',
        }[kind]
        if token.kind is Kind.STRING and kind in {Type.STRING, Type.ANY}:
            return self._take().value
        if token.kind is Kind.NUMBER and kind in {Type.NUMBER, Type.ANY}:
            return float(self._take().value)
        # X-Ray compares a boolean "to the string true or false", so both ways of writing it are taken.
        unquoted = token.kind is Kind.WORD or (token.kind is Kind.STRING and kind is Type.BOOLEAN)
        if unquoted and token.value.lower() in {"true", "false"} and kind in {Type.BOOLEAN, Type.ANY}:
            return self._take().value.lower() == "true"
        raise self._error(f"{keyword} {operator} takes {takes}")

    # Keywords that stand for more than one value

    def _annotation(self, token: Token) -> Condition:
        bracketed = token.value[len("annotation") :]
        key = bracketed[1:-1] if bracketed.startswith("[") else bracketed.removeprefix(".")
        if not key or "[" in key:
            raise self._error("An annotation is written annotation[key] or annotation.key", token)
        return self._comparison(f"annotation.{key}", Type.ANY)

    def _service(self) -> Condition:
        opening = self._expect("(", 'service is written service("name")')
        selector = Selector() if self._token.is_sign(")") else self._selector()
        self._close(")", opening)
        return ServiceFilter(selector, self._braces(Place.PART))

    def _edge(self) -> Condition:
        opening = self._expect("(", 'edge is written edge("source", "destination")')
        source = self._selector()
        self._expect(",", "Between the source and the destination of an edge stands a comma")
        destination = self._selector()
        self._close(")", opening)
        return EdgeFilter(source, destination, self._braces(Place.PART))

    def _selector(self) -> Selector:
        """Read a name, or ``id(name: "...", type: "...", account.id: "...")``."""
        if self._token.kind is Kind.STRING:
            return Selector(name=self._take().value)
        if not self._token.is_word("ID"):
            raise self._error('Here stands a name in quotation marks, or id(name: "...", type: "...")')
        self._take()
        opening = self._expect("(", 'id is written id(name: "...", type: "...", account.id: "...")')
        fields = dict([self._id_field()])
        while self._token.is_sign(","):
            self._take()
            fields.update([self._id_field()])
        self._close(")", opening)
        return Selector(name=fields.get("name"), type=fields.get("type"), account_id=fields.get("account.id"))

    def _id_field(self) -> tuple[str, str]:
        if not self._token.is_word("NAME", "TYPE", "ACCOUNT.ID"):
            raise self._error(f"id() has name, type and account.id, and not {self._token}")
        field = self._take().value.lower()
        self._expect(":", f"After {field} stands a colon")
        if self._token.kind is not Kind.STRING:
            raise self._error(f'{field}: takes a text in quotation marks: "..."')
        return field, self._take().value

    def _group(self, field: str) -> Condition:
        if not self._token.is_sign("=", "!="):
            raise self._error(f'{field} is written {field} = "..."')
        operator = self._take().value
        group = InGroup(str(self._value(field, Type.STRING, operator)))
        return group if operator == "=" else Not(group)

    def _root_cause(self, token: Token) -> Condition:
        self.root_cause = self.root_cause or token
        return self._braces(Place.ROOT_CAUSE)

    def _json(self, token: Token) -> Condition:
        self.root_cause = self.root_cause or token
        if not self._token.is_sign("=", "!="):
            raise self._error("rootcause.json is written rootcause.json = #[...]")
        self._take()
        if self._token.kind is not Kind.JSON:
            raise self._error("rootcause.json takes a JSON list after #: #[...]")
        self._take()
        return _ALWAYS

    def _braces(self, place: Place) -> Condition:
        if not self._token.is_sign("{"):
            return _ALWAYS
        opening = self._take()
        if self._token.is_sign("}"):
            raise self._error("The braces are empty; write for example { fault }, or leave them out")
        condition = self._alternatives(place)
        self._close("}", opening)
        return condition

    # Tokens

    @property
    def _token(self) -> Token:
        return self._tokens[self._next]

    def _at_end(self) -> bool:
        return self._token.kind is Kind.END

    def _take(self) -> Token:
        token = self._token
        self._next += 1
        return token

    def _close(self, sign: str, opening: Token) -> None:
        self._expect(sign, f'The "{opening.value}" at {opening.position + 1} is not closed: "{sign}" is missing here')

    def _expect(self, sign: str, otherwise: str) -> Token:
        if not self._token.is_sign(sign):
            raise self._error(otherwise)
        return self._take()

    def _error(self, message: str, token: Token | None = None) -> FilterExpressionError:
        return FilterExpressionError(message, (token or self._token).position, self._text)


def _unknown(written: str, name: str, place: Place) -> str:
    elsewhere = [other.value for other in Place if name in KEYWORDS[other] and "[" not in written]
    if elsewhere:
        return f"{written} cannot stand {place.value}, but {' or '.join(elsewhere)}"
    known = [*KEYWORDS[place], *(_COMPLEX if place is Place.TRACE else ())]
    close = difflib.get_close_matches(name, known, n=1)
    return f"There is no keyword {written}" + (f"; did you mean {close[0]}?" if close else "")


def _listed(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"
