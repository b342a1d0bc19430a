"""Aurora PostgreSQL with a real PostgreSQL: the Data API runs SQL, and a cluster that a template makes has a secret.

MiniStack runs a database only in a container, and for a cluster of a template not even then: its Data API pretends.
Here every cluster of ``aurora-postgresql`` has a server of its own: a container of the image that `lab` chose, or the
embedded one. It differs from Aurora in what Aurora adds to PostgreSQL: extensions, the order of texts (here that of
their bytes), capacity, readers and failover.

A call needs ``rds-data:...`` on the cluster and ``secretsmanager:GetSecretValue`` on the secret, as on AWS, and has the
rights of the database user whom the secret names. MiniStack's own containers are not started for any cluster.
"""

from __future__ import annotations

import atexit
import json
from typing import TYPE_CHECKING, Any

from ministack import app
from ministack.core import concurrency
from ministack.services import rds, rds_data, secretsmanager
from ministack.services.cloudformation import provisioners

from lab.emulation.rds import data_api
from lab.emulation.rds.clusters import Clusters
from lab.emulation.rds.data_api import DataApi, Response
from lab.emulation.rds.sessions import Sessions

if TYPE_CHECKING:
    from collections.abc import Callable

HOOKS = [
    "ministack.app._enforce_data_plane(service, iam_action, headers, query_params, request_id, resource_arn, "
    "service_context, auth_error_response, named_resource)",
    "ministack.app._enforce_rds_data(method, path, headers, body, query_params, request_id)",
    "ministack.core.concurrency.run_reentrant(fn, args, thread_name)",
    "ministack.services.cloudformation.provisioners._RESOURCE_HANDLERS",
    "ministack.services.cloudformation.provisioners._cfn_bool",
    "ministack.services.cloudformation.provisioners._rds_db_cluster_attrs(cluster)",
    "ministack.services.cloudformation.provisioners._rds_db_cluster_create(logical_id, props, stack_name)",
    "ministack.services.cloudformation.provisioners._rds_db_cluster_delete(physical_id, props)",
    "ministack.services.rds._ACTION_MAP",
    "ministack.services.rds._clusters",
    "ministack.services.rds._delete_db_cluster(p)",
    "ministack.services.rds._generate_master_user_password()",
    "ministack.services.rds._get_docker()",
    "ministack.services.rds._p(params, key, default)",
    "ministack.services.rds._resolve_cluster_in_request_region(cluster_id)",
    "ministack.services.rds_data.handle_request(method, path, headers, body, query_params)",
    "ministack.services.secretsmanager.create_secret_in_process",
    "ministack.services.secretsmanager.delete_secret_in_process",
    *data_api.HOOKS,
]
_CLUSTER = "AWS::RDS::DBCluster"

Properties = dict[str, Any]
Made = tuple[str, dict[str, str]]


def extend() -> None:
    """Put servers behind clusters, and the Data API before the servers."""
    sessions = Sessions()
    clusters = Clusters(sessions)
    atexit.register(clusters.stop)
    rds._get_docker = lambda: None
    _extend_data_api(DataApi(clusters, sessions))
    _extend_cloudformation(clusters)
    rds._ACTION_MAP["DeleteDBCluster"] = _with_server_removed(rds._delete_db_cluster, clusters)


def _extend_data_api(api: DataApi) -> None:
    enforce = app._enforce_rds_data

    def enforce_secret_too(*request: Any) -> Response | None:
        _, _, headers, body, query, request_id = request
        refusal: Response | None = enforce(*request)
        secret = _secret_of(body)
        if refusal is None and secret:
            refusal = app._enforce_data_plane(
                *("rds-data", "secretsmanager:GetSecretValue", headers, query, request_id),
                resource_arn=secret,
                named_resource=secret,
            )
        return refusal

    async def handle_request(_: str, path: str, __: dict[str, str], body: bytes, ___: dict[str, Any]) -> Response:
        # A thread each: a statement may wait for another call, which would find no thread in a pool.
        answer: Response = await concurrency.run_reentrant(api.answer, path, body)
        return answer

    app._enforce_rds_data = enforce_secret_too
    rds_data.handle_request = handle_request


def _secret_of(body: bytes) -> str | None:
    try:
        request = json.loads(body)
    except ValueError:
        return None
    return request.get("secretArn") if isinstance(request, dict) else None


def _extend_cloudformation(clusters: Clusters) -> None:
    create, delete, attributes = (
        provisioners._rds_db_cluster_create,
        provisioners._rds_db_cluster_delete,
        provisioners._rds_db_cluster_attrs,
    )

    def attributes_with_secret(cluster: dict[str, Any]) -> dict[str, str]:
        secret = cluster.get("MasterUserSecret")
        return {**attributes(cluster), **({"MasterUserSecret.SecretArn": secret["SecretArn"]} if secret else {})}

    def create_with_secret(logical_id: str, properties: Properties, stack: str) -> Made:
        identifier, _ = create(logical_id, properties, stack)
        cluster = rds._clusters[identifier]
        if provisioners._cfn_bool(properties.get("ManageMasterUserPassword", False)):
            _manage_password(cluster, properties)
        return identifier, attributes_with_secret(cluster)

    def delete_with_server(identifier: str, properties: Properties) -> None:
        cluster = rds._clusters.get(identifier)
        delete(identifier, properties)
        if cluster:
            clusters.remove(cluster)
            _forget_secret(cluster)

    provisioners._rds_db_cluster_attrs = attributes_with_secret
    provisioners._rds_db_cluster_create = create_with_secret
    provisioners._rds_db_cluster_delete = delete_with_server
    provisioners._RESOURCE_HANDLERS[_CLUSTER] |= {"create": create_with_secret, "delete": delete_with_server}


def _manage_password(cluster: dict[str, Any], properties: Properties) -> None:
    cluster["_MasterUserPassword"] = rds._generate_master_user_password()
    content = {"username": cluster["MasterUsername"], "password": cluster["_MasterUserPassword"]}
    name = f"rds!{cluster['DbClusterResourceId'].lower()}"
    cluster["MasterUserSecret"] = {
        "SecretArn": secretsmanager.create_secret_in_process(
            name, json.dumps(content), description=f"The secret associated with the cluster {cluster['DBClusterArn']}"
        ),
        "SecretStatus": "active",
        "KmsKeyId": (properties.get("MasterUserSecret") or {}).get("KmsKeyId", ""),
    }


def _forget_secret(cluster: dict[str, Any]) -> None:
    if secret := cluster.get("MasterUserSecret"):
        secretsmanager.delete_secret_in_process(secret["SecretArn"])


def _with_server_removed(delete: Callable[[Any], Response], clusters: Clusters) -> Callable[[Any], Response]:
    def delete_db_cluster(p: Any) -> Response:
        cluster = rds._resolve_cluster_in_request_region(rds._p(p, "DBClusterIdentifier"))
        response = delete(p)
        if cluster and response[0] == 200:
            clusters.remove(cluster)
        return response

    return delete_db_cluster
