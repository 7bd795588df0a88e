"""Clusters from TF_CONFIG, SLURM and Kubernetes."""

import itertools
import json

import pytest
import tensorflow as tf

import kerasrecipes as kr
from kerasrecipes.distribute._slurm import expand

resolve = kr.distribute.resolve_cluster
TWO = ["10.0.0.1:12345", "10.0.0.2:12345"]


def tf_config(cluster, task):
    return {"TF_CONFIG": json.dumps({"cluster": cluster, "task": task})}


def changed(environ, changes):
    """Returns an environment with changes, of which None takes a variable out."""
    return {name: value for name, value in {**environ, **changes}.items() if value is not None}


def slurm(**changes):
    environ = {
        "SLURM_JOB_ID": "1007",
        "SLURM_STEP_ID": "0",
        "SLURM_PROCID": "2",
        "SLURM_NODEID": "1",
        "SLURM_LOCALID": "0",
        "SLURM_STEP_NUM_TASKS": "3",
        "SLURM_STEP_NODELIST": "gpu[09-10]",
        "SLURM_STEP_TASKS_PER_NODE": "2,1",
    }
    return changed(environ, changes)


def kubernetes(**changes):
    environ = {
        "JOB_COMPLETION_INDEX": "1",
        "HOSTNAME": "train-1",
        "KERASRECIPES_WORKERS": "2",
        "KERASRECIPES_SERVICE": "workers",
    }
    return changed(environ, changes)


def test_tf_config():
    found = resolve(tf_config({"worker": TWO}, {"type": "worker", "index": 1}))
    assert found == kr.distribute.Cluster(tuple(TWO), 1, "TF_CONFIG")
    assert not found.is_chief


def test_what_is_written_is_what_tensorflow_and_we_read(monkeypatch):
    first = resolve(slurm())
    monkeypatch.setenv("TF_CONFIG", first.tf_config())
    again = resolve()
    assert (again.workers, again.index) == (first.workers, first.index)
    resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
    assert resolver.cluster_spec().as_dict() == {"worker": list(first.workers)}
    assert (resolver.task_type, resolver.task_id) == ("worker", 2)


@pytest.mark.parametrize(
    ("task", "index"),
    [({"type": "chief", "index": 0}, 0), ({"type": "worker", "index": "1"}, 2)],
)
def test_a_chief_is_worker_zero(task, index):
    found = resolve(tf_config({"worker": TWO, "chief": ["10.0.0.9:1"]}, task))
    assert found.workers == ("10.0.0.9:1", *TWO)
    assert found.index == index
    assert found.is_chief == (index == 0)


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"TF_CONFIG": ""},
        {"TF_CONFIG": '{"cluster": {}, "task": {}, "environment": "cloud"}'},
        tf_config({"chief": ["127.0.0.1:2222"]}, {"type": "chief", "index": 0}),
        {"JOB_COMPLETION_INDEX": "3"},
        kubernetes(JOB_COMPLETION_INDEX="0", HOSTNAME="train-0", KERASRECIPES_WORKERS="1"),
        slurm(SLURM_STEP_NUM_TASKS="1", SLURM_PROCID="0"),
        slurm(SLURM_STEP_ID=None),
    ],
)
def test_one_process_is_no_cluster(environ):
    assert resolve(environ) is None


