"""Two clusters outside AWS may be registered, and no others."""

from aws_cdk import App, CfnOutput, Stack

from lambda_src.eks_connector_role.construct import EksConnectorRole

app = App()
stack = Stack(app, "Clusters")
connector = EksConnectorRole(stack, "Connector", cluster_names=["factory", "warehouse"])
CfnOutput(stack, "ConnectorRoleArn", value=connector.role_arn)
app.synth()
