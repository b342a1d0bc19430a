"""The role of the Amazon EKS Connector, which shows a cluster that runs elsewhere in the EKS console."""
