"""The form that docstrings get for the site."""

import pytest

DOCSTRING = """Doubles.

With input x:
    y = 2 x
Nothing else.

Args:
    x: A number,
        large or small.
Call arguments:
    training: Whether to.
Returns: A number of
    the same kind.
Example:
>>> double(2)
4

Reference: Anon 2020,
    arXiv:1.
"""


@pytest.mark.extra
def test_docstrings_get_the_form_of_mkdocstrings():
    pytest.importorskip("griffe", reason="needs the extra docs")
    from docs.docstrings import rewritten

    assert rewritten(DOCSTRING).split("\n\n") == [
        "Doubles.",
        "With input x:",
        "```text\ny = 2 x\n```",
        "Nothing else.",
        "Args:\n    x: A number,\n        large or small.",
        "**Call arguments:**",
        "- **`training`** – Whether to.",
        "**Returns:** A number of the same kind.",
        "**Example**",
        "```pycon\n>>> double(2)\n4\n```",
        "**Reference:** Anon 2020, arXiv:1.\n",
    ]
