"""The role with which Amazon API Gateway writes the logs of every API of an account."""
