"""A container image as a service on AWS Fargate, behind a load balancer."""
