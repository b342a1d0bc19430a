"""Answers a field of every object of a list together: the batches of a resolver that has a ``maxBatchSize``."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ministack.services import appsync

from lab.emulation.appsync.sources import SourceError, invoke

if TYPE_CHECKING:
    from lab.emulation.appsync.resolvers import Call, Resolver, Resolvers

_LARGEST = 2000


@dataclass
class Batches:
    """The calls of one request that wait for others of the same resolver."""

    resolvers: Resolvers
    _waiting: dict[int, list[tuple[Call, asyncio.Future[Any]]]] = field(default_factory=dict)

    async def answer(self, call: Call) -> Any:
        """Wait until every object of the list has asked, then be answered with the others."""
        loop = asyncio.get_running_loop()
        waiting = self._waiting.setdefault(id(call.resolver), [])
        answer: asyncio.Future[Any] = loop.create_future()
        waiting.append((call, answer))
        if len(waiting) == 1:
            loop.call_soon(lambda: asyncio.ensure_future(self._answer_waiting(call.resolver)))
        return await answer

    async def _answer_waiting(self, resolver: Resolver) -> None:
        waiting = self._waiting.pop(id(resolver))
        answers = await asyncio.to_thread(self._batch, resolver, [call for call, _ in waiting])
        for (_, future), answer in zip(waiting, answers, strict=True):
            if isinstance(answer, BaseException):
                future.set_exception(answer)
            else:
                future.set_result(answer)

    def _batch(self, resolver: Resolver, calls: list[Call]) -> list[Any]:
        """Answer calls of one resolver, each with a value or an exception."""
        answers: list[Any] = [None] * len(calls)
        asking: list[tuple[int, Any]] = []
        for number, call in enumerate(calls):
            try:
                status, asked, _ = self.resolvers.evaluate(call, resolver, "request", None)
            except appsync._AppSyncResolverError as refused:
                answers[number] = refused
                continue
            if status == "earlyReturn":
                answers[number] = asked
            else:
                asking.append((number, asked))
        size = min(int(resolver["maxBatchSize"]), _LARGEST)
        for start in range(0, len(asking), size):
            chunk = asking[start : start + size]
            for (number, _), (result, error) in zip(
                chunk, self._invoke(resolver, [one for _, one in chunk]), strict=True
            ):
                try:
                    answers[number] = self.resolvers.evaluate(
                        calls[number], resolver, "response", None, result=result, error=error
                    )[1]
                except appsync._AppSyncResolverError as refused:
                    answers[number] = refused
        return answers

    def _invoke(self, resolver: Resolver, asked: list[Any]) -> list[tuple[Any, SourceError | None]]:
        source = appsync._data_sources[self.resolvers.api_id][resolver["dataSourceName"]]
        try:
            results = invoke(source, [one.get("payload") for one in asked])
            if not isinstance(results, list) or len(results) != len(asked):
                raise SourceError(
                    f"A batch of {len(asked)} was not answered with a list of {len(asked)}", "Lambda:IllegalArgument"
                )
        except SourceError as failed:
            return [(None, failed)] * len(asked)
        return [(result, None) for result in results]
