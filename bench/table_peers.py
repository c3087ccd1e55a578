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


def main(rows, seed):
    """A line for each model: accuracy on data of which it saw nothing."""
    warnings.simplefilter("ignore")
    frame, labels, chance = census(rows, seed)
    cut = rows * 2 // 3
    train, test = frame[:cut], frame[cut:]
    models = {
        "fastnn": MLPClassifier((64, 32), early_stopping=True, n_iter_no_change=5, random_state=0, dtype="float32")
    }
    frames = {"fastnn": (train, test)}
    if find_spec("lightgbm"):
        from lightgbm import LGBMClassifier

        texts = [name for name in frame if frame[name].dtype.kind not in "fb"]
        coded = frame.astype(dict.fromkeys(texts, "category"))
        models["LightGBM, its defaults"] = LGBMClassifier(verbose=-1, n_jobs=1)  # which changes no tree
        frames["LightGBM, its defaults"] = coded[:cut], coded[cut:]
    print(f"{cut:,} people to train on, {rows - cut:,} to judge by, seed {seed}; high incomes: {labels.mean():.3f}")
    for name, model in models.items():
        model.fit(frames[name][0], labels[:cut])
        print(f"{name:24} accuracy {(model.predict(frames[name][1]) == labels[cut:]).mean():.4f}")
    print(f"{'the probabilities known':24} accuracy {((chance[cut:] > 0.5) == labels[cut:]).mean():.4f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=45_000)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    main(chosen.rows, chosen.seed)
