"""The agents of a host, as AWS hears them: the calls that the SSM agent and the ECS agent make, without a host.

Only on the emulator. On AWS an agent also signs with a key that the host alone has, and a host is needed to run tasks.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from lab.anywhere import instances
from lab.isolation import refuse_other_hosts
from lab.runbook import NotMadeError
from lab.target import TargetName

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.deployment import Deployment

#: What the simulated host has: four processors, eight GiB.
_RESOURCES = [
    {"name": "CPU", "type": "INTEGER", "integerValue": 4096},
    {"name": "MEMORY", "type": "INTEGER", "integerValue": 8192},
]


@dataclass
class Agents:
    """A host's agents, once the SSM agent has registered."""

    deployed: Deployment
    instance_id: str
    fingerprint: str
    container_instance: str = ""

    @classmethod
    def register(cls, deployed: Deployment, activation_id: str, code: str) -> Agents:
        """Register as the SSM agent does, which has no credentials yet.

        :raises ClientError: when the activation is not good for it.
        """
        fingerprint = str(uuid.uuid4())
        asked = {"ActivationId": activation_id, "ActivationCode": code, "Fingerprint": fingerprint}
        answer = _ask(deployed, "RegisterManagedInstance", asked)
        return cls(deployed, answer["InstanceId"], fingerprint)

    def session(self) -> boto3.Session:
        """Take the credentials of the host's role, as the SSM agent does for both agents."""
        asked = {"InstanceId": self.instance_id, "Fingerprint": self.fingerprint}
        token = _ask(self.deployed, "RequestManagedInstanceRoleToken", asked)
        session = boto3.Session(
            aws_access_key_id=token["AccessKeyId"],
            aws_secret_access_key=token["SecretAccessKey"],
            aws_session_token=token["SessionToken"],
            region_name=self.deployed.client("ecs").meta.region_name,
        )
        refuse_other_hosts(session)
        return session

    def report(self) -> None:
        """Say that the host is there, with the role's credentials, as the SSM agent does every five minutes."""
        credentials = self.session().get_credentials()
        assert credentials, "the session has no credentials"
        about = {
            "InstanceId": self.instance_id,
            "Hostname": "the-runbook",
            "AgentVersion": "3.3.0.0",
            "PlatformName": "Debian GNU/Linux",
            "PlatformVersion": "12",
        }
        _ask(self.deployed, "UpdateInstanceInformation", about, credentials.get_frozen_credentials())

    def join(self, cluster: str) -> None:
        """Register as a container instance, as the ECS agent does."""
        answer = (
            self.session()
            .client("ecs")
            .register_container_instance(
                cluster=cluster,
                totalResources=_RESOURCES,
                versionInfo={"agentVersion": "1.100.0", "dockerVersion": "DockerVersion: 28.0.0"},
                attributes=[{"name": "ecs.os-type", "value": "linux"}],
            )
        )
        self.container_instance = answer["containerInstance"]["containerInstanceArn"]


@contextmanager
def host(deployed: Deployment) -> Iterator[Agents]:
    """Have a host in the section's cluster for a while, from an activation of its own."""
    with activation(deployed) as (activation_id, code):
        agents = Agents.register(deployed, activation_id, code)
        try:
            agents.report()
            agents.join(deployed.output("ClusterName"))
            yield agents
        finally:
            for left in instances.of_section(deployed):
                if left.instance_id == agents.instance_id:
                    instances.deregister(deployed, left, force=True)


@contextmanager
def activation(deployed: Deployment, **options: Any) -> Iterator[tuple[str, str]]:
    """Have an activation for a while: its id and its code."""
    if deployed.target.name is TargetName.AWS:
        raise NotMadeError("On AWS a host is needed: `lab anywhere register --target aws`, and its script on the host.")
    client = deployed.client("ssm")
    made = client.create_activation(IamRole=deployed.output("RoleName"), **options)
    try:
        yield made["ActivationId"], made["ActivationCode"]
    finally:
        client.delete_activation(ActivationId=made["ActivationId"])


def _ask(deployed: Deployment, operation: str, asked: dict[str, Any], credentials: Any = None) -> dict[str, Any]:
    """Call an operation that is for agents alone, and so in no SDK."""
    client = deployed.client("ssm")
    body = json.dumps(asked).encode()
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"AmazonSSM.{operation}"}
    request = AWSRequest("POST", client.meta.endpoint_url, data=body, headers=headers)
    if credentials:
        frozen = Credentials(credentials.access_key, credentials.secret_key, credentials.token)
        SigV4Auth(frozen, "ssm", client.meta.region_name).add_auth(request)
    prepared = urllib.request.Request(client.meta.endpoint_url, body, dict(request.headers.items()))  # noqa: S310
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(prepared, timeout=30) as response:
            answer: dict[str, Any] = json.loads(response.read() or b"{}")
            return answer
    except urllib.error.HTTPError as error:
        said = json.loads(error.read() or b"{}")
        code, message = said.get("__type", str(error.code)), said.get("message", "")
        raise ClientError({"Error": {"Code": code, "Message": message}}, operation) from None
