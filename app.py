#!/usr/bin/env python3
"""The CDK app: every section of the chapter, or those that context names (``-c section=sqs-lambda``)."""

import sys

import aws_cdk as cdk

from lab_stacks import catalog
from lab_stacks.names import UnknownNameError
from lambda_src.options import InvalidOptionsError

app = cdk.App()
try:
    catalog.add_sections(app)
except (UnknownNameError, InvalidOptionsError) as error:
    print(error, file=sys.stderr)
    sys.exit(2)
app.synth()
