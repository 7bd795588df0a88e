"""Strategies by name, and the meeting of the workers of a cluster."""

import contextlib
import json
import threading
import time

import keras
import pytest
import tensorflow as tf

import kerasrecipes as kr
from kerasrecipes.distribute import _rendezvous
from tests.replicas import run_on_replicas
from tests.workers import Workers, free_ports, tf_config


@pytest.fixture(autouse=True)
def _no_cluster(monkeypatch):
    for name in ("TF_CONFIG", "SLURM_PROCID", "JOB_COMPLETION_INDEX"):
        monkeypatch.delenv(name, raising=False)


def test_auto_without_gpus_and_cluster_is_tensorflows_default(capsys):
    assert kr.distribute.strategy() is tf.distribute.get_strategy()
    line = "strategy: TensorFlow's default, since TensorFlow sees no GPU and there is no cluster.\n"
    assert capsys.readouterr().out == line


def test_names(capsys):
    for spec in ("mirrored", "mirrored:1"):
        made = kr.distribute.strategy(spec)
        assert isinstance(made, tf.distribute.MirroredStrategy)
        said = f'strategy: MirroredStrategy on CPU:0, since "{spec}" was asked for.\n'
        assert capsys.readouterr().out == said
    one = tf.distribute.OneDeviceStrategy("CPU:0")
    assert kr.distribute.strategy(one) is one
    assert capsys.readouterr().out == "strategy: OneDeviceStrategy on CPU:0, since it was given.\n"
    assert kr.distribute.strategy("cpu", verbose=False).num_replicas_in_sync == 1
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("miror", "Did you mean 'mirrored'?"),
        ("mirrored:x", "`strategy` must be one of 'auto', 'cpu', 'gpu'"),
        ("mirrored:0", '"mirrored:1" to "mirrored:1", since TensorFlow sees 1 CPU(s)'),
        ("mirrored:3", "kerasrecipes.distribute.logical_cpus(3)"),
        ("gpu", "on a host where TensorFlow sees no GPU"),
        ("multi_worker", "Set TF_CONFIG on each worker"),
        (None, "`strategy` must be a `tf.distribute.Strategy`. Received: None"),
        (3, "`strategy` must be a `tf.distribute.Strategy`. Received: 3"),
    ],
)
def test_wrong_specs(spec, message):
    with pytest.raises(kr.InputError) as error:
        kr.distribute.strategy(spec)
    assert message in str(error.value)


def test_wrong_timeout():
    with pytest.raises(kr.InputError, match="`timeout` must be a number > 0"):
        kr.distribute.strategy("cpu", timeout=0)


def test_another_backend_is_named(monkeypatch):
    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    with pytest.raises(kr.InputError, match="needs Keras's TensorFlow backend"):
        kr.distribute.strategy("cpu")


def test_recipes_take_names(capsys):
    model = kr.recipes.mlp((2,), kr.targets.Binary(), hidden=(2,), strategy="cpu")
    assert isinstance(model.distribute_strategy, tf.distribute.OneDeviceStrategy)
    assert "OneDeviceStrategy" in capsys.readouterr().out
    assert "strategy" not in model.recipe.arguments
    with pytest.raises(kr.InputError, match="`strategy` must be one of"):
        kr.recipes.mlp((2,), kr.targets.Binary(), strategy="gpus")


def test_a_cluster_comes_before_all_else(monkeypatch):
    keras.ops.ones(1)  # TensorFlow has started
    monkeypatch.setenv("TF_CONFIG", tf_config(["127.0.0.1:1", "127.0.0.1:2"], 1))
    for spec in ("auto", "multi_worker"):
        with pytest.raises(kr.InputError, match="must come before anything of TensorFlow has run"):
            kr.distribute.strategy(spec)


def test_logical_cpus_are_chosen_at_the_start():
    keras.ops.ones(1)
    kr.distribute.logical_cpus(1)
    with pytest.raises(kr.InputError, match="at the start of the program"):
        kr.distribute.logical_cpus(2)
    with pytest.raises(kr.InputError, match="`count` must be an integer >= 1"):
        kr.distribute.logical_cpus(0)


def cluster_of(count):
    addresses = tuple(f"127.0.0.1:{port}" for port in free_ports(count))
    return [kr.distribute.Cluster(addresses, index, "TF_CONFIG") for index in range(count)]


