"""X-Ray's filter expressions: a text becomes an `Expression`, which tells of a trace whether it matches.

Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-console-filters.html
"""

from lab.xray.filter_expression.errors import FilterExpressionError, RootCauseError
from lab.xray.filter_expression.grammar import parse
from lab.xray.filter_expression.tree import Expression

__all__ = ["Expression", "FilterExpressionError", "RootCauseError", "parse"]
