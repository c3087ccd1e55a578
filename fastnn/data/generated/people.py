"""A generated table with numbers, categories and missing cells: people, and whether they earn much."""

import csv
import os

import numpy as np

from fastnn.common import random
from fastnn.common.errors import DataError
from fastnn.common.files import atomic_path
from fastnn.common.validation import any_whole_number
from fastnn.data.dataset import Dataset, Split

JOBS = ("clerk", "cook", "driver", "engineer", "guard", "manager", "nurse", "salesperson", "teacher", "technician")
WORTH = (-0.5, -1.0, -0.6, 1.1, -0.9, 1.3, 0.1, 0.0, 0.3, 0.2)  # of each job, in log-odds
SCHOOLS = ("primary", "secondary", "college", "university")
FAMILIES = ("single", "married", "divorced", "widowed")
CITIES = tuple(f"city {number:02d}" for number in range(40))
COLUMNS = ("age", "job", "school", "years of school", "family", "hours", "gain", "city")
TARGET, CLASSES = "income", ("high", "low")
MISSING = 0.05  # of the cells of `job` and `hours`
WRONG = 0.08  # of the answers, which are turned round: no model gets them right


def generate_people(count: int = 5_000, seed: int = 0) -> Dataset:
    """A table of `count` people: x (count, 8) objects, the columns of COLUMNS, and y (count,) uint8, 0 for "high".

    Numbers are floats, categories texts, and None is missing. The odds of "high" grow with school and hours and up to
    an age, differ by job and city, and are higher for the married, more so in some jobs. meta: `classes`, `columns`,
    `target`, `source`. Raises DataError for a count below 2.
    """
    if any_whole_number("count", count) < 2:
        raise DataError(f"{count} people asked for, expected at least 2")
    draw = random.generator(seed, "generated people")
    numbers, school, job, family, city = _drawn(draw, count)
    odds = _odds(numbers, school, job, family, city)
    is_high = (draw.random(count) < 1 / (1 + np.exp(-1.6 * odds))) != (draw.random(count) < WRONG)
    x = np.empty((count, len(COLUMNS)), object)
    x[:, [0, 3, 5, 6]] = numbers
    for place, names, ids in ((1, JOBS, job), (2, SCHOOLS, school), (4, FAMILIES, family), (7, CITIES, city)):
        x[:, place] = np.array(names, object)[ids]
    for place in (1, 5):
        x[draw.random(count) < MISSING, place] = None
    meta = {"classes": list(CLASSES), "columns": list(COLUMNS), "target": TARGET, "source": "generated"}
    return Dataset(Split(x, (~is_high).astype(np.uint8)), meta=meta)


def _drawn(draw: np.random.Generator, count: int) -> tuple[np.ndarray, ...]:
    """Numbers (count, 4): age, years of school, hours, gain; and ids (count,) of school, job, family and city."""
    age = np.clip(17 + draw.gamma(2.6, 9.0, count), 17, 90)
    school = np.minimum((draw.random(count) * 4.6).astype(int), 3)
    years = 4 + 3.6 * school + draw.standard_normal(count)
    job = (draw.random(count) * len(JOBS)).astype(int)
    family = np.where(age < 24, 0, np.array([0, 1, 1, 2, 3])[(draw.random(count) * 5).astype(int)])
    hours = np.clip(40 + 9 * draw.standard_normal(count), 5, 90)
    gain = np.where(draw.random(count) < 0.1, np.exp(8 + draw.standard_normal(count)), 0)
    city = np.minimum((draw.random(count) ** 1.5 * len(CITIES)).astype(int), len(CITIES) - 1)
    return np.round(np.stack([age, years, hours, gain], axis=1)), school, job, family, city


def _odds(numbers: np.ndarray, school: np.ndarray, job: np.ndarray, family: np.ndarray, city: np.ndarray) -> np.ndarray:
    """The log-odds of "high", but for a factor."""
    age, _, hours, gain = numbers.T
    by_job = np.array(WORTH)[job] * (1 + 0.5 * (family == 1))
    by_age = -0.6 * ((age - 48) / 14) ** 2
    by_family = 1.4 * (family == 1)
    by_city = 0.5 * np.sin(2.1 * city)
    return (
        by_job + by_age + by_family + by_city + 0.9 * (school - 1.6) + 0.05 * (hours - 40) + 0.9 * (gain > 3000) - 0.6
    )


def save_people(path: str | os.PathLike[str], data: Dataset) -> None:
    """Write the table as CSV: COLUMNS and `income`. FileFormatError if the file cannot be written."""
    with atomic_path(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*COLUMNS, TARGET])
        for row, label in zip(data.train.x.tolist(), data.train.y.tolist(), strict=True):
            writer.writerow([*(f"{cell:g}" if isinstance(cell, float) else cell for cell in row), CLASSES[label]])
