"""Reads YAML as Kubernetes and EKS Anywhere read it, and keeps where everything stands.

That is YAML 1.1: an unquoted 1.30 is the number 1.3, and ``on`` is true. But as in Go, a date is text, and so is what
looks like a number in base 60, such as the address of a network card.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from lambda_src.eks_anywhere.specification import Key, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# More than any specification has; aliases of aliases would otherwise make of few lines what no memory holds.
_MOST_NODES = 1_000_000
_INT = re.compile(r"[-+]?(0b[0-1_]+|0x[0-9a-fA-F_]+|0[0-7_]+|0|[1-9][0-9_]*)")
_FLOAT = re.compile(
    r"[-+]?(([0-9][0-9_]*)\.[0-9_]*([eE][-+]?[0-9]+)?|\.[0-9][0-9_]*([eE][-+]?[0-9]+)?|\.(inf|Inf|INF))"
)
_STRING = "tag:yaml.org,2002:str"
_MERGE = "tag:yaml.org,2002:merge"
# What JSON has, which is all that Kubernetes reads.
_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("bool", "float", "int", "map", "null", "seq", "str")}


class _Loader(yaml.CSafeLoader):
    yaml_implicit_resolvers = {  # noqa: RUF012 - as PyYAML declares it
        first: [(tag, pattern) for tag, pattern in known if tag.rpartition(":")[2] not in {"timestamp", "int", "float"}]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(f"(?:{_INT.pattern})$"), list("-+0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(f"(?:{_FLOAT.pattern})$"), list("-+0123456789."))


def _given(value: Any) -> Any:
    """Leave fields out that are null, as Kubernetes does: whoever writes a field without a value gives none."""
    if isinstance(value, dict):
        return {key: _given(one) for key, one in value.items() if one is not None}
    return [_given(one) for one in value] if isinstance(value, list) else value


@dataclass(frozen=True)
class Position:
    """A place in a file, both numbers from 1 on."""

    line: int
    column: int


@dataclass(frozen=True)
class Written:
    """What a file says, and where it says it."""

    documents: Sequence[Any]
    problems: Sequence[Problem]
    _nodes: Sequence[yaml.Node] = ()
    _where: dict[int, Position] = field(default_factory=dict)

    def position(self, problem: Problem) -> Position:
        """Find where in the file a problem is: of what is missing, where it would have to be added."""
        if problem in self.problems:
            return self._where[self.problems.index(problem)]
        if problem.document >= len(self._nodes):
            return Position(1, 1)
        return _position(_marked(self._nodes[problem.document], problem.path))

    def source(self, problem: Problem) -> str | None:
        """Return a scalar as it is written, unquoted; nothing of what is quoted, or no scalar."""
        node = self._nodes[problem.document]
        for key in problem.path:
            pair = _child(node, key)
            if pair is None:
                return None
            _, node = pair
        return node.value if isinstance(node, yaml.ScalarNode) and not node.style else None


def read(text: str) -> Written:
    """Read all documents; what makes it unreadable is among the problems."""
    loader = _Loader(text)
    documents: list[Any] = []
    nodes: list[yaml.Node] = []
    problems: list[Problem] = []
    where: dict[int, Position] = {}

    def wrong(rule: str, said: str, mark: yaml.Mark | None) -> None:
        where[len(problems)] = _position(mark)
        problems.append(Problem(len(nodes), (), rule, f"{said}{'' if mark is None else f' (line {mark.line + 1})'}"))

    try:
        while (node := loader.get_node() if loader.check_node() else None) is not None:
            found = [*_faults(node)]
            for rule, said, mark in found:
                wrong(rule, said, mark)
            document = None if found else loader.construct_document(node)
            if document is not None:
                documents.append(_given(document))
                nodes.append(node)
    except yaml.MarkedYAMLError as error:
        said = ": ".join(filter(None, [error.context, error.problem]))
        wrong("yaml", f"this is no YAML: {said}", error.problem_mark or error.context_mark)
    except yaml.YAMLError as error:  # a character that YAML does not permit has a position of another kind
        wrong("yaml", f"this is no YAML: {error}", None)
    except (ValueError, LookupError, RecursionError) as error:  # `!!int x`, `!!bool maybe`, `[[[[...`
        wrong("yaml", f"this cannot be read: {type(error).__name__}: {error}", None)
    finally:
        loader.dispose()
    return Written(documents, problems, nodes, where)


def _faults(root: yaml.Node) -> Iterator[tuple[str, str, yaml.Mark]]:
    """Find what YAML permits and Kubernetes does not: a key twice, a key that is no text, aliases without end."""
    sizes: dict[int, int] = {}
    open_nodes: set[int] = set()
    faults: list[tuple[str, str, yaml.Mark]] = []

    def size(node: yaml.Node) -> int:
        if id(node) in open_nodes:
            faults.append(("yaml", "an alias is inside of what it stands for", node.start_mark))
            return _MOST_NODES
        if id(node) not in sizes:
            open_nodes.add(id(node))
            if node.tag not in _TAGS:
                said = f"{node.tag.rpartition(':')[2]} is no type of JSON, and Kubernetes reads no other"
                faults.append(("yaml", said, node.start_mark))
            if isinstance(node, yaml.MappingNode):
                faults.extend(_keys(node))
            sizes[id(node)] = 1 + sum(map(size, _children(node)))
            open_nodes.remove(id(node))
        return sizes[id(node)]

    if size(root) >= _MOST_NODES and not faults:
        faults.append(("yaml", f"its aliases make more than {_MOST_NODES:,} values of it", root.start_mark))
    yield from faults


def _keys(node: yaml.MappingNode) -> Iterator[tuple[str, str, yaml.Mark]]:
    seen: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.tag not in {_STRING, _MERGE}:
            said = f"the key {key.value} is no text" if isinstance(key, yaml.ScalarNode) else "a key is no text"
            yield "yaml", f"{said}: put it in quotation marks", key.start_mark
        elif key.value in seen:
            yield "yaml", f"{key.value} is given twice: leave one of them out", key.start_mark
        seen.add(str(key.value))


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [value for _, value in node.value]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _child(node: yaml.Node, key: Key) -> tuple[yaml.Node, yaml.Node] | None:
    """Return the node of a key, or of a list's item, and that of its value."""
    if isinstance(node, yaml.MappingNode):
        # Of what is merged and overridden, the last one counts.
        return next(((name, value) for name, value in reversed(node.value) if name.value == key), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
        return node.value[key], node.value[key]
    return None


def _marked(node: yaml.Node, path: Sequence[Key]) -> yaml.Mark:
    mark = node.start_mark
    for key in path:
        pair = _child(node, key)
        if pair is None:
            return mark
        name, node = pair
        mark = node.start_mark if isinstance(node, yaml.ScalarNode) and node.value else name.start_mark
    return mark


def _position(mark: yaml.Mark | None) -> Position:
    return Position(1, 1) if mark is None else Position(mark.line + 1, mark.column + 1)
