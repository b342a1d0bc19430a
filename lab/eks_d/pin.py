"""Makes ``upstream/releases.json`` anew: ``python -m lab.eks_d.pin CHECKOUT COMMIT``, of github.com/aws/eks-distro."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from lab.eks_d.releases import PINNED

_OF_EACH_CHANNEL = 2
_ROW = re.compile(r"^\| ([\w-]+) \| (v[^ |]+) \| (\S+) \|$", re.MULTILINE)


def _main(checkout: str, commit: str) -> None:
    source = Path(checkout)
    releases = []
    for channel in (source / "release" / "SUPPORTED_RELEASE_BRANCHES").read_text().split():
        pages = source / "docs" / "contents" / "releases" / channel
        numbers = sorted((int(page.parent.name) for page in pages.glob("*/index.md")), reverse=True)
        for number in numbers[:_OF_EACH_CHANNEL]:
            components = _ROW.findall((pages / str(number) / "index.md").read_text())
            releases.append({"channel": channel, "number": number, "components": components})
    document = {
        "source": f"github.com/aws/eks-distro, docs/contents/releases, commit {commit}",
        "licence": "Apache-2.0, see LICENSE and NOTICE in this folder",
        "releases": releases,
    }
    PINNED.write_text(json.dumps(document, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    _main(*sys.argv[1:])
