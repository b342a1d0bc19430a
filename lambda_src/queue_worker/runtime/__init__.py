"""The consumer's code, as it runs on AWS Lambda."""
