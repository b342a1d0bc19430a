"""A web server on any Kubernetes: its manifests, written once in Python."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import cdk8s
import cdk8s_plus_35 as kplus
from cdk8s_plus_35 import k8s

from lambda_src.options import checked
from lambda_src.web_workload.fargate_logs import FargateLogs, add_fargate_logs

if TYPE_CHECKING:
    from constructs import Construct

    from lambda_src.options import Options

_LABEL = "app.kubernetes.io/name"
_NAME = r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?"
# With its tag or its digest: what runs must not change when somebody pushes. An address may hold a token.
_PINNED = r".+(:[\w.-]{1,128}|@sha256:[0-9a-f]{64})"
_USER = 65532
# Of a scheduling preference.
_HIGHEST_WEIGHT = 100


class WebWorkload(cdk8s.Chart):
    """A deployment, its service and its namespace, which restricted Pod Security admits.

    The pods run as a user who is not root, on a read-only root file system, with no capability and no token of the
    cluster's API; they get traffic when they are ready, and are started again when they are not alive. They are on
    different nodes and in different zones where there are enough, and while nodes are drained, one at a time is gone.
    Nobody reaches them but on their port, and they reach nothing but the cluster's DNS.

    It is a chart of cdk8s: ``cdk8s.App().synth_yaml()`` gives what ``kubectl apply -f -`` takes.

    :param image: with its tag, or better its digest.
    :param namespace: that the manifests make, 1 to 63 lower case letters, digits and hyphens.
    :param port: on which the container listens, above 1024.
    :param health_path: which it answers with 200 while it is well.
    :param cpu_millis: thousandths of a processor that a pod gets, 50 to 16,000.
    :param memory_mib: memory that a pod gets, in MiB, 32 to 122,880.
    :param min_pods: at least so many, 2 or more.
    :param max_pods: at most so many; CPU use of 60 % in between.
    :param fargate_logs: where AWS Fargate sends what the pods print; by default nowhere.
    :raises ValueError: naming every option outside its range.

    Source: https://docs.aws.amazon.com/eks/latest/best-practices/pod-security.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        image: str,
        namespace: str = "web",
        port: int = 8080,
        health_path: str = "/health.txt",
        cpu_millis: int = 250,
        memory_mib: int = 128,
        min_pods: int = 2,
        max_pods: int = 6,
        fargate_logs: FargateLogs | None = None,
    ) -> None:
        """Check the options, then write the manifests."""
        with checked(WebWorkload, scope, construct_id) as options:
            _check_container(options, image, port, health_path)
            options.require(re.fullmatch(_NAME, namespace) is not None, "namespace", namespace, "such as web")
            options.require(50 <= cpu_millis <= 16_000, "cpu_millis", cpu_millis, "50 to 16,000")
            options.require(32 <= memory_mib <= 122_880, "memory_mib", f"{memory_mib} MiB", "32 to 122,880")
            options.require(min_pods >= 2, "min_pods", min_pods, "2 or more, or a drained node leaves none")
            options.require(max_pods >= min_pods, "max_pods", max_pods, f"min_pods ({min_pods}) or more")
        super().__init__(
            scope, construct_id, namespace=namespace, disable_resource_name_hashes=True, labels={_LABEL: construct_id}
        )
        kplus.Namespace(
            self,
            "namespace",
            metadata=cdk8s.ApiObjectMetadata(
                name=namespace, labels={"pod-security.kubernetes.io/enforce": "restricted"}
            ),
        )
        self.deployment = self._deployment(construct_id)
        self._add_container(image, port, health_path, cpu_millis, memory_mib)
        #: Inside the cluster, at ``http://<name>.<namespace>``.
        self.service: kplus.Service = self.deployment.expose_via_service(
            name=construct_id, ports=[kplus.ServicePort(port=80, target_port=port)]
        )
        self._scale(min_pods, max_pods)
        self._protect(construct_id, port)
        if fargate_logs:
            add_fargate_logs(self, fargate_logs)

    def _deployment(self, name: str) -> kplus.Deployment:
        deployment = kplus.Deployment(
            self,
            "deployment",
            metadata=cdk8s.ApiObjectMetadata(name=name),
            pod_metadata=cdk8s.ApiObjectMetadata(labels={_LABEL: name}),
            automount_service_account_token=False,
            enable_service_links=False,
            # A load balancer goes on for a moment after a pod was told to end.
            termination_grace_period=cdk8s.Duration.seconds(30),
            security_context=kplus.PodSecurityContextProps(ensure_non_root=True, user=_USER, group=_USER),
        )
        # Preferred: `spread=True` would require it, and leave pods without a place that outnumber the zones.
        for topology in (kplus.Topology.HOSTNAME, kplus.Topology.ZONE):
            deployment.scheduling.spread(topology=topology, weight=_HIGHEST_WEIGHT)
        return deployment

    def _add_container(self, image: str, port: int, health_path: str, cpu_millis: int, memory_mib: int) -> None:
        cpu, memory = kplus.Cpu.millis(cpu_millis), cdk8s.Size.mebibytes(memory_mib)
        well = kplus.Probe.from_http_get(health_path, port=port)
        self.deployment.add_container(
            name="web",
            image=image,
            image_pull_policy=kplus.ImagePullPolicy.IF_NOT_PRESENT,
            port_number=port,
            startup=kplus.Probe.from_http_get(health_path, port=port, failure_threshold=30),
            readiness=well,
            liveness=kplus.Probe.from_http_get(health_path, port=port, failure_threshold=6),
            resources=kplus.ContainerResources(
                cpu=kplus.CpuResources(request=cpu, limit=cpu),
                memory=kplus.MemoryResources(request=memory, limit=memory),
            ),
            security_context=kplus.ContainerSecurityContextProps(
                ensure_non_root=True,
                user=_USER,
                group=_USER,
                read_only_root_filesystem=True,
                allow_privilege_escalation=False,
                capabilities=kplus.ContainerSecutiryContextCapabilities(drop=[kplus.Capability.ALL]),
                seccomp_profile=kplus.SeccompProfile(type=kplus.SeccompProfileType.RUNTIME_DEFAULT),
            ),
        )

    def _scale(self, min_pods: int, max_pods: int) -> None:
        kplus.HorizontalPodAutoscaler(
            self,
            "autoscaler",
            target=self.deployment,
            min_replicas=min_pods,
            max_replicas=max_pods,
            metrics=[kplus.Metric.resource_cpu(kplus.MetricTarget.average_utilization(60))],
        )

    def _protect(self, name: str, port: int) -> None:
        pods = k8s.LabelSelector(match_labels={_LABEL: name})
        k8s.KubePodDisruptionBudget(
            self,
            "disruption-budget",
            spec=k8s.PodDisruptionBudgetSpec(max_unavailable=k8s.IntOrString.from_number(1), selector=pods),
        )
        dns = [
            k8s.NetworkPolicyPort(port=k8s.IntOrString.from_number(53), protocol=protocol)
            for protocol in ("UDP", "TCP")
        ]
        system = k8s.LabelSelector(match_labels={"kubernetes.io/metadata.name": "kube-system"})
        k8s.KubeNetworkPolicy(
            self,
            "network-policy",
            spec=k8s.NetworkPolicySpec(
                pod_selector=pods,
                policy_types=["Ingress", "Egress"],
                ingress=[
                    k8s.NetworkPolicyIngressRule(
                        ports=[k8s.NetworkPolicyPort(port=k8s.IntOrString.from_number(port), protocol="TCP")]
                    )
                ],
                egress=[k8s.NetworkPolicyEgressRule(ports=dns, to=[k8s.NetworkPolicyPeer(namespace_selector=system)])],
            ),
        )


def _check_container(options: Options, image: str, port: int, health_path: str) -> None:
    pinned = re.fullmatch(_PINNED, image) is not None and not image.endswith(":latest")
    options.require(pinned, "image", image, "an image with its tag, not latest, or its digest")
    options.require(1024 < port <= 65_535, "port", port, "1,025 to 65,535: lower ones are root's")
    options.require(health_path.startswith("/"), "health_path", health_path, "a path, such as /health.txt")
