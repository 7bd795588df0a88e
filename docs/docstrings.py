"""A griffe extension: what a package re-exports is its own, and docstrings in mkdocstrings' form.

In ours a section may begin on the line of its name ("Returns: A tensor."), layers have "Call
arguments", examples are not indented, and indented lines in the text are equations.
"""

import re
from collections.abc import Iterator
from typing import Any

from griffe import Extension, Module, Object

_SECTIONS = "Args|Call arguments|Attributes|Returns|Yields|Raises"
_SECTION = re.compile(rf"({_SECTIONS}):(?: (\S.*))?$")
_ITEM = re.compile(r"^(\w+): ")


class Docstrings(Extension):
    """Rewrites each docstring once, and exports what packages import."""

    def on_package(self, *, pkg: Module, **_: Any) -> None:
        """Lets each package of it export the public names that it imports."""
        for module in pkg.modules.values():
            if not module.is_alias and module.is_init_module:
                self.on_package(pkg=module)
        if pkg.exports is None:
            pkg.exports = [name for name in pkg.imports if not name.startswith("_")]
        for name, origin in pkg.imports.items():
            if origin == f"{pkg.path}.{name}.{name}":  # a function named as its module
                pkg.members[name] = pkg.members[name].members[name]

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Rewrites the docstring of one object."""
        if obj.docstring is not None:
            obj.docstring.value = rewritten(obj.docstring.value)


def rewritten(text: str) -> str:
    """Returns a docstring with sections of Google's form and fenced equations and examples."""
    return "\n".join(line for block in _blocks(text.splitlines()) for line in [*block, ""])


def _blocks(lines: list[str]) -> Iterator[list[str]]:
    """Yields sections, equations, examples and paragraphs."""
    at = 0
    while at < len(lines):
        if not lines[at].strip():
            at += 1
            continue
        end = _end(lines, at)
        yield _rendered(lines[at:end])
        at = end


def _end(lines: list[str], begin: int) -> int:
    """Returns where the block that begins there ends."""
    first = lines[begin]
    kind = _kind(first)
    end = begin + 1
    while end < len(lines):
        line = lines[end]
        if kind in ("section", "reference"):
            if line.strip() and not line.startswith(" "):
                break
        elif not line.strip() or _kind(line) != kind and not (kind == "example" and line):
            break
        end += 1
    return end


def _kind(line: str) -> str:
    if line.startswith("Example:"):
        return "example"
    if line.startswith("Reference"):
        return "reference"
    if _SECTION.match(line):
        return "section"
    return "equation" if line.startswith("    ") else "text"


def _rendered(block: list[str]) -> list[str]:
    kind = _kind(block[0])
    if kind == "equation":
        return ["```text", *(line[4:] for line in block), "```"]
    if kind == "example":
        return ["**Example**", "", "```pycon", *block[1:], "```"]
    if kind == "reference":
        return ["**Reference:** " + " ".join(line.strip() for line in block).partition(": ")[2]]
    if kind == "section":
        return _section(block)
    return block


def _section(block: list[str]) -> list[str]:
    """Returns a section; one that begins on the line of its name is a sentence, not a list."""
    match = _SECTION.match(block[0])
    assert match is not None  # noqa: S101  (`_kind` has matched it)
    name, same_line = match.groups()
    if same_line is not None:
        rest = [line.strip() for line in block[1:]]
        return [f"**{name}:** " + " ".join([same_line, *rest])]
    if name == "Call arguments":
        items = [_ITEM.sub(r"- **`\1`** – ", line[4:]) for line in block[1:]]
        return [f"**{name}:**", "", *items]
    return block
