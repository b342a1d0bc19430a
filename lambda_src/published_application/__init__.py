"""A stack as a serverless application that can be published."""
