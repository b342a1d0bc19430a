"""The role of hosts outside AWS."""
