"""X-Ray's filter expressions: a text becomes an `Expression`, or its first mistake is pointed at.

Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-console-filters.html
"""

from lambda_src.trace_group.filter_expression.errors import FilterExpressionError, RootCauseError
from lambda_src.trace_group.filter_expression.grammar import parse
from lambda_src.trace_group.filter_expression.tree import Expression

__all__ = ["Expression", "FilterExpressionError", "RootCauseError", "parse"]
