"""The consumer's handler against the chapter's: messages stored a second."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks import handlers
from benchmarks.comparison import AtLeast, Comparison, Side
from benchmarks.workbench import LAMBDA_PYTHON, MeasurementError, measured

if TYPE_CHECKING:
    from benchmarks.handlers import Handler
    from benchmarks.workbench import Workbench

_MESSAGES = 4000
#: Fewer, as each takes longer.
_MESSAGES_OF_CHAPTER = 500


def comparisons(bench: Workbench) -> list[Comparison]:
    """Compare both handlers, in processes of their own on the same interpreter, with the emulator's DynamoDB."""
    return [
        Comparison(
            title=f"consumer, batches of {batch_size}",
            ours=_side(bench, handlers.ours(bench), batch_size, _MESSAGES),
            alternative=_side(bench, handlers.CHAPTER, batch_size, _MESSAGES_OF_CHAPTER),
            unit="messages/s",
            target=AtLeast(target),
        )
        for batch_size, target in ((10, 10.6), (100, 15.3))
    ]


def _side(bench: Workbench, handler: Handler, batch_size: int, messages: int) -> Side:
    return Side(handler.name, partial(_store, bench, handler, batch_size, messages // batch_size))


def _store(bench: Workbench, handler: Handler, batch_size: int, batches: int) -> float:
    """Measure a handler, and see to it that all it was given is in the table."""
    dynamodb = bench.lab.client("dynamodb")
    before = _items(dynamodb)
    figure = measured(
        "invoke.py",
        *(str(handler.folder), handler.module, handler.function, str(batch_size), str(batches)),
        python=LAMBDA_PYTHON,
        environment={**bench.lab.environment, **handlers.VARIABLES},
    )
    # With the batch before the clock starts.
    stored, given = _items(dynamodb) - before, batch_size * (batches + 1)
    if stored != given:
        raise MeasurementError(f"{handler.name} stored {stored} of {given} messages")
    return figure


def _items(dynamodb: Any) -> int:
    # Exact on the emulator; on AWS it would be hours old.
    return int(dynamodb.describe_table(TableName=handlers.VARIABLES["TABLE_NAME"])["Table"]["ItemCount"])
