#!/usr/bin/env python3
"""The CDK app: every section of the chapter, or those that context names (``-c section=sqs-lambda``)."""

import sys

import aws_cdk as cdk

from lab_stacks import catalog
from lab_stacks.names import UnknownNameError

app = cdk.App()
try:
    catalog.add_sections(app)
except UnknownNameError as error:
    print(error, file=sys.stderr)
    sys.exit(2)
app.synth()
