"""Amazon CloudWatch in CloudFormation: an alarm of metric math is kept as it was declared.

MiniStack refuses one, and the whole stack with it. Here it can be described; it is never evaluated, and so stays in the
state ``INSUFFICIENT_DATA``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.services.cloudformation import provisioners

if TYPE_CHECKING:
    from collections.abc import Callable

HOOKS = ["ministack.services.cloudformation.provisioners._cw_metric_alarm_record(name, props)"]
#: What an alarm of one metric has, and one of metric math has not.
_OF_ONE_METRIC = ["Dimensions", "ExtendedStatistic", "MetricName", "Namespace", "Period", "Statistic", "Unit"]

Properties = dict[str, Any]


def extend() -> None:
    """Take alarms of metric math."""
    provisioners._cw_metric_alarm_record = _with_math(provisioners._cw_metric_alarm_record)


def _with_math(record: Callable[[str, Properties], Properties]) -> Callable[[str, Properties], Properties]:
    def metric_alarm_record(name: str, properties: Properties) -> Properties:
        metrics = properties.get("Metrics")
        if not metrics:
            return record(name, properties)
        declared = {**properties, "Metrics": None, "MetricName": "of several", "Namespace": "of several"}
        alarm = {key: value for key, value in record(name, declared).items() if key not in _OF_ONE_METRIC}
        return {**alarm, "Metrics": metrics}

    return metric_alarm_record
