"""Reads the environment of an indexed Job of Kubernetes."""

from collections.abc import Mapping

from kerasrecipes._checks import InputError, fail
from kerasrecipes.distribute._addresses import check_addresses, integer, port

DEFAULT_PORT = 12345


def read(environ: Mapping[str, str]) -> tuple[list[str], int] | None:
    """Returns the addresses of the workers, and the index of this one.

    An indexed Job without KERASRECIPES_WORKERS may be many trainings that know nothing of one
    another, so it is no cluster.
    """
    if "JOB_COMPLETION_INDEX" not in environ or "KERASRECIPES_WORKERS" not in environ:
        return None
    index = integer(environ, "JOB_COMPLETION_INDEX")
    text = environ["KERASRECIPES_WORKERS"].strip()
    if text.isdecimal():
        workers = _pods(environ, integer(environ, "KERASRECIPES_WORKERS", low=1), index)
    else:
        workers = [part.strip() for part in text.split(",") if part.strip()]
    workers = check_addresses("KERASRECIPES_WORKERS", workers)
    if index >= len(workers):
        remedy = "Give as many workers as the Job has `completions` and `parallelism`."
        fail("JOB_COMPLETION_INDEX", f"below the {len(workers)} workers", index, remedy)
    return workers, index


def _pods(environ: Mapping[str, str], count: int, index: int) -> list[str]:
    """Returns the addresses that the pods have in a headless service."""
    service = environ.get("KERASRECIPES_SERVICE", "").strip()
    if not service and count > 1:
        raise InputError(
            "`KERASRECIPES_SERVICE` must be the name of the headless service of the Job, which is "
            "also the `subdomain` of its pods. Or give `KERASRECIPES_WORKERS` as a list of "
            "addresses."
        )
    job, _, number = environ.get("HOSTNAME", "").partition(".")[0].rpartition("-")
    if not job or number != str(index):
        expected = f"the host name of pod {index} of an indexed Job, which ends in -{index}"
        remedy = "Give `KERASRECIPES_WORKERS` as a list of addresses."
        fail("HOSTNAME", expected, environ.get("HOSTNAME"), remedy)
    at = port(environ, DEFAULT_PORT)
    return [f"{job}-{i}.{service}:{at}" for i in range(count)]
