"""A rule of Amazon EventBridge, and what its event pattern says of an event."""
