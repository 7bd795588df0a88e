"""Draws docs/score-against-seconds.png from the table "Scores on tables" of docs/results.md.

Called by `make score-plot`.
"""

import pathlib

import matplotlib.pyplot as plt

DOCS = pathlib.Path(__file__).parent
# CPU seconds and score of others on the same rows at their defaults, but for RealMLP's epochs.
PEERS = {
    "diamonds": {
        "CatBoost": (20.9, 0.0857),
        "XGBoost": (0.30, 0.0860),
        "LightGBM": (0.31, 0.0899),
        "RealMLP (32)": (49.3, 0.0899),
        "scikit-learn MLP": (4.2, 0.1082),
        "fastai": (18.9, 0.1198),
        "plain Keras": (13.7, 0.1243),
    },
    "flights": {
        "CatBoost": (37.6, 0.7633),
        "XGBoost": (0.44, 0.7424),
        "LightGBM": (0.36, 0.7490),
        "RealMLP (32)": (48.6, 0.7197),
        "scikit-learn MLP": (33.3, 0.6619),
        "fastai": (21.3, 0.6876),
        "plain Keras": (14.9, 0.6777),
    },
}
LABELS = {
    "diamonds": "RMSE of the log price (lower is better)",
    "flights": "ROC-AUC (higher is better)",
}


def rows_of(name: str) -> list[tuple[str, str, float, float]]:
    """Returns form, epochs, mean score and CPU seconds of each row of a data set."""
    text = (DOCS / "results.md").read_text()
    section = text.split("## Scores on tables")[1].split("\n## ")[0]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines()]
    found = [row for row in cells if row and row[0].split(",")[0] == name]
    return [(row[1], row[2], float(row[3]), float(row[6])) for row in found]


def draw(ax: plt.Axes, name: str) -> None:
    """Draws the scores of a data set against the seconds that they cost."""
    for label, (seconds, score) in PEERS[name].items():
        ax.plot(seconds, score, "o", color="0.6")
        ax.annotate(
            label, (seconds, score), (6, -3), textcoords="offset points", color="0.4", size=9
        )
    rows = rows_of(name)
    for form in dict.fromkeys(row[0] for row in rows):
        own = [row for row in rows if row[0] == form]
        ax.plot([row[3] for row in own], [row[2] for row in own], "o-", label=f'tabular, "{form}"')
        for _, epochs, score, seconds in own:
            ax.annotate(epochs, (seconds, score), (-12, -11), textcoords="offset points", size=8)
    ax.set(title=name, xscale="log", xlabel="CPU seconds of one core", ylabel=LABELS[name])
    ax.set_xlim(0.2, 2000)
    ax.grid(alpha=0.3)


def main() -> None:
    """Writes the figure."""
    figure, axes = plt.subplots(1, len(PEERS), figsize=(11, 4.6), layout="constrained")
    for ax, name in zip(axes, PEERS, strict=True):
        draw(ax, name)
    axes[0].legend(loc="upper left", fontsize=8)
    figure.suptitle("Score against seconds; the small numbers are epochs", size=11)
    figure.savefig(DOCS / "score-against-seconds.png", dpi=110)


if __name__ == "__main__":
    main()
