"""A cluster of Amazon Aurora, whose instances are serverless or provisioned."""
