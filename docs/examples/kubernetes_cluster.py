"""A cluster with Auto Mode, whose pods of one service account may read one bucket."""

from aws_cdk import App, CfnOutput, Stack
from aws_cdk import aws_s3 as s3

from lambda_src.kubernetes_cluster.compute import Compute
from lambda_src.kubernetes_cluster.construct import KubernetesCluster
from lambda_src.network.construct import Egress, Network

app = App()
stack = Stack(app, "Shop")
cluster = KubernetesCluster(
    stack,
    "Cluster",
    vpc=Network(stack, "Network", egress=Egress.INTERNET),
    compute=Compute.AUTO_MODE,
    public_access_from=["203.0.113.0/24"],
    administrators=["arn:aws:iam::111122223333:role/Platform"],
)
pictures = s3.Bucket(stack, "Pictures", enforce_ssl=True)
pictures.grant_read(cluster.workload_role("Reader", namespace="shop", service_account="reader"))
CfnOutput(stack, "ClusterName", value=cluster.cluster_name)
app.synth()
