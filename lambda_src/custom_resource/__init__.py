"""The package ``custom_resource``, with which a function answers AWS CloudFormation: ``shared_code``.

```python
from custom_resource import answered


def handler(event, context):
    answered(event, context, lambda: make(event["ResourceProperties"]), physical_id="always-the-same")
```

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-custom-resources-lambda.html
"""

from pathlib import Path

#: Holds the package that bundles have beside a handler's own.
RUNTIME = Path(__file__).parent / "runtime"
