"""AWS AppSync: resolvers whose code is a file, pipelines, sources, batches, authorization, and subscriptions.

MiniStack parses and validates GraphQL, and runs the JavaScript of resolvers in Node.js. Its DynamoDB source is a mock,
it has none for EventBridge and the RDS Data API, of a pipeline's functions CloudFormation makes names alone, it invokes
a function once for each request of a batch, it reads no directive of authorization, and has no endpoint to subscribe
at. Here every source is asked as AppSync asks it: by an API call, with the credentials of the source's role.
"""

from __future__ import annotations

from importlib import import_module

_MODULES = ("code", "resources", "execution", "realtime")
HOOKS = [
    "ministack.app.app(scope, receive, send)",
    "ministack.core.appsync_graphql.build_api_schema(api_id, sdl)",
    "ministack.core.appsync_graphql.APPSYNC_PRELUDE",
    "ministack.core.appsync_js.AppSyncJsError",
    "ministack.core.appsync_js.evaluate(code, fn, ctx, timeout)",
    "ministack.core.iam_evaluator.EvalContext",
    "ministack.core.iam_evaluator.evaluate_resource_policy(doc, ctx, service, named_only, direct_only)",
    "ministack.core.iam_evaluator.pin_signed_body(body)",
    "ministack.core.iam_evaluator.pin_signed_request(method, raw_path, query_params, raw_headers, handshake)",
    "ministack.core.responses.error_response_json(code, message, status, extra, message_key, content_type)",
    "ministack.core.responses.get_account_id()",
    "ministack.core.responses.get_region()",
    "ministack.core.responses.set_request_account_id(access_key_id)",
    "ministack.core.responses.set_request_region(region)",
    "ministack.core.router.extract_access_key_id(headers, query_params)",
    "ministack.core.router.extract_region(headers, query_params)",
    "ministack.services.appsync._AppSyncResolverError",
    "ministack.services.appsync._apis",
    "ministack.services.appsync._cognito_identity(api, request_headers)",
    "ministack.services.appsync._create_function(api_id, body)",
    "ministack.services.appsync._create_resolver(api_id, type_name, body)",
    "ministack.services.appsync._data_sources",
    "ministack.services.appsync._delete_function(api_id, function_id)",
    "ministack.services.appsync._evaluate_code(body)",
    "ministack.services.appsync._execute_with_schema"
    "(api_id, sdl, query, variables, operation_name, request_headers, authorize)",
    "ministack.services.appsync._functions",
    "ministack.services.appsync._get_graphql_api(api_id)",
    "ministack.services.appsync._has_sigv4_credentials(headers, query_params)",
    "ministack.services.appsync._iam_field_authorizer(api_id, headers, query_params)",
    "ministack.services.appsync._json(status, body)",
    "ministack.services.appsync._malformed_graphql_request(message)",
    "ministack.services.appsync._request_is_authenticated(api_id, api, request_headers)",
    "ministack.services.appsync._resolvers",
    "ministack.services.appsync._schemas",
    "ministack.services.appsync._select_api_region(api_id)",
    "ministack.services.appsync._unauthorized_response(message)",
    "ministack.services.appsync._update_function(api_id, function_id, body)",
    "ministack.services.appsync._update_resolver(api_id, type_name, field_name, body)",
    "ministack.services.cloudformation.provisioners._RESOURCE_HANDLERS",
    "ministack.services.cognito._user_pools",
    "ministack.services.iam._roles",
    "ministack.services.s3._get_object_data(bucket_name, key, version_id)",
    "ministack.services.sts.register_session(access_key, session)",
]


def extend() -> None:
    """Answer, and refuse, as AWS does."""
    for module in _MODULES:
        import_module(f"{__name__}.{module}").extend()
