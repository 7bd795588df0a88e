"""Starts the processes of an examination, two at a time, each with a time limit.

On Linux they are forks of one process that has imported TensorFlow and has not begun to use it:
the import takes longer than most probes.
"""

import dataclasses
import importlib
import json
import multiprocessing
import os
import pathlib
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from kerasrecipes._worker_process import free_ports

_AT_ONCE = 2
_OF_TENSORFLOW = ("replica_", "workers", "strategies")
_PRELOADED = ["tensorflow", "keras", "kerasrecipes.doctor._probes.toys"]


def main() -> None:
    """Runs the jobs of the command line; writes a line of answers when each has ended."""
    task = json.loads(sys.argv[1])
    end = time.monotonic() + task["seconds"]
    context = multiprocessing.get_context("forkserver" if sys.platform == "linux" else "spawn")
    if sys.platform == "linux":
        context.set_forkserver_preload(_PRELOADED)

    def run(job: dict[str, Any]) -> None:
        line = json.dumps(_answers(context, job, end)) + "\n"
        sys.stdout.write(line)
        sys.stdout.flush()

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(run, task["jobs"]))


def _answers(context: Any, job: dict[str, Any], end: float) -> list[tuple[str, dict[str, Any]]]:
    """Returns what each probe answered, or why there is no answer."""
    if time.monotonic() > end - 1:
        return [(name, {"error": "no time was left"}) for name in job["probes"]]
    limit = min(end, time.monotonic() + job["limit"])
    with tempfile.TemporaryDirectory() as folder:
        files = [pathlib.Path(folder, str(index)) for index in range(job["workers"])]
        processes = []
        for file, env in zip(files, _environments(job), strict=True):
            file.touch()
            process = context.Process(target=_call, args=(job["probes"], env, str(file)))
            process.start()
            processes.append(process)
        said = []
        for file, process in zip(files, processes, strict=True):
            process.join(max(0.0, limit - time.monotonic()))
            why = "no answer in time"
            if process.exitcode is not None:
                why = f"its process ended with {process.exitcode}"
            process.kill()
            process.join()
            heard = {line["probe"]: line for line in map(json.loads, file.read_text().splitlines())}
            said += [(name, heard.get(name, {"error": why})) for name in job["probes"]]
    return said


def _environments(job: dict[str, Any]) -> list[dict[str, str]]:
    env = {} if job["sees_gpus"] else {"CUDA_VISIBLE_DEVICES": "-1"}
    if job["workers"] == 1:
        return [env]
    cluster = {"worker": [f"127.0.0.1:{port}" for port in free_ports(job["workers"])]}
    tasks = [{"type": "worker", "index": index} for index in range(job["workers"])]
    return [{**env, "TF_CONFIG": json.dumps({"cluster": cluster, "task": task})} for task in tasks]


def _call(probes: Sequence[str], env: dict[str, str], file: str) -> None:
    """Calls probes one after another; writes a line about each."""
    os.environ.update(env)
    os.dup2(2, 1)  # what Keras and KerasTuner print is no answer
    warnings.simplefilter("ignore")
    with open(file, "a") as answers:
        for name in probes:
            line = {"probe": name, **_called(name)}
            print(json.dumps(line, default=lambda n: n.item()), file=answers, flush=True)


def _called(name: str) -> dict[str, Any]:
    module, _, function = name.partition(".")
    try:
        backend = importlib.import_module("keras").config.backend()
        if module.startswith(_OF_TENSORFLOW) and backend != "tensorflow":
            return {
                "error": f"tf.distribute needs Keras's TensorFlow backend, and this is {backend}"
            }
        probes = importlib.import_module(f"kerasrecipes.doctor._probes.{module}")
        return {"found": dataclasses.asdict(getattr(probes, function)())}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"[:300]}
