"""Takes the picture of what `make lab` shows: runs it on a terminal, and keeps what that showed at the end."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from io import StringIO

from rich.console import Console
from rich.text import Text

from docs.pages import DOCS
from lab.project import ROOT

_COMMAND = ["make", "lab"]
_COLUMNS = 120
# Rich's own frame, with fonts that are on the reader's machine rather than on somebody's server.
_FRAME = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; }}
.{unique_id}-title {{ font-family: sans-serif; font-size: 18px; font-weight: bold; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def main() -> None:
    """Run `make lab` and write the picture."""
    status, shown = on_a_terminal(_COMMAND)
    if status:
        sys.exit(f"`{' '.join(_COMMAND)}` failed:\n{shown}")
    console = Console(record=True, width=_COLUMNS + 1, file=StringIO())  # a margin on the right, as on the left
    console.print(Text.from_ansi(f"$ {' '.join(_COMMAND)}\n{shown.rstrip()}"))
    svg = console.export_svg(title=" ".join(_COMMAND), code_format=_FRAME, unique_id="make-lab")
    (DOCS / "make-lab.svg").write_text(svg)


def on_a_terminal(command: list[str]) -> tuple[int, str]:
    """Run a command on a terminal; return its exit status and what the terminal shows at the end."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 60, _COLUMNS, 0, 0))
    environ = {**os.environ, "TERM": "xterm-256color"}
    process = subprocess.Popen(command, cwd=ROOT, env=environ, stdin=its, stdout=its, stderr=its)
    os.close(its)
    output = b""
    while chunk := _read(ours):
        output += chunk
    os.close(ours)
    return process.wait(), _shown(output.decode())


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # how a terminal says that nobody writes to it any more
        return b""


def _shown(output: str) -> str:
    """Follow what a spinner does to the lines: up a line, and a line begun anew."""
    lines = [""]
    for part in re.split(r"(\n|\x1b\[1A|\x1b\[2K|\x1b\[\?25[lh]|\r)", output):
        if part == "\n":
            lines.append("")
        elif part == "\x1b[1A":
            lines.pop()
        elif part == "\x1b[2K":
            lines[-1] = ""
        elif not part.startswith(("\r", "\x1b[?")):
            lines[-1] += part
    return "\n".join(lines)


if __name__ == "__main__":
    main()
