"""The rules that schemas cannot say: counts, versions, addresses, references, and what a provider asks for.

Each rule is a function that yields what is wrong; ``problems`` asks them all. They take documents that hold to their
schemas. What they say follows EKS Anywhere's own validations and documentation.

Source: https://anywhere.eks.amazonaws.com/docs/getting-started/ (of EKS Anywhere 0.26)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_src.eks_anywhere.rules import addresses, identity, machines, options, providers, versions

if TYPE_CHECKING:
    from lambda_src.eks_anywhere.specification import Problem, Specification

_RULES = [
    *(machines.name, machines.control_plane, machines.etcd, machines.workers, machines.references),
    *(versions.kubernetes, versions.eks_anywhere, versions.workers),
    *(addresses.networks, addresses.endpoint, addresses.site),
    *(options.cni, options.proxy, options.registry_mirror, options.gitops, options.packages, options.rollout),
    *(identity.references, identity.oidc, identity.iam_authenticator),
    *(providers.vsphere, providers.bare_metal, providers.prism_central, providers.nutanix, providers.users),
]


def problems(specification: Specification) -> list[Problem]:
    """Ask every rule what is wrong, in the order of the documents."""
    found = [problem for rule in _RULES for problem in rule(specification)]
    if not specification.clusters:
        found += machines.no_cluster(specification)
    return sorted(dict.fromkeys(found), key=lambda problem: problem.document)
