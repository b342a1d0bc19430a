"""The expressions that DynamoDB takes, from the objects in which resolvers write queries, conditions and updates.

Source: https://docs.aws.amazon.com/appsync/latest/devguide/built-in-modules-js.html
"""

from __future__ import annotations

from typing import Any

from ministack.services import appsync

from lab.emulation.appsync.values import typed, typed_map

_COMPARISONS = {"eq": "=", "ne": "<>", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_FUNCTIONS = {"contains": "contains", "beginsWith": "begins_with", "attributeType": "attribute_type"}
_START = "{name} = if_not_exists({name}, {zero})"
_CHANGES = {
    "replace": ("SET", "{name} = {value}"),
    "remove": ("REMOVE", "{name}"),
    "add": ("ADD", "{name} {value}"),
    "increment": ("SET", _START + " + {by}"),
    "decrement": ("SET", _START + " - {by}"),
    "append": ("SET", "{name} = list_append({name}, {value})"),
    "prepend": ("SET", "{name} = list_append({value}, {name})"),
    "updateListItem": ("SET", "{name}[{index}] = {value}"),
}


class Expressions:
    """The expressions of one request, with the names and the values that they share."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.values: dict[str, Any] = {}

    @property
    def parameters(self) -> dict[str, Any]:
        """Return the names and values as DynamoDB's parameters."""
        named = {"ExpressionAttributeNames": self.names, "ExpressionAttributeValues": self.values}
        return {name: value for name, value in named.items() if value}

    def condition(self, written: dict[str, Any]) -> str:
        """Write a condition, a filter or a query."""
        return self._ready(written) if "expression" in written else self._all_of(written)

    def update(self, written: dict[str, Any]) -> str:
        """Write an update."""
        if "expression" in written:
            return self._ready(written)
        clauses: dict[str, list[str]] = {"SET": [], "REMOVE": [], "ADD": []}
        for field, change in written.items():
            clause, text = self._change(self._name(field), change)
            clauses[clause].append(text)
        return " ".join(f"{clause} {', '.join(texts)}" for clause, texts in clauses.items() if texts)

    def _ready(self, written: dict[str, Any]) -> str:
        self.names |= written.get("expressionNames") or {}
        self.values |= typed_map(written.get("expressionValues"))
        return str(written["expression"])

    def _all_of(self, fields: dict[str, Any]) -> str:
        return " AND ".join(part for field, wanted in fields.items() for part in self._parts(field, wanted))

    def _parts(self, field: str, wanted: Any) -> list[str]:
        if field in ("and", "or"):
            return ["(" + f" {field.upper()} ".join(self._all_of(one) for one in wanted) + ")"]
        if field == "not":
            return [f"(NOT {self._all_of(wanted)})"]
        name = self._name(field)
        return [self._comparison(name, operator, operand) for operator, operand in wanted.items()]

    def _comparison(self, name: str, operator: str, operand: Any) -> str:
        if operator in _COMPARISONS:
            return f"{name} {_COMPARISONS[operator]} {self._value(operand)}"
        if operator in _FUNCTIONS:
            return f"{_FUNCTIONS[operator]}({name}, {self._value(operand)})"
        match operator:
            case "between":
                return f"{name} BETWEEN {self._value(operand[0])} AND {self._value(operand[1])}"
            case "in":
                return f"{name} IN ({', '.join(map(self._value, operand))})"
            case "notContains":
                return f"NOT contains({name}, {self._value(operand)})"
            case "attributeExists":
                return f"attribute_{'exists' if operand else 'not_exists'}({name})"
        raise appsync._AppSyncResolverError(f"Unsupported operator: {operator}", "MappingTemplate")

    def _change(self, name: str, change: Any) -> tuple[str, str]:
        if not isinstance(change, dict) or "__op" not in change:
            return "SET", f"{name} = {self._value(change)}"
        if change["__op"] not in _CHANGES:
            raise appsync._AppSyncResolverError(f"Unsupported operation: {change['__op']}", "MappingTemplate")
        clause, written = _CHANGES[change["__op"]]
        # DynamoDB refuses a value that no expression uses.
        used = {"value": change.get("value"), "by": 1 if change.get("by") is None else change["by"], "zero": 0}
        values = {key: self._value(value) for key, value in used.items() if f"{{{key}}}" in written}
        return clause, written.format(name=name, index=change.get("index"), **values)

    def _name(self, field: str) -> str:
        placeholders = []
        for part in field.split("."):
            placeholder = f"#name{len(self.names)}"
            self.names[placeholder] = part
            placeholders.append(placeholder)
        return ".".join(placeholders)

    def _value(self, value: Any) -> str:
        placeholder = f":value{len(self.values)}"
        self.values[placeholder] = typed(value)
        return placeholder
