"""The tracing of every handler: AWS X-Ray, by OpenTelemetry's API.

`PythonFunction` puts the package `tracing` beside a handler's own into its bundle, and grants the function's role what
AWS Lambda needs to pass traces on. A handler uses it like this, as the tests do:

```python
import boto3
from tracing import tracer

table = boto3.resource("dynamodb").Table("Orders")


@tracer.handler
def handler(event, context):
    with tracer.subsegment("price the order") as step:
        step.annotate("currency", event["currency"])
        step.add_metadata("items", {"count": len(event["items"])})
        total = sum(item["price"] for item in event["items"])
    table.put_item(Item={"OrderId": event["id"], "Total": total})
    return {"statusCode": 201}
```

- ``tracer.handler`` makes a subsegment of each invocation, under the segment that AWS Lambda makes of it. An exception
  that leaves it is recorded with its stack, and goes on unchanged. A ``statusCode`` that it answers counts as error
  (4xx), throttle (429) or fault (5xx).
- ``tracer.subsegment(name)`` makes one of a step inside it. Annotations are what a trace is found by; metadata is not.
- Calls by boto3 or botocore become subsegments by themselves, with operation, region, resource, request id, retries and
  status; so do HTTP calls by ``http.client``, ``urllib`` and ``urllib3``. Each carries on ``X-Amzn-Trace-Id``, and a
  message that is sent to Amazon SQS carries it as ``AWSTraceHeader``. Clients must be made after ``tracing`` is
  imported, which an import at a module's top sees to; ``tracer.instrument(client)`` adds one that was made before.
- The batch of Amazon SQS that a function is invoked with is linked to the traces of its senders by AWS Lambda itself.
  Of messages that come otherwise ``tracer.links_of(records)`` makes links, for ``tracer.subsegment(name, links=...)``.
- What else speaks OpenTelemetry's API, such as ``opentelemetry.trace.get_tracer(__name__)``, adds to the same trace.
- A thread goes on at the invocation that started it. To go on at the step instead, run what it does in the step's
  context: ``executor.submit(contextvars.copy_context().run, work)``.

Bodies, headers, query strings, and parameters other than the names of resources, are never recorded; neither are
credentials in URLs. Of an exception's message the first line is, up to 250 characters, less what looks like a
credential: an exception of your own must not quote a body there. Paths of URLs are recorded as they are.

Where the invocation is not sampled nothing is sent, and the header goes on all the same. Without a header, or without
the address of a daemon, nothing happens at all: a test of a handler needs ``lambda_src.tracing.RUNTIME`` on its
``sys.path``, and no more. Whatever fails in here is logged, the first time, and does no harm to the request.

Why not other packages: AWS's X-Ray SDK, and Powertools' Tracer with it, are no longer developed, and end in 2027.
OpenTelemetry's instrumentations of botocore and urllib, its X-Ray propagator and its identifiers are not used for the
reasons that ``aws_calls``, ``http_calls``, ``header`` and ``identifiers`` give. Its SDK is, although a cold start
spends more time on compiling it than on all the rest of tracing: spans, their limits and their sampling would
otherwise be ours to write, and to keep in step with the API that other packages call.

Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html
"""

from pathlib import Path

#: Holds the package that bundles have beside a handler's own.
RUNTIME = Path(__file__).parent / "runtime"