def test_tf_config_comes_first():
    task = {"type": "worker", "index": 0}
    assert resolve({**slurm(), **tf_config({"worker": TWO}, task)}).source == "TF_CONFIG"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("{worker}", "`TF_CONFIG` must be JSON: Expecting property name"),
        ("[1]", "`TF_CONFIG` must be a JSON object"),
        ('{"cluster": 5}', "`TF_CONFIG.cluster` must be a JSON object"),
        (json.dumps({"cluster": {"worker": TWO}}), "`TF_CONFIG.task` must be a JSON object"),
        (({"worker": TWO}, {}), "`TF_CONFIG.task.type` must be one of 'worker'. Received: None"),
        (({"worker": TWO}, {"type": "wroker", "index": 0}), "Did you mean 'worker'?"),
        (({"worker": TWO}, {"type": "chief", "index": 0}), "`TF_CONFIG.task.type` must be one of"),
        (({"worker": TWO}, {"type": "worker"}), "`TF_CONFIG.task.index` must be an integer from 0"),
        (({"worker": TWO}, {"type": "worker", "index": 2}), "integer from 0 to 1. Received: 2"),
        (({"worker": TWO}, {"type": "worker", "index": -1}), "Received: -1"),
        (({"worker": TWO}, {"type": "worker", "index": True}), "Received: True"),
        (({"wroker": TWO}, {"type": "wroker", "index": 0}), "Did you mean 'worker'?"),
        (({"worker": TWO, "ps": ["a:1"]}, {"type": "ps", "index": 0}), "parameter servers"),
        (({"worker": TWO, "evaluator": ["a:1"]}, {}), "The chief evaluates within fit"),
        (({"chief": TWO}, {"type": "chief", "index": 0}), "`TF_CONFIG.cluster.chief` must be one"),
        (({"worker": [TWO[0]] * 2}, {"type": "worker", "index": 0}), "there more than once"),
        (
            ({"worker": [TWO[0]], "chief": [TWO[0]]}, {"type": "worker", "index": 0}),
            "there more than once",
        ),
        (({"worker": "a:1"}, {"type": "worker", "index": 0}), "`TF_CONFIG.cluster.worker` must be"),
        (({"worker": ["a", "b"]}, {"type": "worker", "index": 0}), "a port from 1 to 65535"),
        (({"worker": ["a:0", "b:1"]}, {"type": "worker", "index": 0}), "a port from 1 to 65535"),
        (({"worker": [":8", "b:1"]}, {"type": "worker", "index": 0}), "Received: ':8'"),
        (({"worker": [8, "b:1"]}, {"type": "worker", "index": 0}), "Received: 8"),
    ],
)
def test_a_wrong_tf_config_is_named(config, message):
    environ = {"TF_CONFIG": config} if isinstance(config, str) else tf_config(*config)
    with pytest.raises(kr.InputError) as error:
        resolve(environ)
    assert message in str(error.value)


def test_slurm():
    found = resolve(slurm())
    assert found.workers == ("gpu09:12112", "gpu09:12113", "gpu10:12112")  # 12000 + 16 * 7
    assert (found.index, found.source) == (2, "SLURM")
    assert resolve(slurm(KERASRECIPES_PORT="9000")).workers[1] == "gpu09:9001"


def test_slurm_without_the_variables_of_the_step():
    changes = {"SLURM_STEP_NUM_TASKS": None, "SLURM_NTASKS": "2", "SLURM_STEP_NODELIST": None}
    more = {"SLURM_JOB_NODELIST": "a,b", "SLURM_STEP_TASKS_PER_NODE": None, "SLURM_PROCID": "1"}
    assert resolve(slurm(**changes, **more)).workers == ("a:12112", "b:12112")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"SLURM_STEP_NODELIST": None}, "`SLURM_STEP_NODELIST` is missing"),
        ({"SLURM_PROCID": "3"}, "`SLURM_PROCID` must be below the number of tasks, 3"),
        ({"SLURM_PROCID": "x"}, "`SLURM_PROCID` must be an integer >= 0. Received: 'x'"),
        ({"SLURM_STEP_TASKS_PER_NODE": "1(x2)"}, "the tasks of each of 2 node(s), 3 in all"),
        ({"SLURM_STEP_TASKS_PER_NODE": "2;1"}, "`SLURM_STEP_TASKS_PER_NODE` must be"),
        ({"SLURM_STEP_TASKS_PER_NODE": None}, "`SLURM_STEP_TASKS_PER_NODE` must be"),
        ({"SLURM_DISTRIBUTION": "cyclic:block"}, "`SLURM_DISTRIBUTION` must be 'block'"),
        ({"SLURM_NODEID": "0", "SLURM_LOCALID": "1"}, "task 2 is task 1 of node 0"),
        ({"KERASRECIPES_PORT": "70000"}, "`KERASRECIPES_PORT` must be"),
    ],
)
def test_contradictions_of_slurm_are_named(changes, message):
    with pytest.raises(kr.InputError) as error:
        resolve(slurm(**changes))
    assert message in str(error.value)


