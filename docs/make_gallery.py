"""Writes docs/gallery.md, and its pictures into docs/gallery/.

    python -m docs.make_gallery

The schedules and activations come from the registry of the package and from Keras, the words from
gallery/entries.toml. One without words is an error, so that nothing public can be missing.
"""

import pathlib
import tomllib
from collections.abc import Iterator
from typing import Any

import kerasrecipes as kr
from docs.gallery_pictures import FIT, evaluated, picture
from kerasrecipes._export import members
from kerasrecipes.activations import _names
from kerasrecipes.layers import _parts

DOCS = pathlib.Path(__file__).resolve().parent
PAGE = DOCS / "gallery.md"
PICTURES = DOCS / "gallery"
ENTRIES = tomllib.loads((PICTURES / "entries.toml").read_text())


def public_schedules() -> list[str]:
    """Returns the names of all schedules."""
    return list(members("schedules"))


def public_activations() -> dict[str, list[str]]:
    """Returns the names of each activation, the first of them its function's own."""
    names: dict[str, list[str]] = {}
    for name, function in sorted(_names.FUNCTIONS.items()):
        names.setdefault(function.__name__, [function.__name__])
        names[function.__name__] += [name] if name != function.__name__ else []
    return names | {name: [name] for name in members("activations")}


def activation_layers() -> list[str]:
    """Returns the names of the layers that are activations."""
    named = [kind.__name__ for kind in _parts.LAYER_ACTIVATIONS.values()]
    return sorted({*named, *(name for name in members("layers") if "Activation" in name)})


def check_entries() -> None:
    """Raises a ValueError if the entries are not those of the package."""
    for family, public in (
        ("schedules", public_schedules()),
        ("activations", list(public_activations())),
        ("layers", activation_layers()),
    ):
        without, unknown = set(public) - set(ENTRIES[family]), set(ENTRIES[family]) - set(public)
        if without or unknown:
            raise ValueError(
                f"docs/gallery/entries.toml needs a table for each of the {family}. "
                f"Without one: {sorted(without)}. Not in the package: {sorted(unknown)}."
            )


def drawn() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yields (family, name, entry) of every picture, in the order of the page."""
    yield from (("schedules", name, entry) for name, entry in ENTRIES["schedules"].items())
    both = [(f, n, e) for f in ("activations", "layers") for n, e in ENTRIES[f].items()]
    groups = list(dict.fromkeys(entry["group"] for _, _, entry in both))
    yield from sorted(both, key=lambda each: groups.index(each[2]["group"]))


def file_of(family: str, name: str) -> str:
    """Returns the file name of a picture."""
    return f"{family.removesuffix('s')}-{name.lower()}.png"


_VARIANCES = {"he": "gain / n_in", "lecun": "1 / n_in", "glorot": "2 / (n_in + n_out)"}
_SHOWN = {
    "curve": "the function and its derivative",
    "family": "the function for three values of its parameters",
    "band": "what training and inference give",
    "vector": "the three outputs as one input varies",
    "gate": "the output as the gate opens",
}


def page() -> str:
    """Returns the text of docs/gallery.md."""
    check_entries()
    parts: dict[str, list[str]] = {"schedules": [], "activations": []}
    groups: set[str] = set()
    for family, name, entry in drawn():
        part = "schedules" if family == "schedules" else "activations"
        if entry["group"] not in groups:
            groups.add(entry["group"])
            parts[part].append(f"### {entry['group']}\n")
        section = schedule_section if part == "schedules" else activation_section
        parts[part].append(section(family, name, entry))
    tables = {"schedules": schedule_table(), "activations": activation_table()}
    text = [ENTRIES["page"]["top"]]
    for part, sections in parts.items():
        text += [ENTRIES["page"][part], tables[part], *sections]
    return "\n".join(text).rstrip() + "\n"


def schedule_table() -> str:
    """Returns the overview: what each does, how it is called, and the theory's verdict."""
    rows = ["| schedule | in a line | call, after `kr.schedules.` | Robbins-Monro |"]
    rows.append("|---|---|---|---|")
    for family, name, entry in drawn():
        cells = [f"[{name}](#{name.lower()})", in_a_line(entry)]
        verdicts: dict[str, list[str]] = {}
        for call in entry["calls"] if family == "schedules" else []:
            verdicts.setdefault(verdict(call), []).append(f"`{call.replace('kr.schedules.', '')}`")
        for answer, calls in verdicts.items():
            rows.append(f"| {' | '.join([*cells, '<br>'.join(calls), answer])} |")
            cells = ["", ""]
    return "\n".join(rows) + "\n"


def verdict(call: str) -> str:
    """Returns what `robbins_monro` says of a schedule."""
    answer = kr.schedules.robbins_monro(evaluated(call))
    return f"**{'yes' if answer.satisfied else 'no'}**: {answer.reason}"


