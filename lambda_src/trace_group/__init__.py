"""A group of traces on AWS X-Ray."""
