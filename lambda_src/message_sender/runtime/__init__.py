"""Sends messages to an Amazon SQS queue: a command on an instance, a library everywhere else."""