def meet(clusters, *, timeout=10.0, facts=None, delays=None):
    """Lets the workers meet, one thread each; returns what each was told, None if all is well."""
    told = [None] * len(clusters)

    def worker(number):
        time.sleep((delays or {}).get(number, 0))
        try:
            given = {"tensorflow": "2"} if facts is None else facts[number]
            _rendezvous.meet(clusters[number], given, timeout=timeout)
        except kr.distribute.ClusterError as error:
            told[number] = str(error)

    threads = [threading.Thread(target=worker, args=(n,)) for n in range(len(clusters))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    return told


@pytest.mark.parametrize("late", [{}, {0: 0.5}, {2: 0.5}])
def test_workers_meet_in_any_order(late):
    assert meet(cluster_of(3), delays=late) == [None] * 3


def test_a_worker_that_never_comes_is_named_to_all():
    clusters = cluster_of(3)
    began = time.monotonic()
    told = meet(clusters[:2], timeout=1.0)
    assert time.monotonic() - began < 10
    assert told[0].startswith(f"Worker 2 ({clusters[0].workers[2]}) did not come within 1 s.")
    assert told[1] == told[0]


def test_a_chief_that_never_comes_is_named():
    clusters = cluster_of(2)
    (told,) = meet(clusters[1:], timeout=0.5)
    said = f"Worker 1 did not find the chief at {clusters[1].workers[0]} within 0.5 s: nothing"
    assert told.startswith(said)


def test_different_versions_are_named_to_all():
    facts = [{"tensorflow": "2.20"}, {"tensorflow": "2.21"}]
    told = meet(cluster_of(2), facts=facts)
    assert told[0].startswith("`tensorflow` must be the same on all workers. The chief has '2.20'")
    assert told[1] == told[0]


def test_different_lists_of_workers_are_named_to_all():
    one, _ = cluster_of(2)
    other = kr.distribute.Cluster((one.workers[0], *cluster_of(2)[1].workers), 1, "TF_CONFIG")
    told = meet([one, other])
    assert told[0].startswith("`workers` must be the same on all workers.")
    assert told[1] == told[0]


def test_one_index_twice_is_named():
    first, *_ = cluster_of(3)
    twice = [kr.distribute.Cluster(first.workers, 1, "TF_CONFIG") for _ in range(2)]
    told = meet([first, *twice], timeout=2.0)
    assert any("cannot use port" in str(each) or "Two workers say" in str(each) for each in told)
    assert None not in told


@pytest.mark.parametrize("index", [0, 1])
def test_a_port_in_use_is_named(index):
    cluster = cluster_of(2)[index]
    with contextlib.closing(_rendezvous._own_port(cluster)) as taken:
        taken.listen()
        with pytest.raises(kr.distribute.ClusterError, match=f"Worker {index} cannot use port"):
            _rendezvous.meet(cluster, {}, timeout=0.5)


def test_strangers_do_no_harm():
    clusters = cluster_of(2)

    def stranger():
        foreign = b'{"index": 0, "workers": []}\n'
        for words in (b"GET / HTTP/1.1\n", b"\n", b"[1]\n", b'{"index": 1}\n', foreign, b""):
            line = None
            while line is None:
                line = _rendezvous._call(clusters[0].workers[0])
            line._connection.sendall(words)
            line.close()

    thread = threading.Thread(target=stranger)
    thread.start()
    assert meet(clusters, delays={1: 0.5}) == [None, None]
    thread.join(10)
    assert not thread.is_alive()


def test_a_worker_that_died_while_it_waited_may_come_again():
    clusters = cluster_of(3)
    hello = {"index": 1, "workers": list(clusters[0].workers), "tensorflow": "2"}

    def dies():
        line = None
        while line is None:
            line = _rendezvous._call(clusters[0].workers[0])
        line.tell(hello)
        time.sleep(0.2)
        line.close()

    thread = threading.Thread(target=dies)
    thread.start()
    assert meet(clusters, delays={1: 0.6, 2: 0.4}) == [None] * 3
    thread.join(10)


MIRRORED = """
spec = "mirrored:2"
made = kr.distribute.strategy(spec)
model = kr.recipes.mlp((2,), kr.targets.Binary(), hidden=(2,), strategy=spec)
report(
    devices=list(made.extended.worker_devices),
    all=kr.distribute.strategy("mirrored").num_replicas_in_sync,
    recipe=model.distribute_strategy.num_replicas_in_sync,
)
"""


@pytest.mark.multi_device
def test_mirrored_takes_the_first_devices():
    found = run_on_replicas(MIRRORED, replicas=4)
    assert [name[-5:] for name in found["devices"]] == ["CPU:0", "CPU:1"]
    assert (found["all"], found["recipe"]) == (4, 2)


START = """
try:
    made = kr.distribute.strategy("multi_worker", timeout=float(os.environ["LIMIT"]))
    again = kr.distribute.strategy("auto", verbose=False) is made
    report(replicas=made.num_replicas_in_sync, again=again)
except kr.distribute.ClusterError as error:
    report(error=str(error))
"""


@pytest.mark.multi_device
def test_a_late_worker_is_waited_for_and_a_second_call_gives_the_same():
    with Workers(START, start=[1], env={"LIMIT": "60"}) as cluster:
        time.sleep(8)
        cluster.start(0)
        assert cluster.reports() == [{"replicas": 2, "again": True}] * 2
        line = "strategy: MultiWorkerMirroredStrategy on CPU:0 (2 replicas), worker 1 of 2"
        assert line in cluster.output(1)


@pytest.mark.multi_device
def test_a_missing_worker_is_an_error_in_time():
    with Workers(START, start=[0], env={"LIMIT": "3"}) as cluster:
        began = time.monotonic()
        (found,) = cluster.reports()
        assert time.monotonic() - began < 30
        assert found["error"].startswith("Worker 1 (127.0.0.1:")


DIED = """
from kerasrecipes.distribute import _rendezvous, _start
_rendezvous.meet = lambda *_, **__: None
_start._LAST_RESORT = 2.0
say("meets")
kr.distribute.strategy("multi_worker")
"""


@pytest.mark.multi_device
def test_a_worker_that_died_after_all_have_met_does_not_hang_the_chief():
    with Workers(DIED, start=[0]) as cluster:
        cluster.wait_for(0, "meets")
        assert cluster.codes(timeout=30) == [1]
        assert "Timeout" in cluster.output(0, "err")
        assert "_start.py" in cluster.output(0, "err")


@pytest.mark.slow
def test_the_harness_leaves_nothing_running():
    with pytest.raises(AssertionError, match="did not say"), Workers("import time; time.sleep(99)"):
        raise AssertionError("did not say")
    assert json.loads(tf_config(["a:1"], 0))["task"] == {"type": "worker", "index": 0}
