"""How much CPU and memory a task on Fargate can have: not every pair of them exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_src.options import Options

#: The MiB that go with each number of CPU units; 1,024 units are one virtual CPU.
#: Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
MEMORY_MIB: dict[int, Sequence[int]] = {
    256: (512, 1024, 2048),
    512: range(1024, 4096 + 1, 1024),
    1024: range(2048, 8192 + 1, 1024),
    2048: range(4096, 16384 + 1, 1024),
    4096: range(8192, 30720 + 1, 1024),
    8192: range(16384, 61440 + 1, 4096),
    16384: range(32768, 122880 + 1, 8192),
}


def check_size(options: Options, cpu: int, memory_mib: int) -> None:
    """Note a pair that Fargate does not have, with those that it has."""
    if cpu not in MEMORY_MIB:
        options.require(False, "cpu", cpu, f"one of {', '.join(map(str, MEMORY_MIB))} units")
        return
    fits = memory_mib in MEMORY_MIB[cpu]
    options.require(fits, "memory_mib", memory_mib, f"with a cpu of {cpu}, {_written(MEMORY_MIB[cpu])} MiB")


def _written(sizes: Sequence[int]) -> str:
    if isinstance(sizes, range):
        return f"{sizes[0]} to {sizes[-1]} in steps of {sizes.step}"
    return ", ".join(map(str, sizes))
