"""Checks anybody's specification: as YAML, by the schemas of EKS Anywhere, and by the rules that schemas cannot say."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from lab.kubernetes import yaml_files
from lambda_src.eks_anywhere import rules
from lambda_src.eks_anywhere.crds import API_VERSION, schemas
from lambda_src.eks_anywhere.specification import Document, Problem, Site, Specification

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_GROUP = API_VERSION.partition("/")[0]


@dataclass(frozen=True)
class Finding:
    """A problem, and where in the file it is."""

    line: int
    column: int
    problem: Problem

    def as_json(self) -> dict[str, Any]:
        """Return the object that ``--json`` prints for it."""
        problem = self.problem
        return {
            "line": self.line,
            "column": self.column,
            "document": problem.document + 1,
            "field": problem.field,
            "rule": problem.rule,
            "text": problem.text,
        }


@dataclass(frozen=True)
class Report:
    """What is wrong with a file, in its order, and what is in it.

    ``rules_asked`` is false where the fields themselves are wrong: rules are asked of documents that hold to their
    schemas.
    """

    findings: Sequence[Finding]
    documents: Sequence[Document]
    rules_asked: bool


def validate(text: str, site: Site | None = None) -> Report:
    """Find everything that is wrong with a specification."""
    written = yaml_files.read(text)
    problems = [*written.problems, *_no_objects(written)]
    if not problems:
        problems = [*_by_schema(written)]
    documents = [one for one in written.documents if _is_ours(one)]
    asked = not problems
    if asked and not documents:
        problems = [Problem(0, (), "no-cluster", "there is no document of EKS Anywhere in this file")]
    elif asked:
        problems = rules.problems(Specification(_in_place(written.documents), site or Site()))
    positions = ((written.position(problem), problem) for problem in problems)
    findings = [Finding(at.line, at.column, problem) for at, problem in positions]
    return Report(sorted(findings, key=lambda one: (one.line, one.column)), documents, asked)


def schema_problems(index: int, document: Document) -> Iterator[Problem]:
    """Hold one document against the schema of its kind."""
    kind = document.get("kind")
    if kind not in schemas():
        known = _closest(str(kind), schemas())
        yield Problem(index, ("kind",), "schema", f"{kind} is no kind of EKS Anywhere that a person writes{known}")
        return
    for error in _validator(kind).iter_errors(document):
        yield from _explained(index, schemas()[kind], error)


def _by_schema(written: yaml_files.Written) -> Iterator[Problem]:
    for index, document in enumerate(written.documents):
        if not _is_ours(document):
            continue
        for problem in schema_problems(index, document):
            source = written.source(problem)
            wants_text = problem.text.endswith("is no text")
            if wants_text and source is not None:
                yield Problem(index, problem.path, "yaml", _surprise(source, _value(document, problem.path)))
            else:
                yield problem


def _no_objects(written: yaml_files.Written) -> Iterator[Problem]:
    for index, document in enumerate(written.documents):
        if not isinstance(document, dict):
            yield Problem(index, (), "yaml", "this document is no object: it needs apiVersion, kind, metadata and spec")


def _is_ours(document: Any) -> bool:
    """Tell a document of EKS Anywhere from what else a file may have, such as a secret."""
    return isinstance(document, dict) and str(document.get("apiVersion", _GROUP)).partition("/")[0] == _GROUP


def _in_place(documents: Sequence[Any]) -> list[Document]:
    """Blank out what is not of EKS Anywhere: a problem's document is its place in the file."""
    return [document if _is_ours(document) else {} for document in documents]


@cache
def _validator(kind: str) -> jsonschema_rs.Draft7Validator:
    return jsonschema_rs.Draft7Validator(schemas()[kind])


def _explained(index: int, schema: Any, error: jsonschema_rs.ValidationError) -> Iterator[Problem]:
    path = tuple(error.instance_path)
    what, said = error.kind.name, error.kind.as_dict()
    if what == "additionalProperties":
        known = _value(schema, error.schema_path[:-1]).get("properties", {})
        for name in said["unexpected"]:
            yield Problem(index, (*path, name), "schema", f"there is no field {name} here{_closest(name, known)}")
    elif what == "type" and "string" in said["types"]:
        yield Problem(index, path, "schema", f"{error.instance!r} is no text")
    elif what == "required":
        yield Problem(index, (*path, said["property"]), "schema", "this field is missing")
    else:
        yield Problem(index, path, "schema", error.message)


def _closest(name: str, known: Any) -> str:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f": {close[0]}?" if close else ""


def _value(document: Any, path: Sequence[Any]) -> Any:
    for key in path:
        document = document[key]
    return document


def _surprise(source: str, value: Any) -> str:
    """Say what YAML 1.1 made of an unquoted text."""
    if value is None:
        return "nothing is given here, and this is a text"
    read_as = str(value).lower() if isinstance(value, bool) else f"the number {value}"
    return f'YAML reads {source} as {read_as}, and this is a text: write "{source}", in quotation marks'
