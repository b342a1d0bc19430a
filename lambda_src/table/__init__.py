"""A table on Amazon DynamoDB."""
