"""An environment of AWS Elastic Beanstalk with X-Ray switched on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aws_cdk import aws_elasticbeanstalk as elasticbeanstalk

from lambda_src.acknowledged import acknowledge
from lambda_src.options import checked
from lambda_src.posture import Posture

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Construct


class TracedEnvironment(elasticbeanstalk.CfnEnvironment):
    """A web server environment: X-Ray is one option setting, and health, updates and logs are a few more.

    The setting starts the X-Ray daemon that comes with the platform, on each instance. Its support ends on 2027-02-25;
    an application that speaks OpenTelemetry sends to an agent of its own instead.

    :param application_name: of the application that it belongs to.
    :param solution_stack_name: the platform and its version, as ``aws elasticbeanstalk list-available-solution-stacks``
        lists them.
    :param instance_profile: of its instances; ``aws-elasticbeanstalk-ec2-role``, which Elastic Beanstalk's console
        makes, may send traces.
    :param service_role: with which Elastic Beanstalk looks after it.
    :param vpc_id: where its instances are; by default the region's default VPC.
    :param subnet_ids: of the instances; needs ``vpc_id``.
    :param option_settings: more settings, or other values, by namespace and name.
    :param posture: how long logs are kept, and whether they outlive the environment.
    :raises ValueError: naming every option that is wrong.

    Source: https://docs.aws.amazon.com/elasticbeanstalk/latest/dg/environment-configuration-debugging.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        application_name: str,
        solution_stack_name: str,
        instance_profile: str = "aws-elasticbeanstalk-ec2-role",
        service_role: str = "aws-elasticbeanstalk-service-role",
        vpc_id: str | None = None,
        subnet_ids: tuple[str, ...] = (),
        option_settings: Mapping[tuple[str, str], str] | None = None,
        posture: Posture = Posture.LAB,
    ) -> None:
        """Check the options, then make the environment."""
        with checked(TracedEnvironment, scope, construct_id) as options:
            supported = re.fullmatch(r"64bit Amazon Linux 2023 v[\d.]+ running .+", solution_stack_name) is not None
            options.require(
                supported,
                "solution_stack_name",
                solution_stack_name or "not given",
                'a platform on Amazon Linux 2023, "64bit Amazon Linux 2023 v... running ...", as `aws elasticbeanstalk '
                "list-available-solution-stacks` lists them: it offers the newest version of each, and no older one",
            )
            both = (vpc_id is None) == (not subnet_ids)
            named = ", ".join(subnet_ids) or "empty"
            options.require(both, "subnet_ids", named, "give vpc_id and subnet_ids, or neither")
        settings = {
            ("aws:elasticbeanstalk:xray", "XRayEnabled"): "true",
            **_settings(instance_profile, service_role, posture),
            **({("aws:ec2:vpc", "VPCId"): vpc_id, ("aws:ec2:vpc", "Subnets"): ",".join(subnet_ids)} if vpc_id else {}),
            **(option_settings or {}),
        }
        super().__init__(
            scope,
            construct_id,
            application_name=application_name,
            solution_stack_name=solution_stack_name,
            option_settings=[
                elasticbeanstalk.CfnEnvironment.OptionSettingProperty(
                    namespace=namespace, option_name=name, value=value
                )
                for (namespace, name), value in settings.items()
            ],
        )
        if vpc_id is None:
            acknowledge(
                self,
                "AwsSolutions-EB1",
                reason="No vpc_id was given: Elastic Beanstalk uses the region's default VPC, as its console does. Its "
                "security group lets HTTP in and nothing else; give a VPC of your own for anything but a trial.",
            )


def _settings(instance_profile: str, service_role: str, posture: Posture) -> dict[tuple[str, str], str]:
    """What an environment should have beside X-Ray.

    Source: https://docs.aws.amazon.com/elasticbeanstalk/latest/dg/command-options-general.html
    """
    updates, logs = "aws:elasticbeanstalk:managedactions", "aws:elasticbeanstalk:cloudwatch:logs"
    return {
        ("aws:autoscaling:launchconfiguration", "IamInstanceProfile"): instance_profile,
        ("aws:autoscaling:launchconfiguration", "DisableIMDSv1"): "true",
        ("aws:elasticbeanstalk:environment", "ServiceRole"): service_role,
        ("aws:elasticbeanstalk:environment", "EnvironmentType"): "LoadBalanced"
        if posture.protects_data
        else "SingleInstance",
        ("aws:elasticbeanstalk:healthreporting:system", "SystemType"): "enhanced",
        (updates, "ManagedActionsEnabled"): "true",
        (updates, "PreferredStartTime"): "Sun:03:00",
        (f"{updates}:platformupdate", "UpdateLevel"): "minor",
        ("aws:elasticbeanstalk:hostmanager", "LogPublicationControl"): "true",
        (logs, "StreamLogs"): "true",
        (logs, "DeleteOnTerminate"): str(not posture.protects_data).lower(),
        (logs, "RetentionInDays"): "365" if posture.protects_data else "7",
    }
