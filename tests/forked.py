"""Starts pieces of code as forks of a process that has imported Keras and the package.

That process has not begun to use TensorFlow; the imports take longer than most of the code.
"""

import multiprocessing
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[1]
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tensorflow", "keras", "kerasrecipes.recipes.mlp"])


def start(script, out, error, env=None):
    """Starts a script in a session of its own, as `python -c` would; returns its process.

    Args:
        script: Python code.
        out: File for what it prints.
        error: File for what it says of errors.
        env: More environment variables.
    """
    env = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **(env or {})}
    process = _CONTEXT.Process(target=_run, args=(script, out, error, env), daemon=True)
    for path in (out, error):
        path.touch()
    process.start()
    return process


def _run(script, out, error, env):
    os.setsid()
    for number, path in enumerate((out, error), start=1):
        os.dup2(os.open(path, os.O_WRONLY), number)
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(env)
    exec(compile(script, "script", "exec"), {"__name__": "__main__"})
