"""A sampling rule of AWS X-Ray."""
