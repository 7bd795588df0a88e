import json
import math

import pytest

from kerasrecipes._checks import InputError
from kerasrecipes.sanity import Finding, Report

FINDINGS = (
    Finding("saving", "pass", "difference", 0.0, high=1e-4),
    Finding("first_loss", "fail", "first loss", math.nan, 0.5, 2.5, "It is NaN.", "Scale."),
    Finding("class_balance", "warn", "ratio", 12.5, high=10.0, note="Few.", remedy="Weights."),
    Finding("symmetry", "skipped", note="there is no hidden layer"),
)
REPORT = Report("net", 120, FINDINGS, 1.5)


def test_it_knows_what_failed():
    assert not REPORT.passed
    assert [each.name for each in REPORT.failures] == ["first_loss"]
    assert [each.name for each in REPORT.warnings] == ["class_balance"]
    assert [each.name for each in REPORT.skipped] == ["symmetry"]
    assert REPORT["saving"] is FINDINGS[0]
    assert Report("net", 1, FINDINGS[2:]).passed, "a warning is no failure"
    with pytest.raises(InputError, match="Did you mean 'first_loss'"):
        REPORT["first_los"]


def test_it_is_json_and_back():
    again = Report.from_dict(json.loads(REPORT.to_json()))
    assert json.loads(REPORT.to_json())["passed"] is False
    assert str(again) == str(REPORT)
    assert again.findings[0] == FINDINGS[0]
    assert math.isnan(again.findings[1].seen)
    assert "NaN" not in REPORT.to_json().replace("It is NaN.", "")


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ((0.0, 0.0), "0"),
        ((-math.inf, 0.25), "<= 0.25"),
        ((10.0, math.inf), ">= 10"),
        ((0.5, 2.34567), "0.5 to 2.346"),
        ((-math.inf, math.inf), ""),
    ],
)
def test_expected_in_words(limits, words):
    assert Finding("a", "pass", "b", 1.0, *limits).expected == words
    assert Finding("a", "skipped", "b", None, *limits).expected == ""


def test_it_prints_a_table_with_remedies_below():
    lines = str(REPORT).splitlines()
    assert lines[0] == "Checks of net on 120 rows: 1 passed, 1 warned, 1 failed, 1 skipped"
    assert lines[1].split() == "check result what was measured seen expected".split()
    assert lines[2].split() == "saving pass difference 0 <= 0.0001".split()
    assert lines[3].split() == "first_loss FAIL first loss nan 0.5 to 2.5".split()
    assert "there is no hidden layer" in lines[5]
    assert "FAIL first_loss: It is NaN. Scale." in lines
    assert lines.index("FAIL first_loss: It is NaN. Scale.") < lines.index(
        "WARN class_balance: Few. Weights."
    )
    assert max(map(len, lines)) <= 120


def test_a_finding_cannot_be_changed():
    with pytest.raises(AttributeError):
        FINDINGS[0].status = "fail"
