"""What the embedded emulator lacks, added to it at its start: one small module a service.

These modules run inside the emulator's process, on its interpreter: they import the standard library and what that
environment has, and of the project only modules that need no more. Each names in ``HOOKS`` what it takes hold of in
MiniStack, and has ``extend()``, which does so. A MiniStack that lacks a hook is refused at the start, rather than found
out in a lab that silently proves less.
"""

from __future__ import annotations

import inspect
from importlib import import_module, metadata
from pkgutil import iter_modules, resolve_name
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

#: The MiniStack whose insides the hooks are.
WRITTEN_FOR = "1.5.33"


class MissingHookError(Exception):
    """Raised when this MiniStack has no place for one of the extensions."""


def extend() -> None:
    """Add every extension to the emulator in this process.

    :raises MissingHookError: naming the module and the hooks that this MiniStack does not have.
    """
    extensions = [_loaded(f"{__name__}.{found.name}") for found in iter_modules(__path__)]
    # All of them before the first takes hold of anything: two may wrap the same function.
    for extension in extensions:
        require(extension.__name__, extension.HOOKS)
    for extension in extensions:
        extension.extend()


def _loaded(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ImportError as error:
        raise _refusal(name, [str(error.name)]) from error


def require(extension: str, hooks: Iterable[str]) -> None:
    """Make sure that this MiniStack has what an extension takes hold of.

    :param extension: the module that needs it.
    :param hooks: written ``package.module.name``, or ``package.module.name(its, parameters)`` for a function; a
        method of a class is ``package.module.Class.name(self)``.
    :raises MissingHookError: naming those that are gone, or that take other parameters now.
    """
    gone = [hook for hook in hooks if not _exists(hook)]
    if gone:
        raise _refusal(extension, gone)


def _exists(hook: str) -> bool:
    path, takes, parameters = hook.rstrip(")").partition("(")
    try:
        found = resolve_name(path)
    except (ImportError, AttributeError):
        return False
    return not takes or ", ".join(inspect.signature(found).parameters) == parameters


def _refusal(extension: str, gone: list[str]) -> MissingHookError:
    return MissingHookError(
        f"{extension} was written for MiniStack {WRITTEN_FOR}, and MiniStack {_version()} has no {', no '.join(gone)}: "
        "install the version that requirements-emulator.txt names, or fit the module to the new one."
    )


def _version() -> str:
    return metadata.version("ministack")
