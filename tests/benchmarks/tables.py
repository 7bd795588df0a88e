"""What the benchmarks share: the machine in words, medians with their spread, Markdown tables."""

import os
import platform
import statistics
import subprocess
import sys
import time


def machine():
    """Returns the processor, cores and versions in one line."""
    import importlib.metadata as metadata

    names = ("tensorflow", "keras", "numpy", "scikit-learn")
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in names)
    cpu = platform.processor() or platform.machine()
    with open("/proc/cpuinfo") as file:
        models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    cpu = models[0] if models else cpu
    return f"{cpu}, {os.cpu_count()} cores, Python {platform.python_version()}, {versions}"


def spread(values, digits=3):
    """Returns "median (least to most)"."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def table(header, rows):
    """Returns a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def timed(code, **environment):
    """Runs Python code in a fresh process; returns its wall and CPU seconds."""
    before = os.times()
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
    )
    after = os.times()
    cpu = (
        after.children_user - before.children_user + after.children_system - before.children_system
    )
    return time.perf_counter() - began, cpu
