"""A sampling rule: how many of the requests that it matches are traced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_xray as xray

from lambda_src.options import checked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Construct


class SamplingRule(xray.CfnSamplingRule):
    """Traces the first ``reservoir_size`` matching requests of each second, and of the others the part ``fixed_rate``.

    The first service of a request that reads sampling rules decides: the stage of an API, or an instrumented
    application. Rules are asked in the order of their priorities, the lowest number first, and are the whole account's
    and region's: say which ``service_name`` a rule is for, or it decides for everybody's. A request that no rule
    matches is decided by X-Ray's own rule ``Default``: one a second, and 5 % of the others.

    In every pattern ``*`` stands for any text and ``?`` for any one character; by default a pattern matches anything.

    :param rule_name: 1 to 32 characters, unique in the account and region.
    :param priority: 1, asked first, to 9,999.
    :param fixed_rate: which part of the requests beyond the reservoir is traced, 0 to 1.
    :param reservoir_size: requests a second that are traced before the rate counts, 0 or more; of all services that
        the rule matches together.
    :param service_name: of the service that decides, as traces name it; of a stage, ``api/stage``; 64 characters at
        most.
    :param service_type: its origin, such as ``AWS::ApiGateway::Stage``; 64 characters at most.
    :param resource_arn: the resource that it runs on; 500 characters at most.
    :param host: of the request; 64 characters at most.
    :param http_method: of the request; 10 characters at most.
    :param url_path: of the request, 128 characters at most; API Gateway does not tell it, so leave it out for a stage.
    :param attributes: what the service says of the request, five pairs at most, of 1 to 32 characters each.
    :raises ValueError: naming every option outside its range.

    Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-console-sampling.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        rule_name: str,
        priority: int,
        fixed_rate: float,
        reservoir_size: int = 0,
        service_name: str = "*",
        service_type: str = "*",
        resource_arn: str = "*",
        host: str = "*",
        http_method: str = "*",
        url_path: str = "*",
        attributes: Mapping[str, str] | None = None,
    ) -> None:
        """Check the options, then make the rule."""
        patterns = {
            "service_name": (service_name, 64),
            "service_type": (service_type, 64),
            "resource_arn": (resource_arn, 500),
            "host": (host, 64),
            "http_method": (http_method, 10),
            "url_path": (url_path, 128),
        }
        with checked(SamplingRule, scope, construct_id) as options:
            options.require(1 <= len(rule_name) <= 32, "rule_name", rule_name, "1 to 32 characters")
            options.require(rule_name != "Default", "rule_name", rule_name, "that is X-Ray's own")
            options.require(1 <= priority <= 9999, "priority", priority, "1 to 9,999")
            options.require(0 <= fixed_rate <= 1, "fixed_rate", fixed_rate, "0 to 1, the part of the requests")
            options.require(reservoir_size >= 0, "reservoir_size", reservoir_size, "0 or more requests a second")
            for option, (pattern, most) in patterns.items():
                options.require(1 <= len(pattern) <= most, option, pattern, f"1 to {most} characters, * for anything")
            pairs = (attributes or {}).items()
            options.require(len(pairs) <= 5, "attributes", len(pairs), "five pairs at most")
            short = all(1 <= len(text) <= 32 for pair in pairs for text in pair)
            options.require(short, "attributes", dict(pairs), "1 to 32 characters in each key and value")
        super().__init__(
            scope,
            construct_id,
            sampling_rule=xray.CfnSamplingRule.SamplingRuleProperty(
                rule_name=rule_name,
                priority=priority,
                fixed_rate=fixed_rate,
                reservoir_size=reservoir_size,
                service_name=service_name,
                service_type=service_type,
                resource_arn=resource_arn,
                host=host,
                http_method=http_method,
                url_path=url_path,
                attributes=attributes,
                version=1,
            ),
        )
