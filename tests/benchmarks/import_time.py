"""Seconds to import the package, alone and after Keras, in fresh processes that alternate."""

from tables import machine, spread, table, timed

CODES = {
    "nothing": "pass",
    "`import kerasrecipes`": "import kerasrecipes",
    "`import keras`": "import keras",
    "`import keras, kerasrecipes`, all packages loaded": "import keras, kerasrecipes",
}
ROUNDS = 7


def main():
    """Prints the table."""
    seconds = {name: ([], []) for name in CODES}
    for _ in range(ROUNDS):
        for name, code in CODES.items():
            for values, value in zip(seconds[name], timed(code), strict=True):
                values.append(value)
    print(f"{machine()}; median (least to most) of {ROUNDS} alternating runs\n")
    rows = [[name, spread(wall, 2), spread(cpu, 2)] for name, (wall, cpu) in seconds.items()]
    print(table(["a fresh Python that runs", "wall s", "CPU s"], rows))


if __name__ == "__main__":
    main()
