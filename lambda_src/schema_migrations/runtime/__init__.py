"""Migrates a database, as AWS CloudFormation asks for it."""
