"""Makes the notebooks of examples/notebooks from the scripts: `make notebooks`."""

import ast
import pathlib
import re

import nbformat

EXAMPLES = pathlib.Path(__file__).resolve().parents[1] / "examples"
NOTEBOOKS = EXAMPLES / "notebooks"
_NO_ARGUMENTS = "sys.argv[1:] = []  # what a notebook has there is not for this program"
_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def notebook(script: pathlib.Path) -> str:
    """Returns the text of a script's notebook: the same for the same script.

    The docstring and comments that begin a line become cells of text, what blank lines part
    becomes cells of code, and the imports are one of these.
    """
    source = script.read_text("utf-8")
    title = ast.get_docstring(ast.parse(source))
    cells = [nbformat.v4.new_markdown_cell(f"# {title}")]
    for block in _blocks(source.split('"""', 2)[2]):
        if block.startswith("#"):
            cells.append(nbformat.v4.new_markdown_cell(re.sub("(?m)^# ?", "", block)))
        else:
            cells.append(nbformat.v4.new_code_cell(block))
    for number, cell in enumerate(cells):
        cell["id"] = str(number)
    metadata = {"kernelspec": _KERNEL, "language_info": {"name": "python"}}
    made = nbformat.v4.new_notebook(cells=cells, metadata=metadata, nbformat_minor=5)
    nbformat.validate(made)
    return nbformat.writes(made) + "\n"


def _blocks(source: str) -> list[str]:
    """Returns the imports, then what blank lines and comments part at the left margin."""
    parted = re.sub(r"(?m)^((?:#.*\n)+)", r"\n\1\n", source)
    blocks = re.split(r"\n{2,}(?=\S)", parted.strip())
    first = next(n for n, block in enumerate(blocks) if not re.match("import|from", block))
    imports = "\n\n".join(blocks[:first])
    if "import sys" in imports:
        imports += f"\n\n{_NO_ARGUMENTS}"
    return [imports, *blocks[first:]]


def main() -> None:
    """Writes all of them, and removes those whose script is gone."""
    NOTEBOOKS.mkdir(exist_ok=True)
    for old in NOTEBOOKS.glob("*.ipynb"):
        old.unlink()
    for script in sorted(EXAMPLES.glob("*.py")):
        (NOTEBOOKS / f"{script.stem}.ipynb").write_text(notebook(script), "utf-8")


if __name__ == "__main__":
    main()
