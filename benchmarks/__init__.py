"""Comparisons with named alternatives, in ratios: ``python -m benchmarks``."""
