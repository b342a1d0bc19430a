"""Which tags a string of a ``tagPatternList`` or a ``tagPrefixList`` stands for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# No tag holds it, so a pattern cannot match across two tags.
_BETWEEN_TAGS = "\n"
_LONGEST_TAG = 128


@dataclass(frozen=True)
class TagPattern:
    """Literal text with any text between its ``parts``: ``("prod", "")`` is ``prod*``."""

    parts: tuple[str, ...]

    @classmethod
    def of_pattern(cls, text: str) -> TagPattern:
        """Read an entry of a ``tagPatternList``."""
        return cls(tuple(re.split(r"\*+", text)))

    @classmethod
    def of_prefix(cls, text: str) -> TagPattern:
        """Read an entry of a ``tagPrefixList``, where a ``*`` is no wildcard."""
        return cls((text, ""))

    def __str__(self) -> str:
        return "*".join(self.parts)

    @property
    def finder(self) -> Callable[[str], bool]:
        """Make the function that says whether one of an image's tags matches, given ``searchable`` tags."""
        match self.parts:
            case ("", text, ""):
                needle = text
            case ("", text):
                needle = text + _BETWEEN_TAGS
            case (text, ""):
                needle = _BETWEEN_TAGS + text
            case (text,):
                needle = _BETWEEN_TAGS + text + _BETWEEN_TAGS
            case _:
                any_text = f"[^{_BETWEEN_TAGS}]*"
                search = re.compile(_BETWEEN_TAGS + any_text.join(map(re.escape, self.parts)) + _BETWEEN_TAGS).search
                return lambda tags: search(tags) is not None
        # A substring is found several times faster than an expression is searched.
        return lambda tags: needle in tags

    def covers(self, other: TagPattern) -> bool:
        """Say whether every tag that ``other`` matches, this one matches too."""
        # What a wildcard of the other stands for may be anything: only a wildcard of ours matches a character that
        # is in no literal text.
        return self.finder(searchable(["\0".join(other.parts)]))

    @property
    def possible(self) -> bool:
        """Whether there can be such a tag at all."""
        literal = "".join(self.parts)
        return (
            len(literal) <= _LONGEST_TAG
            and re.fullmatch(r"[A-Za-z0-9_.-]*", literal) is not None
            and not self.parts[0].startswith((".", "-"))
        )


#: Matches every tag.
ANY_TAG = TagPattern(("", ""))


def searchable(tags: Iterable[str]) -> str:
    """Join an image's tags so that one search finds a match in any of them."""
    joined = _BETWEEN_TAGS.join(tags)
    return joined and _BETWEEN_TAGS + joined + _BETWEEN_TAGS
