"""Names for people: what is printable of them, and short where AWS made them long."""

from __future__ import annotations

import re

# Stack, logical id with the CDK's hash, and what CloudFormation adds: Xray-Front0087DB4F-829031A2958D7.
_MADE_BY_CLOUDFORMATION = re.compile(r"(?P<said>.+-.*?)[0-9A-F]{8}-[0-9A-Za-z]{12,13}")


def printable(text: str) -> str:
    """Leave out what a terminal would obey, and a picture could not show: names are whatever somebody sent."""
    return "".join(char if char.isprintable() else " " for char in text)


def short(name: str) -> str:
    """Name a resource as people do, where X-Ray has its URL, its ARN, or a name that nobody chose.

    >>> short("https://sqs.eu-west-1.amazonaws.com/123456789012/Orders")
    'Orders'
    >>> short("Xray-Front0087DB4F-829031A2958D7")
    'Xray-Front'
    """
    if name.startswith(("arn:", "http://", "https://")):
        name = re.split("[/:]", name.rstrip("/"))[-1]
    made = _MADE_BY_CLOUDFORMATION.fullmatch(name)
    return printable(made["said"] if made else name)