def test_one_task_per_node_may_have_any_distribution():
    changes = {"SLURM_STEP_TASKS_PER_NODE": "1(x3)", "SLURM_STEP_NODELIST": "n[1-3]"}
    place = {"SLURM_NODEID": "2", "SLURM_LOCALID": "0", "SLURM_DISTRIBUTION": "cyclic"}
    assert len(resolve(slurm(**changes, **place)).workers) == 3


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a", ["a"]),
        ("a,b-1", ["a", "b-1"]),
        ("n[1-3]", ["n1", "n2", "n3"]),
        ("n[8-11]", ["n8", "n9", "n10", "n11"]),
        ("n[08-11,3],x", ["n08", "n09", "n10", "n11", "n3", "x"]),
        ("n[098-101]", ["n098", "n099", "n100", "n101"]),
        ("r[1-2]n[0,4]-ib,z[7]", ["r1n0-ib", "r1n4-ib", "r2n0-ib", "r2n4-ib", "z7"]),
        ("[1-2].site", ["1.site", "2.site"]),
    ],
)
def test_expand(text, names):
    assert expand(text) == names


def test_addresses_are_those_of_tensorflows_own_resolver(monkeypatch):
    for low, width, more in itertools.product((0, 7, 98), (1, 2, 3), ("", ",30", ",415-417")):
        nodes = f"a[{low:0{width}d}-{low + 5:0{width}d}{more}],other"
        count = len(expand(nodes))
        environ = slurm(
            SLURM_STEP_NODELIST=nodes,
            SLURM_STEP_TASKS_PER_NODE=f"3,2(x{count - 2}),1",
            SLURM_STEP_NUM_TASKS=str(2 * count),
            SLURM_PROCID="3",
            KERASRECIPES_PORT="9000",
        )
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        resolver = tf.distribute.cluster_resolver.SlurmClusterResolver
        theirs = resolver(port_base=9000, gpus_per_node=16, gpus_per_task=1, auto_set_gpu=False)
        hosts = theirs.cluster_spec().as_dict()["worker"]  # in alphabetical order
        assert sorted(resolve().workers) == sorted(hosts), nodes


@pytest.mark.parametrize(
    "text", ["", "a,", "n[", "n]", "n[3-1]", "n[a]", "n[]", "n[1[2]]", "n[1-]"]
)
def test_expand_refuses(text):
    with pytest.raises(kr.InputError, match="`SLURM_STEP_NODELIST` must be a list of nodes"):
        expand(text)


def test_kubernetes():
    found = resolve(kubernetes())
    assert found.workers == ("train-0.workers:12345", "train-1.workers:12345")
    assert (found.index, found.source) == (1, "Kubernetes")
    assert resolve(kubernetes(KERASRECIPES_PORT="80")).workers[1] == "train-1.workers:80"
    listed = resolve(kubernetes(KERASRECIPES_WORKERS="a:1, b:2", HOSTNAME=None))
    assert listed.workers == ("a:1", "b:2")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"JOB_COMPLETION_INDEX": "x"}, "`JOB_COMPLETION_INDEX` must be an integer"),
        ({"JOB_COMPLETION_INDEX": "2", "HOSTNAME": "train-2"}, "must be below the 2 workers"),
        ({"KERASRECIPES_WORKERS": "0"}, "`KERASRECIPES_WORKERS` must be an integer >= 1"),
        ({"KERASRECIPES_WORKERS": "a,b"}, "`KERASRECIPES_WORKERS` must be a list of addresses"),
        ({"KERASRECIPES_SERVICE": None}, "`KERASRECIPES_SERVICE` must be the name"),
        ({"HOSTNAME": "laptop"}, "`HOSTNAME` must be the host name of pod 1"),
        ({"HOSTNAME": "train-0"}, "`HOSTNAME` must be the host name of pod 1"),
        ({"KERASRECIPES_PORT": "http"}, "`KERASRECIPES_PORT` must be an integer"),
    ],
)
def test_contradictions_of_kubernetes_are_named(changes, message):
    with pytest.raises(kr.InputError) as error:
        resolve(kubernetes(**changes))
    assert message in str(error.value)
