"""The agent that takes traces on an EC2 instance."""
