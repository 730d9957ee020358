"""What the contract's patterns ask for, in words: whoever is refused reads no regular expression."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_ID: Final = "[0-9a-f-]{36}"
# The rest of a name that may be left out.
_OPTIONAL: Final = re.compile(r"\((.*)\)\?$")

WORDS: Mapping[str, str] = MappingProxyType(
    {
        r"^[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8})*$": "must be a language code such as en or pt_BR",
        r"^\+[0-9]{0,15}$": "must be how phone numbers begin: + and digits, at most 15",
        r"^([A-Z][A-Z0-9_]{0,127})?$": "must be the name of an environment variable: capitals, digits and _",
        r"^([A-Z]{2})?$": "must be a country of two capital letters such as FR",
        r"^[A-Za-z0-9._-]{0,32}$": "must be the name of an encoding such as utf-8",
        r"^[0-9]{0,32}$": "must be one of WhatsApp's ids: digits, at most 32",
        r"^[A-Za-z0-9._~-]{0,64}$": "must be at most 64 letters, digits and any of . _ ~ -",
    }
)


def pattern_words(pattern: str) -> str:
    """Returns what a text must be to match; names of resources explain themselves, all else is in ``WORDS``."""
    if pattern in WORDS:
        return WORDS[pattern]
    shape = pattern.removeprefix("^").removesuffix("$").replace(_ID, "{id}")
    names = dict.fromkeys((_OPTIONAL.sub("", shape), _OPTIONAL.sub(r"\1", shape)))
    return f"must be a name like {' or '.join(names)}, each id a UUID in lower case"
