import numpy as np
import pytest
import tensorflow as tf

import kerasrecipes as kr
from tests.workers import run_workers

ROWS = [7, 4, 5, 9]  # of each file


def write(folder):
    """Writes files whose rows are all different; returns their values."""
    values = np.split(np.arange(float(sum(ROWS))), np.cumsum(ROWS)[:-1])
    for number, rows in enumerate(values):
        (folder / f"part-{number}.txt").write_text("\n".join(map(str, rows)))
    return values


def read(files):
    rows = tf.data.TextLineDataset(files).map(lambda line: tf.strings.to_number(line) / 10)
    return rows.map(lambda value: (value[None], 2 * value[None]))


def test_one_host_reads_all_files(tmp_path):
    write(tmp_path)
    files = sorted(tmp_path.glob("*.txt"), reverse=True)
    data = kr.distribute.FileBatches(files, read, tf.distribute.get_strategy(), batch_size=4)
    assert data.files == [str(file) for file in sorted(files)]
    seen = [batch[0].numpy().ravel() * 10 for batch in data]
    assert data.num_batches == len(seen) == sum(ROWS) // 4
    np.testing.assert_allclose(np.concatenate(seen), np.arange(24), rtol=1e-6)


def test_steps_limit_an_epoch(tmp_path):
    write(tmp_path)
    files = list(tmp_path.glob("*.txt"))
    strategy = tf.distribute.get_strategy()
    data = kr.distribute.FileBatches(files, read, strategy, batch_size=4, steps=2)
    assert data.num_batches == len(list(data)) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"files": []}, "`files` must be at least one path"),
        ({"batch_size": 0}, "`batch_size`"),
        ({"batch_size": 1000}, "at least 1000 rows"),
        ({"steps": 0}, "`steps`"),
        ({"read": lambda files: read(files).repeat()}, "with an end"),
    ],
)
def test_wrong_arguments(tmp_path, arguments, message):
    write(tmp_path)
    given = {"files": list(tmp_path.glob("*.txt")), "read": read, "batch_size": 4} | arguments
    with pytest.raises(kr.InputError, match=message):
        kr.distribute.FileBatches(
            given.pop("files"), given.pop("read"), tf.distribute.get_strategy(), **given
        )


TRAIN = """
import glob
from tests.distribute.test_file_batches import read
strategy = kr.distribute.strategy("multi_worker", verbose=False)
found = []
for count in (4, 1):
    files = sorted(glob.glob({folder!r} + "/*.txt"))[:count]
    data = kr.distribute.FileBatches(files, read, strategy, batch_size=4)
    with strategy.scope():
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, "linear", False)])
        model.compile(keras.optimizers.SGD(0.1), "mse")
    model.set_weights([np.ones((1, 1))])
    model.fit(data, epochs=2, verbose=0, shuffle=False)
    names = [os.path.basename(file) for file in data.files]
    found.append([names, data.num_batches, float(model.get_weights()[0][0, 0])])
report(found=found)
"""


def trained(batches):
    """Returns the weight of w x = 2 x after these batches, by the formula."""
    w = 1.0
    for rows in batches:
        x = np.asarray(rows) / 10
        w -= 0.1 * np.mean(2 * (w - 2) * x * x)
    return w


@pytest.mark.multi_device
def test_every_host_reads_its_own_files_if_there_are_enough(tmp_path):
    parts = write(tmp_path)
    one, two = run_workers(TRAIN.format(folder=str(tmp_path)), workers=2, timeout=120)
    own = [np.concatenate([parts[0], parts[2]]), np.concatenate([parts[1], parts[3]])]
    steps = min(len(rows) // 2 for rows in own)
    batches = [np.concatenate([rows[2 * t : 2 * t + 2] for rows in own]) for t in range(steps)]
    assert one["found"][0][:2] == [["part-0.txt", "part-2.txt"], steps]
    assert two["found"][0][:2] == [["part-1.txt", "part-3.txt"], steps]
    shared = [parts[0][4 * t : 4 * t + 4] for t in range(len(parts[0]) // 4)]
    for found in (one["found"], two["found"]):
        assert found[0][2] == pytest.approx(trained(batches * 2), rel=1e-6)
        assert found[1][:2] == [["part-0.txt"], len(shared)]
        assert found[1][2] == pytest.approx(trained(shared * 2), rel=1e-6)
