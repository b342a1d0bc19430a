"""Clusters of Amazon EKS Anywhere as Python: typed specifications, and the rules that make one possible.

Nothing here knows the CDK: a cluster outside AWS is no CloudFormation resource.
"""
