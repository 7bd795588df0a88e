"""Everything that is wrong with a recipe file, in one error."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from kerasrecipes._checks import InputError


class Problem(NamedTuple):
    """One thing that is wrong: under which key, and what.

    Attributes:
        key: Path of the key, such as ("fit", "epochs"); empty for the file as a whole.
        message: What was expected, what came, and the remedy.
    """

    key: tuple[str, ...]
    message: str


class RecipeError(InputError):
    """A recipe file cannot be run; the message lists every problem with its key and line.

    Attributes:
        problems: The problems, in the order of the file's lines.
    """

    def __init__(self, message: str, problems: Sequence[Problem]) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class Places:
    """Says where a key was set: on a line of the file, or on the command line.

    Args:
        path: The recipe file.
        lines: Line of each key path.
        overridden: Key paths that an override has set.
    """

    def __init__(
        self,
        path: Path,
        lines: Mapping[tuple[str, ...], int],
        overridden: Sequence[tuple[str, ...]] = (),
    ) -> None:
        self.path = path
        self.lines = {(): 0, **lines}
        self.overridden = tuple(overridden)

    def error(self, problems: Sequence[Problem]) -> RecipeError:
        """Returns one error for all `problems`."""
        problems = sorted(problems, key=lambda problem: self._line(problem.key))
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        rows = [f"  {self._where(problem.key)}: {problem.message}" for problem in problems]
        return RecipeError("\n".join([f"{count} in {self.path}:", *rows]), problems)

    def _where(self, key: tuple[str, ...]) -> str:
        name = ".".join(key)
        if any(self._sets(path, key) for path in self.overridden):
            return f"{name} (override)" if name else "override"
        line = self._line(key)
        return f"line {line}, {name}" if line else name or "file"

    def _sets(self, path: tuple[str, ...], key: tuple[str, ...]) -> bool:
        """Whether the override of `path` set `key`, or made the table `key` that the file lacks."""
        return key[: len(path)] == path or (path[: len(key)] == key and key not in self.lines)

    def _line(self, key: tuple[str, ...]) -> int:
        """A key that is missing is reported at the nearest table around it."""
        while key not in self.lines:
            key = key[:-1]
        return self.lines[key]
