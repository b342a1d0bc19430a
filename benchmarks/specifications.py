"""The validation of specifications against schemas that are compiled for each document, and against merely loading."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import yaml

from benchmarks.comparison import AtMost, Comparison, Side
from benchmarks.workbench import MeasurementError, seconds
from lab.eks_anywhere.validation import validate
from lab_stacks.eks_anywhere_clusters import CLUSTERS
from lambda_src.eks_anywhere.crds import UPSTREAM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.workbench import Workbench

_DOCUMENTS = 1_000


def comparisons(_: Workbench) -> list[Comparison]:
    """Compare on the lab's own clusters, over and over, each in a file of its own, until there are enough documents."""
    clusters = [(cluster.as_yaml(), len(cluster.documents())) for cluster in CLUSTERS.values()]
    texts: list[str] = []
    documents = 0
    while documents < _DOCUMENTS:
        text, number = clusters[len(texts) % len(clusters)]
        texts.append(text)
        documents += number
    # Whoever is wrong has no speed.
    broken = texts[0].replace("count: 1", "counts: 1", 1)
    if _ours([*texts, broken]) != 1 or _compiled_each_time(texts) or not _compiled_each_time([broken]):
        raise MeasurementError("both sides have to take the clusters, and to find the one that is broken")
    title = f"validation of {documents:,} documents"
    ours = Side(title, partial(_milliseconds, _ours, texts))
    naive = Side("schema compiled for each", partial(_milliseconds, _compiled_each_time, texts))
    loaded = Side("yaml.safe_load_all alone", partial(_milliseconds, _loaded, texts))
    return [Comparison(title, ours, naive, "ms", AtMost(0.5)), Comparison(title, ours, loaded, "ms", AtMost(1))]


def _milliseconds(work: Any, texts: Sequence[str]) -> float:
    return seconds(partial(work, texts)) * 1000


def _ours(texts: Sequence[str]) -> int:
    """Do all that the command does: positions, schemas, rules."""
    return sum(bool(validate(text).findings) for text in texts)


def _compiled_each_time(texts: Sequence[str]) -> int:
    """Check each document in the way that a script would: read the schemas, compile that of the kind, and ask it."""
    wrong = 0
    for text in texts:
        for document in yaml.load_all(text, Loader=yaml.CSafeLoader):
            schema = json.loads((UPSTREAM / "crds.json").read_text())["kinds"][document["kind"]]
            wrong += not jsonschema_rs.Draft7Validator(schema).is_valid(document)
    return wrong


def _loaded(texts: Sequence[str]) -> int:
    return sum(len([*yaml.safe_load_all(text)]) for text in texts)
