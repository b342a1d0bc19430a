"""Sets X-Ray's encryption, as AWS CloudFormation asks for it."""
