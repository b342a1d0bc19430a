"""A cluster for hosts outside AWS."""
