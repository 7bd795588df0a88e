"""Addresses of workers, "host:port", and numbers in environment variables."""

import collections
from collections.abc import Mapping, Sequence
from typing import Any

from kerasrecipes._checks import fail


def check_addresses(argument: str, addresses: Any) -> list[str]:
    """Returns the addresses, each with a port and different from the others."""
    form = 'a list of addresses such as ["10.0.0.1:12345", "10.0.0.2:12345"]'
    if not isinstance(addresses, Sequence) or isinstance(addresses, str):
        fail(argument, form, addresses)
    for address in addresses:
        host, _, port = address.rpartition(":") if isinstance(address, str) else ("", "", "")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            fail(argument, form, address, "Each needs a host and a port from 1 to 65535.")
    twice = [address for address, count in collections.Counter(addresses).items() if count > 1]
    if twice:
        fail(argument, "a list of different addresses", twice[0], "It is there more than once.")
    return list(addresses)


def integer(environ: Mapping[str, str], name: str, *, low: int = 0, remedy: str = "") -> int:
    """Returns a variable as an integer of at least `low`."""
    text = environ.get(name, "").strip()
    if not text.isdecimal() or int(text) < low:
        fail(name, f"an integer >= {low}", environ.get(name), remedy)
    return int(text)


def port(environ: Mapping[str, str], default: int) -> int:
    """Returns the port that KERASRECIPES_PORT asks for."""
    chosen = default if "KERASRECIPES_PORT" not in environ else integer(environ, _PORT, low=1)
    if chosen > 65535:
        fail(_PORT, "an integer from 1 to 65535", chosen)
    return chosen


_PORT = "KERASRECIPES_PORT"
