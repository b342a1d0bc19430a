"""A service on hosts outside AWS."""
