"""Reaches a cluster of Amazon EKS with the machine's `kubectl`, as whoever the target's credentials are."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.signers import RequestSigner

from lab.errors import LabError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

    import boto3

_ANSWER_SECONDS = 10
_TOKEN_SECONDS = 60


@dataclass(frozen=True)
class Kubectl:
    """The command, and the file that says which cluster and with which token."""

    command: str
    kubeconfig: Path

    def __call__(self, *words: str, given: str | None = None, seconds: int = 300) -> str:
        """Run it, and return what it printed.

        :raises LabError: with its own last words, when it fails.
        """
        done = subprocess.run(
            [self.command, *words],
            env={**os.environ, "KUBECONFIG": str(self.kubeconfig)},
            input=given,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if done.returncode:
            raise LabError(f"`kubectl {' '.join(words)}` failed: {done.stderr.strip()[-500:]}")
        return done.stdout


def answers(endpoint: str) -> bool:
    """Say whether a Kubernetes API server is there; who asks without a token is refused, and that is an answer."""
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=_any_certificate())
    )
    try:
        with opener.open(f"{endpoint}/version", timeout=_ANSWER_SECONDS):
            return True
    except urllib.error.HTTPError as error:
        return error.code in {401, 403}
    except (urllib.error.URLError, OSError, ValueError):
        return False


def installed() -> str | None:
    """Find `kubectl` on this machine."""
    return shutil.which("kubectl")


@contextmanager
def reached(session: boto3.Session, name: str, command: str) -> Iterator[Kubectl]:
    """Write, for as long as the block lasts, the file that `kubectl` needs; nobody else can read it."""
    cluster = session.client("eks").describe_cluster(name=name)["cluster"]
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [
            {
                "name": name,
                "cluster": {
                    "server": cluster["endpoint"],
                    "certificate-authority-data": cluster["certificateAuthority"]["data"],
                },
            }
        ],
        "users": [{"name": name, "user": {"token": token(session, name)}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
    }
    with tempfile.TemporaryDirectory() as folder:
        kubeconfig = Path(folder, "config")
        kubeconfig.touch(mode=0o600)
        kubeconfig.write_text(json.dumps(config))
        yield Kubectl(command, kubeconfig)


def token(session: boto3.Session, cluster_name: str) -> str:
    """Make the token that EKS takes: a signed question to AWS STS, who this is, good for a minute to begin with.

    Source: https://docs.aws.amazon.com/eks/latest/userguide/cluster-auth.html
    """
    sts, credentials = session.client("sts"), session.get_credentials()
    if credentials is None:
        raise LabError("There are no AWS credentials to sign the token with.")
    signer = RequestSigner(
        sts.meta.service_model.service_id,
        session.region_name,
        "sts",
        "v4",
        credentials,
        session.events,
    )
    url = signer.generate_presigned_url(
        {
            "method": "GET",
            "url": f"{sts.meta.endpoint_url}/?Action=GetCallerIdentity&Version=2011-06-15",
            "body": {},
            "headers": {"x-k8s-aws-id": cluster_name},
            "context": {},
        },
        region_name=session.region_name,
        expires_in=_TOKEN_SECONDS,
        operation_name="",
    )
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def _any_certificate() -> ssl.SSLContext:
    """Ask only whether somebody is there: nothing is sent, and nothing that is answered is used."""
    import ssl  # noqa: PLC0415

    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
