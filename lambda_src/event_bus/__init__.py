"""An event bus that loses nothing: archive, dead-letter queue, policy, logs."""
