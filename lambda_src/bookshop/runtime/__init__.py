"""Computes what the graph's databases do not hold."""
