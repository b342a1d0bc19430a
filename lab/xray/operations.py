"""The operations of X-Ray's API: where each is, and which parameters it has.

Source: https://docs.aws.amazon.com/xray/latest/api/API_Operations.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from lab.xray.documents import trace_id
from lab.xray.parameters import Parameter, boolean, integer, list_of, map_of, number, one_of, structure, text
from lab.xray.store import TimeRange

if TYPE_CHECKING:
    from collections.abc import Mapping


class Operation(NamedTuple):
    """An operation: its name, and what a request for it may hold."""

    name: str
    parameters: Mapping[str, Parameter]


def _trace_id(value: Any) -> str:
    known = trace_id(value) if isinstance(value, str) else None
    if known is None:
        raise ValueError("a trace id is 1-, 8 hexadecimal digits, -, 24 hexadecimal digits")
    return known


def _tags(value: Any) -> dict[str, str]:
    tags = list_of(_TAG)(value)
    return {tag["Key"]: tag["Value"] for tag in tags}


_TAG = structure("Tags", Key=Parameter(text(1, 128), required=True), Value=Parameter(text(0, 256), required=True))
_NEXT = {"NextToken": Parameter(text(1))}
_RANGE = {
    "StartTime": Parameter(number(0), required=True),
    "EndTime": Parameter(number(0), required=True),
}
_GROUP = {"GroupName": Parameter(text(1, 32)), "GroupARN": Parameter(text(1, 400))}
_GROUP_PROPERTIES = {
    "FilterExpression": Parameter(text(0, 2000)),
    "InsightsConfiguration": Parameter(
        structure("InsightsConfiguration", InsightsEnabled=Parameter(boolean), NotificationsEnabled=Parameter(boolean))
    ),
}
_RULE = {"RuleName": Parameter(text(1, 32)), "RuleARN": Parameter(text(1))}
_RULE_PROPERTIES = {
    "ResourceARN": text(0, 500),
    "Priority": integer(1, 9999),
    "FixedRate": number(0, 1),
    "ReservoirSize": integer(0),
    "ServiceName": text(0, 64),
    "ServiceType": text(0, 64),
    "Host": text(0, 64),
    "HTTPMethod": text(0, 10),
    "URLPath": text(0, 128),
}
_RULE_OPTIONS = {
    "Attributes": Parameter(map_of(text(1, 32), most=5)),
    "SamplingRateBoost": Parameter(
        structure(
            "SamplingRateBoost",
            MaxRate=Parameter(number(0, 1), required=True),
            CooldownWindowMinutes=Parameter(integer(0), required=True),
        )
    ),
}
_STATISTICS = structure(
    "SamplingStatisticsDocuments",
    RuleName=Parameter(text(1, 32), required=True),
    ClientID=Parameter(text(24, 24), required=True),
    Timestamp=Parameter(number(0), required=True),
    RequestCount=Parameter(integer(0), required=True),
    SampledCount=Parameter(integer(0), required=True),
    BorrowCount=Parameter(integer(0)),
)

OPERATIONS = {
    "/TraceSegments": Operation(
        "PutTraceSegments",
        {"TraceSegmentDocuments": Parameter(list_of(text(), least=1, most=50), required=True)},
    ),
    "/TraceSummaries": Operation(
        "GetTraceSummaries",
        {
            **_RANGE,
            **_NEXT,
            "TimeRangeType": Parameter(one_of(*TimeRange)),
            "FilterExpression": Parameter(text(0, 2000)),
            # Of these, a part of the traces would do; all of them are there.
            "Sampling": Parameter(boolean),
            "SamplingStrategy": Parameter(
                structure(
                    "SamplingStrategy",
                    Name=Parameter(one_of("PartialScan", "FixedRate")),
                    Value=Parameter(number(0, 1)),
                )
            ),
        },
    ),
    "/Traces": Operation("BatchGetTraces", {**_NEXT, "TraceIds": Parameter(list_of(_trace_id, 1, 5), required=True)}),
    "/ServiceGraph": Operation("GetServiceGraph", {**_RANGE, **_GROUP, **_NEXT}),
    "/TraceGraph": Operation("GetTraceGraph", {**_NEXT, "TraceIds": Parameter(list_of(_trace_id, 1), required=True)}),
    "/CreateGroup": Operation(
        "CreateGroup",
        {"GroupName": Parameter(text(1, 32), required=True), **_GROUP_PROPERTIES, "Tags": Parameter(_tags)},
    ),
    "/GetGroup": Operation("GetGroup", _GROUP),
    "/Groups": Operation("GetGroups", _NEXT),
    "/UpdateGroup": Operation("UpdateGroup", {**_GROUP, **_GROUP_PROPERTIES}),
    "/DeleteGroup": Operation("DeleteGroup", _GROUP),
    "/CreateSamplingRule": Operation(
        "CreateSamplingRule",
        {
            "SamplingRule": Parameter(
                structure(
                    "SamplingRule",
                    **_RULE,
                    **{name: Parameter(read, required=True) for name, read in _RULE_PROPERTIES.items()},
                    Version=Parameter(integer(1, 1), required=True),
                    **_RULE_OPTIONS,
                ),
                required=True,
            ),
            "Tags": Parameter(_tags),
        },
    ),
    "/GetSamplingRules": Operation("GetSamplingRules", _NEXT),
    "/UpdateSamplingRule": Operation(
        "UpdateSamplingRule",
        {
            "SamplingRuleUpdate": Parameter(
                structure(
                    "SamplingRuleUpdate",
                    **_RULE,
                    **{name: Parameter(read) for name, read in _RULE_PROPERTIES.items()},
                    **_RULE_OPTIONS,
                ),
                required=True,
            )
        },
    ),
    "/DeleteSamplingRule": Operation("DeleteSamplingRule", _RULE),
    "/SamplingTargets": Operation(
        "GetSamplingTargets",
        {
            "SamplingStatisticsDocuments": Parameter(list_of(_STATISTICS, most=25), required=True),
            "SamplingBoostStatisticsDocuments": Parameter(list_of(dict, most=25)),
        },
    ),
    "/EncryptionConfig": Operation("GetEncryptionConfig", {}),
    "/PutEncryptionConfig": Operation(
        "PutEncryptionConfig",
        {"Type": Parameter(one_of("NONE", "KMS"), required=True), "KeyId": Parameter(text(1, 3000))},
    ),
    "/TagResource": Operation(
        "TagResource",
        {"ResourceARN": Parameter(text(1, 1011), required=True), "Tags": Parameter(_tags, required=True)},
    ),
    "/UntagResource": Operation(
        "UntagResource",
        {
            "ResourceARN": Parameter(text(1, 1011), required=True),
            "TagKeys": Parameter(list_of(text(1, 128)), required=True),
        },
    ),
    "/ListTagsForResource": Operation(
        "ListTagsForResource", {**_NEXT, "ResourceARN": Parameter(text(1, 1011), required=True)}
    ),
}
