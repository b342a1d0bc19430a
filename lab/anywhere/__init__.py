"""Hosts outside AWS: their activations, the script that makes them external instances, and what became of them."""
