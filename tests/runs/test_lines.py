from kerasrecipes.runs._lines import key_lines

TEXT = '''# a comment
title = """
epochs = 3
"""

fit.epochs = 5  # dotted
[model]
hidden = [
  64,  # epochs = 4
  64,
]
optimizer = { name = "sgd", momentum = 0.9 }

[model.extra]
"a key" = 1
'''


def test_every_key_is_found_on_the_line_where_its_statement_begins():
    assert key_lines(TEXT) == {
        ("title",): 2,
        ("fit",): 6,
        ("fit", "epochs"): 6,
        ("model",): 7,
        ("model", "hidden"): 8,
        ("model", "optimizer"): 12,
        ("model", "optimizer", "name"): 12,
        ("model", "optimizer", "momentum"): 12,
        ("model", "extra"): 14,
        ("model", "extra", "a key"): 15,
    }


def test_an_empty_text_has_no_keys():
    assert key_lines("") == {}
