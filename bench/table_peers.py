"""A table with numbers and categories beside LightGBM: `python -m bench.table_peers`.

A generated census: whether an income is high follows from numbers (age, hours, …) and categories (occupation, …), alone
and together, and from chance. The best that any model can reach is shown too: the labels are drawn from known
probabilities. LightGBM, with its defaults, gets the same frame; it is left out where it is not installed.
"""

import argparse
import warnings
from importlib.util import find_spec

import numpy as np
import pandas as pd

from fastnn.sklearn import MLPClassifier

OURS, THEIRS = "fastnn, as `fastnn train table` has it", "LightGBM, its defaults"
SIZES = {"occupation": 14, "education": 16, "workclass": 8, "marital": 7, "relationship": 6, "country": 40}


def census(rows, seed):
    """A frame of `rows` people, whether each has a high income, and the probability of that."""
    rng = np.random.default_rng(seed)
    world = np.random.default_rng(12345)  # the same effects for every seed
    codes = {name: rng.choice(count, rows, p=world.dirichlet(np.full(count, 0.8))) for name, count in SIZES.items()}
    effects = {name: world.normal(0, 0.8, count) for name, count in SIZES.items()}
    age = np.clip(rng.gamma(8, 5, rows), 17, 90).round()
    hours = np.clip(rng.normal(40, 12, rows), 1, 99).round()
    years = np.clip(codes["education"] + rng.normal(0, 1, rows), 1, 16).round()
    gain = np.where(rng.random(rows) < 0.08, rng.lognormal(8.5, 1, rows), 0).round()
    sex = rng.random(rows) < 0.5
    score = sum(effects[name][codes[name]] for name in SIZES) - 2.2
    score += 1.5 * np.tanh((age - 25) / 15) - 0.0012 * (age - 48) ** 2 + 0.25 * (years - 8) + 0.5 * (gain > 5000)
    score += 0.04 * (hours - 40) * (1 + world.normal(0, 0.5, 14)[codes["occupation"]])
    score += world.normal(0, 0.7, (14, 8))[codes["occupation"], codes["workclass"]]
    score += (
        np.where(sex, 0.6 * (codes["marital"] < 3), -0.2) + 0.3 * (age > 40) * effects["education"][codes["education"]]
    )
    chance = 1 / (1 + np.exp(-1.3 * score))
    columns = {"age": age, "hours": hours, "years": years, "gain": gain, "sex": sex}
    columns |= {name: np.char.add(name[:4], code.astype(str)).astype(object) for name, code in codes.items()}
    frame = pd.DataFrame(columns)
    frame.loc[rng.random(rows) < 0.05, "hours"] = np.nan
    frame.loc[rng.random(rows) < 0.05, "occupation"] = None
    return frame, rng.random(rows) < chance, chance


def accuracies(rows, seed):
    """The accuracy of each model on people of whom it saw nothing, by its name; a line for each."""
    frame, labels, chance = census(rows, seed)
    cut = rows * 2 // 3
    print(f"{cut:,} people to train on, {rows - cut:,} to judge by, seed {seed}; high incomes: {labels.mean():.3f}")
    texts = [name for name in frame if frame[name].dtype.kind not in "fb"]
    coded = frame.astype(dict.fromkeys(texts, "category"))  # as LightGBM takes categories
    found = {}
    for name, (model, table) in models(frame, coded).items():
        model.fit(table[:cut], labels[:cut])
        found[name] = (model.predict(table[cut:]) == labels[cut:]).mean()
    found["the probabilities known"] = ((chance[cut:] > 0.5) == labels[cut:]).mean()
    for name, accuracy in found.items():
        print(f"{name:42} accuracy {accuracy:.4f}", flush=True)
    return found


def models(frame, coded):
    """Each model with the form of the table that it takes."""
    settings = {"hidden_layer_sizes": (64, 32), "random_state": 0, "dtype": "float32"}
    made = {
        OURS: (MLPClassifier(**settings, dropout=0.1, early_stopping="loss"), frame),
        "fastnn, the loss says when to stop": (MLPClassifier(**settings, early_stopping="loss"), frame),
        "fastnn, the accuracy says when to stop": (MLPClassifier(**settings, early_stopping=True), frame),
    }
    if find_spec("lightgbm"):
        from lightgbm import LGBMClassifier

        made[THEIRS] = LGBMClassifier(verbose=-1, n_jobs=1), coded  # n_jobs changes no tree
    return made


def main(rows, seeds):
    """The models of several seeds, and how far apart they are on average."""
    warnings.simplefilter("ignore")
    found = [accuracies(rows, seed) for seed in seeds]
    for name in found[0] if THEIRS in found[0] else ():
        apart = [one[name] - one[THEIRS] for one in found]
        print(f"{name:42} - LightGBM's: mean {np.mean(apart):+.4f}, from {min(apart):+.4f} to {max(apart):+.4f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=45_000)
    parser.add_argument("--seeds", type=int, default=5, help="so many, from 0 on")
    chosen = parser.parse_args()
    main(chosen.rows, range(chosen.seeds))
