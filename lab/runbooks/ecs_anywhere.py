"""ECS Anywhere: a host registers with an activation, joins the cluster, gets the service's task, and leaves again."""

from __future__ import annotations

import json
import re
import stat
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lab.anywhere import activations, installation, instances
from lab.engine import containers, discovery, service
from lab.runbook import Evidence, NotMadeError, Runbook, wait_for
from lab.runbooks.ecs_anywhere_agents import Agents, activation, host
from lab.runbooks.told_events import told
from lab.target import TargetName

if TYPE_CHECKING:
    from lab.deployment import Deployment

runbook = Runbook()
_INSTALLED = ("install_ssm_agent", "install_docker", "install_ecs_agent")


@runbook.check("The cluster is managed by AWS alone: no network, no instances, no capacity", evidence=Evidence.TEMPLATE)
def cluster_is_all_there_is(deployed: Deployment) -> str:
    """No orchestration software to install, and nothing that costs something before a host is there."""
    kinds = {resource["Type"] for resource in deployed.template()["Resources"].values()}
    made = sorted(kind for kind in kinds if kind.startswith(("AWS::EC2", "AWS::AutoScaling", "AWS::ECS::Capacity")))
    assert not made, f"there is more: {', '.join(made)}"
    return f"{len(kinds)} types of resources, none of Amazon EC2"


@runbook.check("The service has the launch type EXTERNAL, and no load balancer", evidence=Evidence.CONTROL_PLANE_ONLY)
def service_is_external(deployed: Deployment) -> str:
    """Inbound traffic has to find the host's port by itself; one task on each host unless `-c tasks=...`."""
    described, client = _service(deployed), deployed.client("ecs")
    definition = client.describe_task_definition(taskDefinition=described["taskDefinition"])["taskDefinition"]
    assert described["launchType"] == "EXTERNAL", f"it is {described['launchType']}"
    assert not described.get("loadBalancers"), f"behind {described['loadBalancers']}"
    assert "EXTERNAL" in definition["requiresCompatibilities"], f"for {definition['requiresCompatibilities']}"
    return f"{described['schedulingStrategy']}, {definition['networkMode']} network"


@runbook.check(
    "The script has the activation and what it installs, is for its owner alone, and has no activation code in it",
    evidence=Evidence.EMULATED,
)
def script_keeps_the_code_out(deployed: Deployment) -> str:
    """What `lab anywhere register` writes: SSM activation, commands for SSM agent, ECS agent and Docker."""
    with activation(deployed) as (activation_id, code), tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "host"
        [made] = [one for one in activations.of_section(deployed) if one.id == activation_id]
        installation.prepare(folder)
        installation.write(folder, made, code)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
        open_to_others = [name for name, mode in modes.items() if mode != 0o600]
        assert not open_to_others, f"others can read {', '.join(open_to_others)}"
        holders = [path.name for path in folder.iterdir() if code in path.read_text()]
        assert holders == [installation.CODE], f"the code is in {', '.join(holders)}"
        script = (folder / installation.SCRIPT).read_text()
        assert f"ACTIVATION_ID='{activation_id}'" in script, "the script is for another activation"
        lacking = [one for one in _INSTALLED if not re.search(rf"^{one}$", script, re.MULTILINE)]
        assert not lacking, f"the script does not call {', '.join(lacking)}"
    return f"{len(modes)} files with the mode 0600, the code in one of its own; {', '.join(_INSTALLED)}"


@runbook.check("A host registers with its activation once, and with nothing else", evidence=Evidence.EMULATED)
def activation_registers_hosts(deployed: Deployment) -> str:
    """A wrong code, a second host where one may, and an activation that was deleted are refused."""
    with activation(deployed) as (activation_id, code):
        wrong = _refusal(deployed, activation_id, f"{code}x")
        agents = Agents.register(deployed, activation_id, code)
        used_up = _refusal(deployed, activation_id, code)
        [counted] = [one.registered for one in activations.of_section(deployed) if one.id == activation_id]
        agents.report()
        [found] = [one for one in instances.of_section(deployed) if one.instance_id == agents.instance_id]
        instances.deregister(deployed, found, force=True)
    deleted = _refusal(deployed, activation_id, code)
    assert found.ping == "Online", f"Systems Manager says {found.ping}"
    assert counted == 1, f"{counted} hosts are counted"
    return f"1 registered; refused: wrong code ({wrong}), used up ({used_up}), deleted ({deleted})"


@runbook.check("An activation that expired registers nobody", evidence=Evidence.EMULATED)
def expired_activation_is_refused(deployed: Deployment) -> str:
    """Made for two seconds; the installation script looks at the time before it changes anything."""
    expires = datetime.now(timezone.utc) + timedelta(seconds=2)
    with activation(deployed, ExpirationDate=expires) as (activation_id, code):
        before = [one.expired for one in activations.of_section(deployed) if one.id == activation_id]
        time.sleep(max(0.0, (expires - datetime.now(timezone.utc)).total_seconds()) + 0.1)
        refused = _refusal(deployed, activation_id, code)
        after = [one.expired for one in activations.of_section(deployed) if one.id == activation_id]
    assert (before, after) == ([False], [True]), f"expired: {before} before, {after} after"
    return f"refused: {refused}"


