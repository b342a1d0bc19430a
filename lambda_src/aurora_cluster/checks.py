"""What AWS would refuse of a cluster's options, so that it is refused before anything is deployed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lambda_src.aurora_cluster.engine import Feature
from lambda_src.aurora_cluster.instances import Provisioned, Serverless

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_src.aurora_cluster.capacity import Capacity
    from lambda_src.aurora_cluster.engine import Engine
    from lambda_src.aurora_cluster.instances import Instance
    from lambda_src.options import Options

_LEAST_MAXIMUM, _EARLIER_MAXIMUM, _LARGEST_MAXIMUM = 1, 128, 256
_SHORTEST_PAUSE, _LONGEST_PAUSE = 300, 86_400
_MOST_INSTANCES = 16
_IDENTIFIER = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
_NAME = r"[A-Za-z][A-Za-z0-9_]{0,62}"


def check_names(
    options: Options, *, cluster_identifier: str, database_name: str, application_user: str, master_user: str
) -> None:
    """Note the names that Amazon RDS or the engines would not take."""
    fits = len(cluster_identifier) <= 63 and re.fullmatch(_IDENTIFIER, cluster_identifier) is not None
    permitted = "up to 63 lower case letters and digits, a letter first, with single hyphens between them"
    options.require(fits, "cluster_identifier", cluster_identifier, permitted)
    for option, name in (("database_name", database_name), ("application_user", application_user)):
        fits = re.fullmatch(_NAME, name) is not None
        options.require(fits, option, name, "1 to 63 letters, digits and _, a letter first")
    own = application_user != master_user
    options.require(own, "application_user", application_user, "another user than the master user")


def check_engine(options: Options, engine: Engine) -> bool:
    """Note an engine that is not one of Aurora's, of which nothing else can be said."""
    permitted = "DatabaseClusterEngine.aurora_postgres(version=...) or aurora_mysql(version=...)"
    options.require(engine.is_known, "engine", str(engine), permitted)
    return engine.is_known


def check_scaling(
    options: Options, instances: Sequence[Instance], capacity: Capacity, *, data_api: bool, engine: Engine
) -> None:
    """Note what is wrong with the engine, with its instances, and with the range in which serverless ones scale."""
    if not check_engine(options, engine):
        return
    check_instances(options, instances, data_api=data_api, engine=engine)
    if any(isinstance(one, Serverless) for one in instances):
        check_capacity(options, capacity, engine)


def check_instances(options: Options, instances: Sequence[Instance], *, data_api: bool, engine: Engine) -> None:
    """Note instances that AWS would not make, or that the Data API would not answer for."""
    number = len(instances)
    permitted = f"1 to {_MOST_INSTANCES}, of which the first is the writer"
    options.require(1 <= number <= _MOST_INSTANCES, "instances", number, permitted)
    if any(isinstance(one, Serverless) for one in instances):
        _require_feature(options, "instances", "Serverless()", Feature.SERVERLESS, engine)
    for one in instances:
        if isinstance(one, Provisioned):
            options.require(0 <= one.promotion_tier <= 15, "promotion_tier", one.promotion_tier, "0 to 15")
            fits = not (data_api and one.is_burstable)
            options.require(
                fits, "instances", one.instance_type.to_string(), "no T class, which the Data API does not support"
            )
    if data_api:
        _require_feature(options, "data_api", True, Feature.DATA_API, engine)


def check_capacity(options: Options, capacity: Capacity, engine: Engine) -> None:
    """Note what is wrong with the range in which serverless instances scale."""
    for option, value, least in (("minimum", capacity.minimum, 0), ("maximum", capacity.maximum, _LEAST_MAXIMUM)):
        within = least <= value <= _LARGEST_MAXIMUM
        options.require(within, f"capacity.{option}", f"{value:g}", f"{least} to {_LARGEST_MAXIMUM} ACUs")
        options.require(value * 2 % 1 == 0, f"capacity.{option}", f"{value:g}", "ACUs come in steps of 0.5")
    ordered = capacity.minimum <= capacity.maximum
    options.require(ordered, "capacity.minimum", f"{capacity.minimum:g}", f"at most the maximum, {capacity.maximum:g}")
    if capacity.maximum > _EARLIER_MAXIMUM:
        _require_feature(options, "capacity.maximum", f"{capacity.maximum:g}", Feature.MAXIMUM_256, engine)
    if capacity.pauses:
        _require_feature(options, "capacity.minimum", 0, Feature.AUTO_PAUSE, engine)
    if capacity.auto_pause:
        seconds = capacity.auto_pause.to_seconds()
        within = _SHORTEST_PAUSE <= seconds <= _LONGEST_PAUSE
        permitted = f"{_SHORTEST_PAUSE} to {_LONGEST_PAUSE:,} s"
        options.require(within, "capacity.auto_pause", f"{seconds:,.0f} s", permitted)
        permitted = f"nothing pauses with a minimum of {capacity.minimum:g}: make it 0, or leave auto_pause out"
        options.require(capacity.pauses, "capacity.auto_pause", f"{seconds:,.0f} s", permitted)


def check_backup(options: Options, days: float) -> None:
    """Note a retention that Aurora does not have."""
    options.require(1 <= days <= 35, "backup_retention", f"{days:g} days", "1 to 35 days")


def _require_feature(options: Options, option: str, value: object, feature: Feature, engine: Engine) -> None:
    options.require(engine.has(feature), option, value, f"{engine} lacks it: {engine.first_with(feature)}")
