"""Function URLs that can be called here: an address of the emulator's own instead of one that only AWS answers.

MiniStack serves every Function URL under ``/_aws/lambda-url/ID/`` too, but the API and CloudFormation answer AWS's
host name, which leads nowhere from this machine. The address is made when it is asked for, so it names the port of
this start. A request for it is signed, and refused, as the URL's ``AuthType`` says.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from ministack.services import lambda_svc

if TYPE_CHECKING:
    from collections.abc import Callable

HOOKS = [
    "ministack.services.lambda_svc._create_function_url_config(func_name, data, qualifier)",
    "ministack.services.lambda_svc._get_function_url_config(func_name, qualifier)",
    "ministack.services.lambda_svc._update_function_url_config(func_name, data, qualifier)",
    "ministack.services.lambda_svc._list_function_url_configs(func_name, query_params)",
]
_AWS_ADDRESS = re.compile(rb"https://(\w+)\.lambda-url\.[\w-]+\.on\.aws/")


def extend() -> None:
    """Have the Lambda API, and CloudFormation through it, answer addresses that can be called."""
    for name in (
        "_create_function_url_config",
        "_get_function_url_config",
        "_update_function_url_config",
        "_list_function_url_configs",
    ):
        setattr(lambda_svc, name, _with_address_here(getattr(lambda_svc, name)))


def _with_address_here(operation: Callable[..., tuple[int, dict[str, str], bytes]]) -> Callable[..., Any]:
    address = f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}/_aws/lambda-url/".encode()

    def answer(*args: Any, **kwargs: Any) -> tuple[int, dict[str, str], bytes]:
        status, headers, body = operation(*args, **kwargs)
        return status, headers, _AWS_ADDRESS.sub(lambda found: address + found[1] + b"/", body)

    return answer