def activation_table() -> str:
    """Returns the overview: what each does, and the kernel before it."""
    rows = ["| activation | in a line | kernel | gain |", "|---|---|---|---|"]
    for family, name, entry in drawn():
        if family != "schedules":
            title = heading(family, name, entry)
            link = title.lower().replace(".", "").replace(",", "").replace(" ", "-")
            kernel, gain = kernel_of(name, entry)
            rows.append(f"| [{title}](#{link}) | {in_a_line(entry)} | `{kernel}` | {gain:.4g} |")
    return "\n".join(rows) + "\n"


def kernel_of(name: str, entry: dict[str, Any]) -> tuple[str, float]:
    """Returns the initializer for the layer before an activation, and its gain."""
    activation = evaluated(entry["call"]) if "call" in entry else name
    kernel = kr.initializers.for_activation(activation)
    scale = f"(scale={kernel.scale:.4g})" if type(kernel).__name__ == "VarianceScaling" else ""
    return type(kernel).__name__ + scale, kr.activations.facts(activation).gain


def in_a_line(entry: dict[str, Any]) -> str:
    """Returns the first sentence of the description."""
    return entry["about"].split(". ")[0].rstrip(".")


def heading(family: str, name: str, entry: dict[str, Any]) -> str:
    """Returns the heading of a section: all names that mean the thing."""
    if family == "layers":
        return ", ".join([f"layers.{name}", *entry.get("names", [])])
    return ", ".join(public_activations().get(name, [name]))


def schedule_section(family: str, name: str, entry: dict[str, Any]) -> str:
    """Returns the section of one schedule."""
    return "\n".join(
        [
            f"#### {name}\n",
            entry["about"] + "\n",
            equation("rate", entry),
            fenced("python", *entry["calls"]),
            image(family, name, f"Learning rate of {name} over {FIT.updates} optimizer updates"),
        ]
    )


def activation_section(family: str, name: str, entry: dict[str, Any]) -> str:
    """Returns the section of one activation, or layer that is one."""
    kernel, gain = kernel_of(name, entry)
    activation = evaluated(entry["call"]) if "call" in entry else name
    variance = _VARIANCES[kr.activations.facts(activation).initializer]
    by = f"with gain {gain:.4g}" if "gain" in variance else f"(gain {gain:g})"
    calls = entry.get("calls") or ([entry["call"]] if "call" in entry else [])
    return "\n".join(
        [
            f"#### {heading(family, name, entry)}\n",
            entry["about"] + "\n",
            equation("f(x)", entry),
            *([fenced("python", *calls)] if calls else []),
            f"Kernel before it: `{kernel}`, variance {variance} {by}.\n",
            image(
                family, name, f"Plot of {name} and, for a function of one number, its derivative"
            ),
        ]
    )


def equation(left: str, entry: dict[str, Any]) -> str:
    """Returns the equation as a code block, and what its letters are."""
    if "words" in entry:
        return fenced("", entry["words"] if " = " in entry["words"] else f"y = {entry['words']}")
    width = max(len(expression) for expression, _ in entry["equation"])
    lines = []
    for expression, condition in entry["equation"]:
        case = f"if {condition}" if condition else "otherwise" if lines else ""
        start = f"{left} = " if not lines else " " * len(f"{left} = ")
        lines.append(f"{start}{expression:<{width}}   {case}".rstrip())
    lines += [f"with {letter} = {value}" for letter, value in entry.get("let", [])]
    return "\n".join([fenced("", *lines), *symbols(entry)])


def symbols(entry: dict[str, Any]) -> list[str]:
    """Returns a line that says which argument each letter is, and its value in the picture."""
    shown = []
    for letter, (argument, value) in entry.get("symbols", {}).items():
        if not isinstance(value, str):
            names = [letter, argument] if argument not in ("", letter) else [letter]
            shown.append(" = ".join([*(f"`{each}`" for each in names), f"{value:.5g}"]))
    which = "The first call has" if len(entry.get("calls", [])) > 1 else "Drawn with"
    return [f"{which} {', '.join(shown)}.\n"] if shown else []


def fenced(language: str, *lines: str) -> str:
    """Returns a code block."""
    return "\n".join([f"```{language}", *lines, "```\n"])


def image(family: str, name: str, alt: str) -> str:
    """Returns the picture in HTML, since Markdown cannot give its width."""
    return f'<img src="gallery/{file_of(family, name)}" width="540" alt="{alt}">\n'


def main() -> None:
    """Writes the page and all pictures, and removes pictures of what is no more."""
    PAGE.write_text(page())
    wanted = {file_of(family, name): (family, name, entry) for family, name, entry in drawn()}
    for file, (family, name, entry) in wanted.items():
        (PICTURES / file).write_bytes(picture(family, name, entry))
    for path in PICTURES.glob("*.png"):
        if path.name not in wanted:
            path.unlink()


if __name__ == "__main__":
    main()
