"""Answers X-Ray's API: what each operation does with what the store has.

Source: https://docs.aws.amazon.com/xray/latest/api/API_Operations.html
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from lab.xray import documents
from lab.xray.documents import InvalidDocumentError
from lab.xray.matching import matches
from lab.xray.operations import OPERATIONS
from lab.xray.parameters import ApiError, opened, page, read, sealed
from lab.xray.resources import Encryption, Groups, SamplingRules, Tags, check_tags
from lab.xray.service_graph import service_graph
from lab.xray.store import KEPT, Position, TimeRange
from lab.xray.summaries import span_of, summary_of
from lab.xray.traces import assemble, document_of, with_inferred
from lambda_src.trace_group.filter_expression import FilterExpressionError, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lab.xray.documents import Document
    from lab.xray.model import Trace
    from lab.xray.store import Store
    from lambda_src.trace_group.filter_expression import Expression

    Parameters = Mapping[str, Any]
    Result = dict[str, Any]

# AWS's limit.
_LONGEST_RANGE = 6 * 3600
# What one answer holds at most: summaries, traces that were looked at for them, and whatever else is listed.
_SUMMARIES = 100
_LOOKED_AT = 1000
_LISTED = 100
# Seconds for which a client has its part of a reservoir.
_INTERVAL = 10


class Api:
    """X-Ray's operations, on what a store has."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._groups = Groups(store)
        self._rules = SamplingRules(store)
        self._tags = Tags(store, self._groups, self._rules)
        self._encryption = Encryption(store)
        self._answers = {
            "PutTraceSegments": self._put_trace_segments,
            "GetTraceSummaries": self._get_trace_summaries,
            "BatchGetTraces": self._batch_get_traces,
            "GetServiceGraph": self._get_service_graph,
            "GetTraceGraph": self._get_trace_graph,
            "CreateGroup": self._create_group,
            "GetGroup": self._get_group,
            "GetGroups": self._get_groups,
            "UpdateGroup": self._update_group,
            "DeleteGroup": self._delete_group,
            "CreateSamplingRule": self._create_sampling_rule,
            "GetSamplingRules": self._get_sampling_rules,
            "UpdateSamplingRule": self._update_sampling_rule,
            "DeleteSamplingRule": self._delete_sampling_rule,
            "GetSamplingTargets": self._get_sampling_targets,
            "GetEncryptionConfig": self._get_encryption_config,
            "PutEncryptionConfig": self._put_encryption_config,
            "TagResource": self._tag_resource,
            "UntagResource": self._untag_resource,
            "ListTagsForResource": self._list_tags_for_resource,
        }

    def answer(self, path: str, body: object) -> Result:
        """Do what a request asks for.

        :raises ApiError: when it cannot be done; the message says why.
        """
        operation = OPERATIONS.get(path)
        if operation is None:
            raise ApiError(f"The local X-Ray has no operation at {path}.", "UnknownOperationException", 404)
        return self._answers[operation.name](read(body, operation.parameters))

    def _put_trace_segments(self, given: Parameters) -> Result:
        found: list[Document] = []
        unprocessed = []
        for text in given["TraceSegmentDocuments"]:
            try:
                found += documents.parse(text, oldest=time.time() - KEPT)
            except InvalidDocumentError as error:
                unprocessed.append(
                    {
                        **({"Id": error.document_id} if error.document_id else {}),
                        "ErrorCode": error.code,
                        "Message": f"Invalid segment. ErrorCode: {error.code}: {error}",
                    }
                )
        self._store.add(found)
        return {"UnprocessedTraceSegments": unprocessed}

    def _get_trace_summaries(self, given: Parameters) -> Result:
        start, end = _time_range(given)
        within = TimeRange(given.get("TimeRangeType", TimeRange.TRACE_ID))
        expression = _expression(given["FilterExpression"]) if given.get("FilterExpression") else None
        groups = self._group_expressions() if expression else {}
        question = json.dumps([start, end, within, given.get("FilterExpression")])
        token = given.get("NextToken")
        before = Position(*opened(token, question)) if token else None
        summaries: list[Result] = []
        looked_at = 0
        positions = self._store.traces_within(within, start, end, before=before, limit=_LOOKED_AT + 1)
        for position in positions[:_LOOKED_AT]:
            if len(summaries) == _SUMMARIES:
                break
            looked_at += 1
            before = position
            for trace in self._traces([position.id]):
                if expression is None or matches(expression, trace, groups):
                    summaries.append(summary_of(trace))
        more = looked_at < len(positions)
        return {
            "TraceSummaries": summaries,
            "ApproximateTime": before.start_time if more and before else start,
            "TracesProcessedCount": looked_at,
            **({"NextToken": sealed(before, question)} if more else {}),
        }

    def _batch_get_traces(self, given: Parameters) -> Result:
        ids = list(dict.fromkeys(given["TraceIds"]))
        traces = []
        for stored in self._store.traces(ids):
            trace = with_inferred(assemble(stored.id, stored.texts))
            start, end = span_of(trace)
            parts = (*trace.segments, *trace.orphans)
            traces.append(
                {
                    "Id": trace.id,
                    "Duration": round(end - start, 6),
                    "LimitExceeded": stored.limit_exceeded,
                    "Segments": [{"Id": part.id, "Document": json.dumps(document_of(part))} for part in parts],
                }
            )
        found = {trace["Id"] for trace in traces}
        return {"Traces": traces, "UnprocessedTraceIds": [one for one in ids if one not in found]}

    def _get_service_graph(self, given: Parameters) -> Result:
        start, end = _time_range(given)
        traces = self._traces(position.id for position in self._store.traces_within(TimeRange.EVENT, start, end))
        if given.keys() & {"GroupName", "GroupARN"}:
            expression = self._group(given).get("FilterExpression")
            groups = self._group_expressions()
            if expression:
                asked = _expression(expression)
                traces = (trace for trace in traces if matches(asked, trace, groups))
        services = _paged("Services", service_graph(traces), given)
        return {"StartTime": start, "EndTime": end, **services, "ContainsOldGroupVersions": False}

    def _get_trace_graph(self, given: Parameters) -> Result:
        return _paged("Services", service_graph(self._traces(dict.fromkeys(given["TraceIds"]))), given)

    def _create_group(self, given: Parameters) -> Result:
        properties = _group_properties(given)
        check_tags(given.get("Tags", {}))
        group = self._groups.create(given["GroupName"], properties)
        self._tags.add(group["GroupARN"], given.get("Tags", {}))
        return {"Group": group}

    def _get_group(self, given: Parameters) -> Result:
        return {"Group": self._group(given)}

    def _get_groups(self, given: Parameters) -> Result:
        return _paged("Groups", self._groups.all(), given)

    def _update_group(self, given: Parameters) -> Result:
        return {"Group": self._groups.update(self._group(given), _group_properties(given))}

    def _delete_group(self, given: Parameters) -> Result:
        self._groups.delete(self._group(given))
        return {}

    def _create_sampling_rule(self, given: Parameters) -> Result:
        check_tags(given.get("Tags", {}))
        record = self._rules.create(given["SamplingRule"])
        self._tags.add(record["SamplingRule"]["RuleARN"], given.get("Tags", {}))
        return {"SamplingRuleRecord": record}

    def _get_sampling_rules(self, given: Parameters) -> Result:
        return _paged("SamplingRuleRecords", self._rules.all(), given)

    def _update_sampling_rule(self, given: Parameters) -> Result:
        update = given["SamplingRuleUpdate"]
        changes = {name: value for name, value in update.items() if name not in {"RuleName", "RuleARN"}}
        return {"SamplingRuleRecord": self._rules.update(self._rule(update), changes)}

    def _delete_sampling_rule(self, given: Parameters) -> Result:
        record = self._rule(given)
        self._rules.delete(record)
        return {"SamplingRuleRecord": record}

    def _get_sampling_targets(self, given: Parameters) -> Result:
        """Give whoever asks the whole reservoir: there is one client here."""
        now = time.time()
        records = {record["SamplingRule"]["RuleName"]: record for record in self._rules.all()}
        targets = []
        unprocessed = []
        for statistics in given["SamplingStatisticsDocuments"]:
            name = statistics["RuleName"]
            if name in records:
                rule = records[name]["SamplingRule"]
                targets.append(
                    {
                        "RuleName": name,
                        "FixedRate": rule["FixedRate"],
                        "ReservoirQuota": rule["ReservoirSize"],
                        "ReservoirQuotaTTL": now + _INTERVAL,
                        "Interval": _INTERVAL,
                    }
                )
            else:
                unprocessed.append(
                    {"RuleName": name, "ErrorCode": "400", "Message": f"There is no sampling rule {name}."}
                )
        return {
            "SamplingTargetDocuments": targets,
            "LastRuleModification": max(record["ModifiedAt"] for record in records.values()),
            "UnprocessedStatistics": unprocessed,
        }

    def _get_encryption_config(self, _given: Parameters) -> Result:
        return {"EncryptionConfig": self._encryption.get()}

    def _put_encryption_config(self, given: Parameters) -> Result:
        return {"EncryptionConfig": self._encryption.put(given["Type"], given.get("KeyId"))}

    def _tag_resource(self, given: Parameters) -> Result:
        self._tags.add(given["ResourceARN"], given["Tags"])
        return {}

    def _untag_resource(self, given: Parameters) -> Result:
        self._tags.remove(given["ResourceARN"], given["TagKeys"])
        return {}

    def _list_tags_for_resource(self, given: Parameters) -> Result:
        tags = self._tags.of(given["ResourceARN"])
        return _paged("Tags", [{"Key": key, "Value": value} for key, value in sorted(tags.items())], given)

    def _traces(self, ids: Iterable[str]) -> Iterator[Trace]:
        for stored in self._store.traces(ids):
            yield with_inferred(assemble(stored.id, stored.texts))

    def _group(self, given: Parameters) -> Result:
        return self._groups.get(given.get("GroupName"), given.get("GroupARN"))

    def _rule(self, given: Parameters) -> Result:
        return self._rules.get(given.get("RuleName"), given.get("RuleARN"))

    def _group_expressions(self) -> dict[str, Expression]:
        """Name what expressions mean by a group, by its name and by its ARN."""
        found: dict[str, Expression] = {}
        for group in self._groups.all():
            if group.get("FilterExpression"):
                expression = _expression(group["FilterExpression"])
                found |= {group["GroupName"]: expression, group["GroupARN"]: expression}
        return found


def _time_range(given: Parameters) -> tuple[float, float]:
    start, end = given["StartTime"], given["EndTime"]
    if end <= start:
        raise ApiError("EndTime is not after StartTime.")
    if end - start > _LONGEST_RANGE:
        raise ApiError(f"StartTime and EndTime are {(end - start) / 3600:.1f} hours apart: 6 hours at most.")
    return start, end


def _expression(text: str) -> Expression:
    try:
        return parse(text)
    except FilterExpressionError as error:
        raise ApiError(str(error)) from None


def _group_properties(given: Parameters) -> Result:
    properties = {name: given[name] for name in ("FilterExpression", "InsightsConfiguration") if name in given}
    if properties.get("FilterExpression"):
        _expression(properties["FilterExpression"])
    return properties


def _paged(name: str, items: list[Result], given: Parameters) -> Result:
    listed, token = page(items, given.get("NextToken"), _LISTED)
    return {name: listed, **({"NextToken": token} if token else {})}