@runbook.check("A host joins this cluster with its role, and may join no other", evidence=Evidence.EMULATED)
def role_joins_one_cluster(deployed: Deployment) -> str:
    """With the credentials that Systems Manager gives the host: the role's policy is in force."""
    client = deployed.client("ecs")
    with host(deployed) as agents:
        [joined] = [one for one in instances.of_section(deployed) if one.instance_id == agents.instance_id]
        assert joined.connected, "its agent is not connected"
        assert joined.status == "ACTIVE", f"it is {joined.status}"
        other = client.create_cluster(clusterName="runbook-other")["cluster"]["clusterName"]
        try:
            agents.session().client("ecs").register_container_instance(cluster=other, totalResources=[])
        except ClientError as error:
            refused = error.response["Error"]["Code"]
        else:
            raise AssertionError("it may join another cluster")
        finally:
            client.delete_cluster(cluster=other)
    assert refused == "AccessDeniedException", f"refused with {refused}"
    return f"{joined.instance_id} is active; another cluster: {refused}"


@runbook.check("A task is placed on a host, and nowhere without one", evidence=Evidence.EMULATED)
def tasks_are_placed_on_hosts(deployed: Deployment) -> str:
    """The service's task comes with the host and goes with it; RunTask alone says that there is no host."""
    _without_hosts(deployed)
    client, cluster = deployed.client("ecs"), deployed.output("ClusterName")
    definition = _service(deployed)["taskDefinition"]
    try:
        client.run_task(cluster=cluster, taskDefinition=definition, launchType="EXTERNAL")
    except ClientError as error:
        refused = error.response["Error"]["Code"]
    else:
        raise AssertionError("a task was started without a host")
    assert refused == "InvalidParameterException", f"refused with {refused}"
    with host(deployed) as agents:
        assert wait_for(lambda: bool(_tasks(deployed, agents)), seconds=60), "the service placed no task on the host"
        placed = _tasks(deployed, agents)
    assert wait_for(lambda: not _tasks(deployed, agents), seconds=60), "its task is still there, and the host is not"
    return f"{len(placed)} task on {agents.instance_id}; without a host: {refused}"


@runbook.check("The host's task is a container that is healthy and logs", evidence=Evidence.REAL_CONTAINER)
def task_really_runs(deployed: Deployment) -> str:
    """The container engine of this machine runs what is placed on the host; a killed container is replaced."""
    if deployed.target.name is TargetName.LOCAL and service.lent() is None:
        raise NotMadeError(f"No container runs: {discovery.INSTALL}, then `lab reset` and `lab run ecs-anywhere`.")
    with host(deployed) as agents:
        first = _healthy_task(deployed, agents)
        [container] = containers.of_task(first)
        containers.kill(container)
        assert wait_for(lambda: first not in _tasks(deployed, agents), seconds=60), "the killed task is still there"
        second = _healthy_task(deployed, agents)
        stream = f"application/Application/{second.rpartition('/')[2]}"
        assert wait_for(lambda: bool(_log(deployed, stream)), seconds=60), f"no log in {stream}"
        logged = _log(deployed, stream)
    assert any("serving" in line for line in logged), f"it logged {logged}"
    return f"healthy, replaced when it was killed, {len(logged)} lines logged"


@runbook.check("A host that leaves is drained first, and is gone from both services", evidence=Evidence.EMULATED)
def host_is_deregistered(deployed: Deployment) -> str:
    """What `lab anywhere deregister` does: no new tasks, the end of the old ones, Amazon ECS, Systems Manager."""
    client, cluster = deployed.client("ecs"), deployed.output("ClusterName")
    with host(deployed) as agents:
        has_tasks = wait_for(lambda: bool(_tasks(deployed, agents)), seconds=60)
        assert has_tasks, "no task was placed on it"
        placed = _tasks(deployed, agents)
        [joined] = [one for one in instances.of_section(deployed) if one.instance_id == agents.instance_id]
        # Amazon ECS itself deregisters no instance that has tasks, unless it is forced to.
        instances.deregister(deployed, joined, force=False)
        ended = {one["lastStatus"] for one in client.describe_tasks(cluster=cluster, tasks=placed)["tasks"]}
        assert ended == {"STOPPED"}, f"its tasks are {', '.join(sorted(ended))}"
        left = [one.instance_id for one in instances.of_section(deployed)]
        assert agents.instance_id not in left, f"it is still listed: {left}"
        try:
            agents.session()
        except ClientError as error:
            refused = error.response["Error"]["Code"]
        else:
            raise AssertionError("it still gets credentials")
    return f"tasks that ended: {len(placed)}; credentials: {refused}"


