"""The resolvers of an API: one for each field that needs one, its code from a file, and none for any other field."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsii
from aws_cdk import Duration
from aws_cdk import aws_appsync as appsync
from constructs import IValidation

from lambda_src.graphql_api.modules import ResolverCodeError, bundled
from lambda_src.options import InvalidOptionsError, checked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lambda_src.graphql_api.schema import Schema


class Resolvers:
    """Adds resolvers to an API; a field that nothing answers is found out when the app is synthesized.

    :param api: whose resolvers they are.
    :param schema: of the API.
    :param folder: with their code.
    :param cached: whether the API has a cache, which a resolver can ask for.
    """

    def __init__(self, api: appsync.GraphqlApi, schema: Schema, folder: Path, *, cached: bool) -> None:
        self._api = api
        self._schema = schema
        self._folder = folder
        self._cached = cached
        self._functions: dict[str, appsync.AppsyncFunction] = {}
        #: The fields that have a resolver: ``Query.book``.
        self.fields: list[str] = []
        api.node.add_validation(_EveryFieldIsAnswered(schema, self.fields))

    def add(
        self,
        field: str,
        source: appsync.BaseDataSource,
        *,
        max_batch_size: int | None = None,
        cached_for: Duration | None = None,
    ) -> appsync.Resolver:
        """Have one request to a source answer ``field``, such as ``Query.book``; the code is in ``Query.book.js``.

        :param max_batch_size: most requests of a list that a Lambda function gets in one invocation, 1 to 2,000; the
            code asks for ``BatchInvoke``. By default each request is an invocation of its own.
        :param cached_for: how long the answer to the same arguments is kept, 1 to 3,600 s; needs the API's ``cache``.
        :raises ValueError: when the schema has no such field, or there is no code for it.
        """
        with checked(appsync.Resolver, self._api, field) as options:
            batched = max_batch_size is None or 1 <= max_batch_size <= 2000
            options.require(batched, "max_batch_size", max_batch_size, "1 to 2,000")
            invoked = max_batch_size is None or isinstance(source, appsync.LambdaDataSource)
            options.require(invoked, "max_batch_size", max_batch_size, "only a Lambda function takes batches")
        return self._resolver(field, cached_for, data_source=source, max_batch_size=max_batch_size)

    def add_pipeline(
        self, field: str, functions: Mapping[str, appsync.BaseDataSource], *, cached_for: Duration | None = None
    ) -> appsync.Resolver:
        """Have 1 to 10 functions, one after the other, answer ``field``.

        :param functions: the source of each; the code of ``putBook`` is in ``functions/putBook.js``, and a function
            that several pipelines name is made once.
        :param cached_for: as of ``add``.
        :raises ValueError: when the schema has no such field, or there is no code for it or for one of the functions.
        """
        with checked(appsync.Resolver, self._api, field) as options:
            options.require(1 <= len(functions) <= 10, "functions", f"{len(functions)} of them", "1 to 10")
            for name, source in functions.items():
                other = self._functions.get(name)
                same = other is None or other.data_source is source
                options.require(same, name, "given with another source", "a function has one source")
        return self._resolver(
            field,
            cached_for,
            pipeline_config=lambda: [self._function(name, source) for name, source in functions.items()],
        )

    def _resolver(self, field: str, cached_for: Duration | None, **configuration: Any) -> appsync.Resolver:
        seconds = cached_for.to_seconds() if cached_for else None
        with checked(appsync.Resolver, self._api, field) as options:
            problem = self._schema.problem_of(field)
            options.require(problem is None, "field", field, problem or "")
            options.require(field not in self.fields, "field", field, "it has a resolver already")
            options.require(seconds is None or 1 <= seconds <= 3600, "cached_for", f"{seconds} s", "1 to 3,600 s")
            options.require(seconds is None or self._cached, "cached_for", f"{seconds} s", "the API has no cache")
        self.fields.append(field)
        type_name, _, field_name = field.partition(".")
        with self._code(field) as code:
            return appsync.Resolver(
                self._api,
                f"{type_name}{field_name[0].upper()}{field_name[1:]}",
                api=self._api,
                type_name=type_name,
                field_name=field_name,
                runtime=appsync.FunctionRuntime.JS_1_0_0,
                code=code,
                caching_config=appsync.CachingConfig(ttl=cached_for) if cached_for else None,
                metrics_config=appsync.ResolverMetricsConfig.ENABLED,
                **{name: value() if callable(value) else value for name, value in configuration.items()},
            )

    def _function(self, name: str, source: appsync.BaseDataSource) -> appsync.AppsyncFunction:
        if name not in self._functions:
            with self._code(f"functions/{name}") as code:
                self._functions[name] = appsync.AppsyncFunction(
                    self._api,
                    f"{name[0].upper()}{name[1:]}",
                    api=self._api,
                    name=name,
                    data_source=source,
                    runtime=appsync.FunctionRuntime.JS_1_0_0,
                    code=code,
                )
        return self._functions[name]

    @contextmanager
    def _code(self, name: str) -> Iterator[appsync.Code]:
        """Make an asset of the code: in the template, it would count for the template's size."""
        try:
            code = bundled(self._folder / f"{name}.js")
        except ResolverCodeError as error:
            raise InvalidOptionsError(f"{self._api.node.path} {name}: {error}") from None
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "resolver.js"
            file.write_text(code)
            yield appsync.Code.from_asset(str(file))


@jsii.implements(IValidation)
class _EveryFieldIsAnswered:
    def __init__(self, schema: Schema, fields: list[str]) -> None:
        self._schema = schema
        self._fields = fields

    def validate(self) -> list[str]:
        return [
            f"{field} has no resolver, and nothing else can answer it: add one, or take the field out of the schema"
            for field in self._schema.without_resolver(self._fields)
        ]
