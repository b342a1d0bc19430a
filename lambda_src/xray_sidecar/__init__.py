"""The agent that takes traces inside a task of Amazon ECS."""