@runbook.check(
    "An agent that loses its connection is told to the topic, of this cluster alone", evidence=Evidence.EMULATED
)
def disconnection_is_told(deployed: Deployment) -> str:
    """Events of the published shape, put by hand: those of AWS are AWS's alone to send."""
    [arn] = [
        one["clusterArn"]
        for one in deployed.client("ecs").describe_clusters(clusters=[deployed.output("ClusterName")])["clusters"]
    ]
    return told(
        deployed,
        [_state_change(arn, connected=False)],
        others=[
            _state_change(arn, connected=True),
            _state_change(arn, connected=False, status="INACTIVE"),
            _state_change(f"{arn}-of-others", connected=False),
        ],
    )


@runbook.check("The hosts' role is for AWS Systems Manager of this account alone", evidence=Evidence.CONTROL_PLANE_ONLY)
def role_trusts_one_account(deployed: Deployment) -> str:
    """The trust policy as it is deployed: the service, the account, and managed instances of the region."""
    role = deployed.client("iam").get_role(RoleName=deployed.output("RoleName"))["Role"]
    document = role["AssumeRolePolicyDocument"]
    [statement] = (json.loads(document) if isinstance(document, str) else document)["Statement"]
    account, arn = (statement["Condition"][key] for key in ("StringEquals", "ArnEquals"))
    assert statement["Principal"] == {"Service": "ssm.amazonaws.com"}, f"for {statement['Principal']}"
    assert account == {"aws:SourceAccount": role["Arn"].split(":")[4]}, f"for the account {account}"
    assert arn["aws:SourceArn"].endswith(f":{account['aws:SourceAccount']}:*"), f"for {arn}"
    return f"{statement['Principal']['Service']}, account {account['aws:SourceAccount']}"


@runbook.check("A host of one's own is connected, and runs its task", evidence=Evidence.AWS_ONLY)
def real_host_runs_its_task(deployed: Deployment) -> str:
    """Needs a host on which the script of `lab anywhere register --target aws` has run."""
    connected = [one for one in instances.of_section(deployed) if one.connected]
    if not connected:
        raise NotMadeError("No host is connected: `lab anywhere register --target aws`, and its script on the host.")
    idle = [one.instance_id for one in connected if not one.tasks]
    assert not idle, f"no task on {', '.join(idle)}"
    return f"{len(connected)} hosts, {sum(one.tasks for one in connected)} tasks"


def _service(deployed: Deployment) -> dict[str, Any]:
    [described] = deployed.client("ecs").describe_services(
        cluster=deployed.output("ClusterName"), services=[deployed.output("ServiceName")]
    )["services"]
    return dict(described)


def _tasks(deployed: Deployment, agents: Agents) -> list[str]:
    """List the service's tasks that should run on the host."""
    client, cluster = deployed.client("ecs"), deployed.output("ClusterName")
    arns = client.list_tasks(cluster=cluster, serviceName=deployed.output("ServiceName"))["taskArns"]
    tasks = client.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []
    return [
        task["taskArn"]
        for task in tasks
        if task["containerInstanceArn"] == agents.container_instance and task["lastStatus"] != "STOPPED"
    ]


def _healthy_task(deployed: Deployment, agents: Agents) -> str:
    """Wait for the service's task on the host, and until its health check passes."""
    client, cluster = deployed.client("ecs"), deployed.output("ClusterName")

    def health() -> dict[str, str]:
        arns = _tasks(deployed, agents)
        described = client.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []
        return {task["taskArn"]: task["healthStatus"] for task in described}

    assert wait_for(lambda: [*health().values()] == ["HEALTHY"], seconds=120), f"the task is not healthy: {health()}"
    [healthy] = health()
    return healthy


def _log(deployed: Deployment, stream: str) -> list[str]:
    client, group = deployed.client("logs"), deployed.output("LogGroupName")
    try:
        events = client.get_log_events(logGroupName=group, logStreamName=stream)["events"]
    except client.exceptions.ResourceNotFoundException:
        return []
    return [event["message"] for event in events]


def _without_hosts(deployed: Deployment) -> None:
    there = [one.instance_id for one in instances.of_section(deployed)]
    if there:
        raise NotMadeError(f"There are hosts ({', '.join(there)}): `lab anywhere deregister` takes them out.")


def _refusal(deployed: Deployment, activation_id: str, code: str) -> str:
    try:
        Agents.register(deployed, activation_id, code)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    raise AssertionError("a host was registered that should have been refused")


def _state_change(cluster: str, *, connected: bool, status: str = "ACTIVE") -> dict[str, Any]:
    detail = {"clusterArn": cluster, "ec2InstanceId": "mi-0123456789abcdef0", "agentConnected": connected}
    return {
        "source": "by-hand.aws.ecs",
        "detail-type": "ECS Container Instance State Change",
        "detail": {**detail, "status": status},
    }
