"""A user pool of Amazon Cognito, where people sign in."""
