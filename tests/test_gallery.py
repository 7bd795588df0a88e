"""The gallery shows everything public, says what is so, and is up to date."""

import json
import math
import re

import keras
import numpy as np
import pytest
from PIL import Image

import kerasrecipes as kr
from docs import make_gallery
from docs.gallery_pictures import FIT, derivative, evaluated, function_of, grid, picture, samples
from kerasrecipes._export import members
from kerasrecipes.activations import _names
from kerasrecipes.schedules.schedule import Schedule

PAGE = make_gallery.PAGE.read_text()
HEADINGS = set(
    re.sub(r"layers\.", "", ", ".join(re.findall(r"^#### (.+)$", PAGE, re.M))).split(", ")
)
SECTIONS = {part.split("\n")[0]: part for part in re.split(r"^#### ", PAGE, flags=re.M)[1:]}
DRAWN = list(make_gallery.drawn())
SCHEDULES = [(name, entry) for family, name, entry in DRAWN if family == "schedules"]
FORMULAS = [
    (name, entry) for _, name, entry in DRAWN if "equation" in entry and "calls" not in entry
]
MATHS = {name: getattr(math, name) for name in "exp log log2 sqrt tanh cos pi erf floor".split()}
MATHS |= {"min": min, "max": max, "abs": abs}


def value(entry, **variables):
    """The value of an entry's equation, worked out from the text of the page."""
    scope = {name: each for name, (_, each) in entry.get("symbols", {}).items()}
    for name, each in scope.items():
        if isinstance(each, str):
            schedule = evaluated(each)
            scope[name] = lambda t, schedule=schedule: float(schedule.values(t))
    scope |= MATHS | variables
    for name, expression in entry.get("let", []):
        scope[name] = eval(expression, scope)
    cases = ((e, c) for e, c in entry["equation"] if not c or eval(c, scope))
    return float(eval(next(cases)[0], scope))


def public_names():
    """The names of all schedules and activations, found otherwise than the generator does."""
    schedules = [
        name
        for name, thing in vars(kr.schedules).items()
        if isinstance(thing, type) and issubclass(thing, Schedule) and thing is not Schedule
    ]
    activations = [
        name
        for name, thing in vars(keras.activations).items()
        if callable(thing) and name not in ("get", "serialize", "deserialize")
    ]
    layers = ["ChannelPReLU", "ParametricActivation", "RReLU"]
    return schedules + activations + ["Partial", "rrelu", "prelu"] + layers


@pytest.mark.parametrize("name", public_names())
def test_everything_public_has_a_heading_and_a_picture(name):
    assert name in HEADINGS
    section = next(text for title, text in SECTIONS.items() if name in re.split(r", |\.", title))
    pictures = re.findall(r'<img src="(gallery/[^"]+)"', section)
    assert len(pictures) == 1
    assert (make_gallery.DOCS / pictures[0]).exists()


def test_the_registry_has_no_more_than_that():
    registered = {*members("schedules"), *members("activations"), *_names.FUNCTIONS}
    assert registered <= set(public_names())


@pytest.mark.parametrize("family", ["schedules", "activations", "layers"])
def test_the_generator_refuses_what_has_no_words(family, monkeypatch):
    gone = next(iter(make_gallery.ENTRIES[family]))
    without = {name: e for name, e in make_gallery.ENTRIES[family].items() if name != gone}
    monkeypatch.setitem(make_gallery.ENTRIES, family, without)
    with pytest.raises(ValueError, match=rf"entries.toml .* {family}.*\['{gone}'\]"):
        make_gallery.page()


def test_the_page_is_up_to_date():
    assert make_gallery.page() == PAGE, "Run `make gallery`."


def test_links_of_the_page_lead_to_headings():
    titles = re.findall(r"^#+ (.+)$", PAGE, re.M)
    anchors = {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= anchors


def test_pictures_are_those_of_the_page_and_small():
    shown = set(re.findall(r'src="gallery/([^"]+)"', PAGE))
    files = {path.name: path.stat().st_size for path in make_gallery.PICTURES.glob("*.png")}
    assert set(files) == shown
    assert max(files.values()) < 40_000
    assert sum(files.values()) < 1_500_000


@pytest.mark.parametrize(("family", "name", "entry"), DRAWN, ids=[f"{d[0]}-{d[1]}" for d in DRAWN])
def test_pictures_show_what_the_code_computes_now(family, name, entry):
    with Image.open(make_gallery.PICTURES / make_gallery.file_of(family, name)) as image:
        assert image.size == (864, 528)
        drawn = json.loads(image.text["Description"])
    now = samples(family, name, entry)
    assert list(drawn) == list(now), "Run `make gallery`."
    for call, numbers in now.items():
        np.testing.assert_allclose(drawn[call], numbers, rtol=2e-3, atol=1e-6)


def test_a_picture_drawn_again_is_the_same_file():
    family, name, entry = next(each for each in DRAWN if each[1] == "OneCycle")
    assert picture(family, name, entry) == picture(family, name, entry)


@pytest.mark.parametrize(("name", "entry"), SCHEDULES, ids=[s[0] for s in SCHEDULES])
def test_equations_of_schedules_are_right(name, entry):
    steps = np.array([0, 1, 37, 99, 101, 173, 251, 333, 499, 501, 601, 777, 801, 999, 1000, 1300])
    rates = evaluated(entry["calls"][0]).values(steps, FIT)
    expected = [value(entry, t=int(step)) for step in steps]
    np.testing.assert_allclose(rates, expected, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize(("name", "entry"), FORMULAS, ids=[f[0] for f in FORMULAS])
def test_equations_of_activations_are_right(name, entry):
    x = np.linspace(-8, 8, 103)
    expected = [value(entry, x=float(each)) for each in x]
    np.testing.assert_allclose(function_of(name, entry)(x), expected, rtol=1e-6, atol=1e-7)


def test_softmax_and_gates_are_what_the_page_says():
    x = np.array([[0.3, -1.0, 2.0, 0.5]])
    softmax = np.exp(x) / np.exp(x).sum()
    np.testing.assert_allclose(function_of("softmax", {})(x), softmax, rtol=1e-6)
    np.testing.assert_allclose(function_of("log_softmax", {})(x), np.log(softmax), rtol=1e-6)
    gated = x[:, :2] / (1 + np.exp(-x[:, 2:]))
    np.testing.assert_allclose(function_of("glu", {})(x), gated, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "slope"),
    [
        ("tanh", lambda x: 1 - np.tanh(x) ** 2),
        ("relu", lambda x: (x > 0).astype(float)),
        ("softplus", lambda x: 1 / (1 + np.exp(-x))),
    ],
)
def test_derivatives_are_right(name, slope):
    x = grid()
    np.testing.assert_allclose(derivative(function_of(name, {}), x), slope(x), atol=1e-6)


@pytest.mark.parametrize(("name", "least"), [("gelu", -0.75), ("silu", -1.28), ("mish", -1.19)])
def test_the_minima_that_the_page_names(name, least):
    x = grid()
    y = function_of(name, {})(x)
    assert x[y.argmin()] == pytest.approx(least, abs=0.01)
    assert f"least, {y.min():.2f}, at {least}" in SECTIONS[name.replace("silu", "silu, swish")]
