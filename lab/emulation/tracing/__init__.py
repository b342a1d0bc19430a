"""X-Ray's traces through the emulator: the header, and the segments of AWS's own services.

On AWS, API Gateway, Lambda and SNS make segments themselves, and these services and SQS, EventBridge and Function URLs
carry the tracing header from one to the next. Here, these modules do. Segments go to the port that Lambda names to
functions (``AWS_XRAY_DAEMON_ADDRESS``), as those of the functions' code do. A request whose header says ``Sampled=0``
leaves no segment anywhere, and its header goes on. What fails here fails no request.
"""

from __future__ import annotations

from importlib import import_module

_SERVICES = ("requests", "api_gateway", "functions", "messages", "resource_types")
HOOKS = [
    "ministack.app.app(scope, receive, send)",
    "ministack.services.apigateway_v1._handle_execute_in_scope"
    "(api_id, stage_name, method, path, headers, body, query_params, owner_account_id, owner_region)",
    "ministack.services.apigateway_v1._call_lambda_raw(function_ref, event, account_id, region)",
    "ministack.services.apigateway_v1._rest_apis",
    "ministack.services.apigateway_v1._stages_v1",
    "ministack.core.lambda_runtime.Worker",
    "ministack.services.lambda_svc._execute_function(func, event)",
    "ministack.services.lambda_svc._execute_function_dispatch(func, config, event, request_id, started)",
    "ministack.services.lambda_svc._execution_record_for_config(func, config)",
    "ministack.services.lambda_svc._function_config_scope_mismatch(config)",
    "ministack.services.lambda_svc._function_url_trace_root()",
    "ministack.services.lambda_svc.handle_function_url_request"
    "(url_id, method, path, headers, body, query_params, resolved, source_ip)",
    "ministack.services.lambda_svc._xray_trace_id_for_invocation(config, inbound_trace_header)",
    "ministack.services.eventbridge._dispatch_to_sqs(spec, payload, sqs_parameters)",
    "ministack.services.lambda_svc._run_sqs_batch(esm, func_rec, event, batch, queue_url, queue_name)",
    "ministack.services.sns._deliver_to_lambda",
    "ministack.services.sns._deliver_to_sqs",
    "ministack.services.sns._fanout",
    "ministack.services.sns._topic_by_arn_any_scope(topic_arn)",
    "ministack.services.sqs._build_send_sys_attrs(now, sys_attrs_input)",
    "ministack.services.sqs._ensure_msg_fields(m)",
    "ministack.services.sqs._queue_by_arn(arn)",
    "ministack.services.cloudformation.provisioners._REPLACING_PROPERTIES",
    "ministack.services.cloudformation.provisioners._RESOURCE_HANDLERS",
    "ministack.services.cloudformation.provisioners._sns_create(logical_id, props, stack_name)",
    "ministack.services.cloudformation.provisioners._sns_update"
    "(physical_id, old_props, new_props, stack_name, logical_id)",
    "ministack.services.cloudformation.stacks._runs_on_worker_thread(resource_type)",
    "ministack.services.sns._topics",
]


def extend() -> None:
    """Have the emulator's services trace."""
    for service in _SERVICES:
        import_module(f"{__name__}.{service}").extend()
