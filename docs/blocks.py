"""The page of a building block: its purpose, an example that runs, its options and its attributes, from its code."""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import dataclass
from importlib import import_module
from itertools import takewhile
from typing import TYPE_CHECKING

from constructs import Construct
from docstring_parser import DocstringStyle, parse

from docs.markdown import prose, table
from lab.project import ROOT

if TYPE_CHECKING:
    from types import ModuleType

BLOCKS = ROOT / "lambda_src"
EXAMPLES = ROOT / "docs" / "examples"
NAMES = sorted(path.parent.name for path in BLOCKS.glob("*/construct.py"))
_NOT_OPTIONS = {"self", "scope", "construct_id"}


@dataclass(frozen=True)
class Block:
    """A block's construct, and the source that it comes from."""

    module: ModuleType
    construct: type[Construct]

    @property
    def source(self) -> str:
        """The module's source."""
        return inspect.getsource(self.module)

    @property
    def definition(self) -> ast.ClassDef:
        """The construct's class, as it is written."""
        classes = [node for node in ast.parse(self.source).body if isinstance(node, ast.ClassDef)]
        return next(node for node in classes if node.name == self.construct.__name__)

    @property
    def constructor(self) -> ast.FunctionDef:
        """The construct's ``__init__``, as it is written."""
        return next(method for method in self.methods if method.name == "__init__")

    @property
    def methods(self) -> list[ast.FunctionDef]:
        """The construct's methods, as they are written."""
        return [node for node in self.definition.body if isinstance(node, ast.FunctionDef)]


def load(name: str) -> Block:
    """Load the block in the folder ``name``: the one construct that its module makes public."""
    module = import_module(f"{BLOCKS.name}.{name}.construct")
    [construct] = [
        made
        for made in vars(module).values()
        if inspect.isclass(made) and issubclass(made, Construct) and made.__module__ == module.__name__
    ]
    return Block(module, construct)


def index() -> str:
    """Write the table of the blocks."""
    rows = [
        [f"[`{load(name).construct.__name__}`](docs/blocks/{name}.md)", inspect.getdoc(load(name).module) or ""]
        for name in NAMES
    ]
    return table(["Block", "What it is"], rows)


def page(name: str) -> str:
    """Write the page of the block in the folder ``name``."""
    block = load(name)
    documented = parse(inspect.getdoc(block.construct) or "", style=DocstringStyle.REST)
    purpose, _ = _without_heading(documented.long_description or "")
    raises = [f"`{error.type_name}`: {prose(_without_source(error.description or ''))}" for error in documented.raises]
    parts = [
        f"<!-- Written by `make docs` from lambda_src/{name}/construct.py and docs/examples/{name}.py. -->",
        f"# {block.construct.__name__}",
        prose(documented.short_description or ""),
        prose(purpose),
        _ancestry(block),
        "## Example",
        f"[`docs/examples/{name}.py`](../examples/{name}.py), which the tests run:",
        f"```python\n{(EXAMPLES / f'{name}.py').read_text()}```",
        "## Options",
        f"`{block.construct.__name__}(scope, construct_id, *, ...)`; all of these by keyword.",
        *_options(
            block, documented.long_description or "", {p.arg_name: p.description or "" for p in documented.params}
        ),
        "## Raises",
        *raises,
        *_attributes(block),
        *_runtime(name),
        "## Source",
        f"<{_source(block)}>",
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _ancestry(block: Block) -> str:
    [base] = block.definition.bases
    if block.construct.__base__ is Construct:
        return ""
    return f"It is a `{ast.unparse(base)}`: it goes wherever the CDK takes one."


def _options(block: Block, before: str, meanings: dict[str, str]) -> list[str]:
    """Write a table of the options for each heading among them."""
    _, heading = _without_heading(before)
    groups: list[tuple[str | None, list[list[str]]]] = [(heading, [])]
    defaults = _defaults(block)
    for argument in block.constructor.args.kwonlyargs:
        meaning, next_heading = _without_heading(meanings[argument.arg])
        default = defaults[argument.arg]
        kind = ast.unparse(argument.annotation) if argument.annotation else ""
        # An option that may be left out says so by its default.
        kind = kind.removesuffix(" | None") if default == "None" else kind
        shown = f"`{default}`" if default else "required"
        groups[-1][1].append([f"`{argument.arg}`", f"`{kind}`", shown, prose(meaning)])
        if next_heading:
            groups.append((next_heading, []))
    columns = ["Option", "Type", "Default", "Meaning"]
    return [text for title, rows in groups for text in (f"### {title}" if title else "", table(columns, rows))]


def _defaults(block: Block) -> dict[str, str]:
    arguments = block.constructor.args
    return {
        argument.arg: ast.unparse(default) if default else ""
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    }


def _attributes(block: Block) -> list[str]:
    """Write the table of the attributes that ``#:`` comments document, if there are any."""
    rows = []
    for node in ast.walk(block.constructor):
        match node:
            case (
                ast.Assign(targets=[ast.Attribute(value=ast.Name("self"), attr=name)])
                | ast.AnnAssign(target=ast.Attribute(value=ast.Name("self"), attr=name))
            ) if meaning := _comment_before(block, node):
                rows.append([f"`{name}`", f"`{_type_of(block, node)}`", prose(meaning)])
    return ["## Attributes", table(["Attribute", "Type", "Meaning"], rows)] if rows else []


def _comment_before(block: Block, node: ast.stmt) -> str:
    """Return what the ``#:`` comments right above a statement say."""
    above = reversed(block.source.splitlines()[: node.lineno - 1])
    comments = takewhile(lambda line: line.startswith("#:"), (line.strip() for line in above))
    return " ".join(reversed([comment.removeprefix("#:").strip() for comment in comments]))


def _type_of(block: Block, assignment: ast.Assign | ast.AnnAssign) -> str:
    """Find an attribute's type: its annotation, or that of the option or the method, or the class, that it is from."""
    options = {option.arg: option.annotation for option in block.constructor.args.kwonlyargs}
    answers = {method.name: method.returns for method in block.methods}
    kind: ast.expr | None = None
    match assignment:
        case ast.AnnAssign(annotation=kind):
            pass
        case ast.Assign(value=ast.Name(name)):
            kind = options.get(name)
        case ast.Assign(value=ast.Call(ast.Attribute(ast.Name("self"), name))):
            kind = answers.get(name)
        case ast.Assign(value=ast.Call(called)):
            is_class = ast.unparse(called).rpartition(".")[2][:1].isupper()
            kind = called if is_class else None
    if kind is None:
        raise TypeError(f"{block.construct.__name__}: annotate `{ast.unparse(assignment)}`, its type cannot be seen")
    return ast.unparse(kind)


def _runtime(name: str) -> list[str]:
    """Write what the handler that comes with a block says of itself, if there is one."""
    handler = BLOCKS / name / "runtime" / "handler.py"
    if not handler.exists():
        return []
    said = ast.get_docstring(ast.parse(handler.read_text())) or ""
    return ["## The code that comes with it", f"`lambda_src.{name}.RUNTIME`", said.replace("``", "`")]


def _source(block: Block) -> str:
    [source] = re.findall(r"^Source: (\S+)$", inspect.getdoc(block.construct) or "", flags=re.M)
    return str(source)


def _without_source(text: str) -> str:
    return re.sub(r"\s*Source: \S+$", "", text)


def _without_heading(text: str) -> tuple[str, str | None]:
    """Take the heading of the options that follow off the end of a text."""
    found = re.search(r"\s*^\*(\w+)\*$\s*\Z", text, flags=re.M)
    return (text[: found.start()], found[1]) if found else (text, None)
