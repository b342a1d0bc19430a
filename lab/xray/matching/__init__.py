"""Which traces a filter expression asks for; how it is written is what `lambda_src.trace_group` reads."""

from lab.xray.matching.conditions import matches

__all__ = ["matches"]
