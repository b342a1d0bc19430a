"""The client that sends messages to a queue, on an EC2 instance or at a prompt."""
