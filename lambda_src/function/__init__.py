"""A Python function on AWS Lambda."""
