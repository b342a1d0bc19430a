"""Who may use a cluster: by OpenID Connect, or by AWS IAM."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lambda_src.eks_anywhere.rules.machines import refers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_src.eks_anywhere.specification import Problem, Specification

_KINDS = {"OIDCConfig", "AWSIamConfig"}
_ARN = r"arn:aws[a-z-]*:iam::\d{12}:{}/\S+"


def references(specification: Specification) -> Iterator[Problem]:
    """Identity providers are there, one of a kind."""
    for cluster in specification.clusters:
        kinds: set[str] = set()
        for reference in cluster["spec"]["identityProviderRefs"].items:
            kind = reference["kind"].value
            if kind in kinds:
                yield reference["kind"].is_wrong("identity", f"a second {kind}: a cluster has one of a kind")
            kinds.add(kind)
            yield from refers(specification, cluster, reference, _KINDS)
        issuer = cluster["spec"]["podIamConfig"]
        if issuer.value is not None and not issuer["serviceAccountIssuer"].value:
            yield issuer["serviceAccountIssuer"].is_wrong("identity", "names no issuer: an https URL")


def oidc(specification: Specification) -> Iterator[Problem]:
    """A client and an issuer by https."""
    for config in specification.of_kind("OIDCConfig"):
        spec = config["spec"]
        if not spec["clientId"].value:
            yield spec["clientId"].is_wrong("oidc", "names no client: the id that the issuer knows the cluster by")
        issuer = urlsplit(spec["issuerUrl"].value or "")
        if issuer.scheme != "https" or not issuer.hostname:
            yield spec["issuerUrl"].is_wrong("oidc", f"{spec['issuerUrl'].value!r} is no https URL of an issuer")
        if len(spec["requiredClaims"].items) > 1:
            yield spec["requiredClaims"].is_wrong("oidc", "one required claim is supported, and these are more")


def iam_authenticator(specification: Specification) -> Iterator[Problem]:
    """A region, a backend, and whom it maps to what."""
    for config in specification.of_kind("AWSIamConfig"):
        spec = config["spec"]
        if not spec["awsRegion"].value:
            yield spec["awsRegion"].is_wrong("iam-authenticator", "names no region, such as us-east-1")
        modes = [mode.value for mode in spec["backendMode"].items]
        if not modes:
            yield spec["backendMode"].is_wrong("iam-authenticator", "names no backend: EKSConfigMap or CRD")
        for mode in spec["backendMode"].items:
            if mode.value not in {"EKSConfigMap", "CRD"}:
                yield mode.is_wrong("iam-authenticator", f"{mode.value} is no backend here: EKSConfigMap or CRD")
        mapped = {"role": spec["mapRoles"].items, "user": spec["mapUsers"].items}
        if "EKSConfigMap" in modes and not any(mapped.values()):
            yield spec.is_wrong("iam-authenticator", "EKSConfigMap maps nobody: give mapRoles or mapUsers")
        for kind, places in mapped.items():
            for place in places:
                arn = place[f"{kind}ARN"]
                if re.fullmatch(_ARN.replace("{}", kind), arn.value) is None:
                    yield arn.is_wrong("iam-authenticator", f"{arn.value!r} is no ARN of a {kind}")
