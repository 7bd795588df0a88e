"""The rules, one a file; `kerasrecipes.diagnosis.diagnose` lists them."""
