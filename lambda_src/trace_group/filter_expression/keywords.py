"""The keywords of filter expressions: what kind of value each has, and where it can stand."""

from __future__ import annotations

from enum import Enum


class Place(Enum):
    """Where in an expression a keyword stands."""

    TRACE = "outside of braces"
    PART = "in the braces of service() and edge()"
    ROOT_CAUSE = "in the braces of rootcause"


COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
SEARCHES = ("CONTAINS", "BEGINSWITH", "ENDSWITH")


class Type(Enum):
    """The kind of a keyword's value, and the operators that go with it."""

    BOOLEAN = ("=", "!=")
    NUMBER = COMPARISONS
    STRING = ("=", "!=", *SEARCHES)
    ANY = (*COMPARISONS, *SEARCHES)


_REQUEST = {
    "ok": Type.BOOLEAN,
    "error": Type.BOOLEAN,
    "throttle": Type.BOOLEAN,
    "fault": Type.BOOLEAN,
    "partial": Type.BOOLEAN,
    "inferred": Type.BOOLEAN,
    "responsetime": Type.NUMBER,
    "duration": Type.NUMBER,
    "http.status": Type.NUMBER,
    "http.url": Type.STRING,
    "http.method": Type.STRING,
    "http.useragent": Type.STRING,
    "http.clientip": Type.STRING,
    "user": Type.STRING,
    "availabilityzone": Type.STRING,
    "instance.id": Type.STRING,
    "resource.arn": Type.STRING,
}
KEYWORDS: dict[Place, dict[str, Type]] = {
    Place.TRACE: _REQUEST,
    Place.PART: {**_REQUEST, "root": Type.BOOLEAN, "name": Type.STRING, "type": Type.STRING},
    Place.ROOT_CAUSE: {
        "inferred": Type.BOOLEAN,
        "first": Type.BOOLEAN,
        "last": Type.BOOLEAN,
        "remote": Type.BOOLEAN,
        "index": Type.NUMBER,
        "coverage": Type.NUMBER,
        "name": Type.STRING,
        "type": Type.STRING,
        "message": Type.STRING,
    },
}
ROOT_CAUSES = tuple(
    f"rootcause.{of}.{element}"
    for of, elements in {
        "fault": ("service", "entity", "exception"),
        "error": ("service", "entity", "exception"),
        "responsetime": ("service", "entity"),
    }.items()
    for element in elements
)
