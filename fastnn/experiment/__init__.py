"""From a recipe to a folder with model, figures and page; sweeps.

Which file to read for what, each list in a good order:

- a system: `recipe`, `settings`, `comparison`
- a command: `experiment`, `run_list` (which trainings), `runner`, `train_one`, `results`; `followers` (other ranks)
- its folder: `run_folder`, `run_files`, `run_swap` (a new run in the place of an old one)
- what it says: `answering`, `answers`, `sayings`, `mistakes`, `predictions`, `published` (a course report's figures),
  `pictures`, `same_colours`, `report` (the page); `summary`, `summaries`, `machine` (summary.json)
- a sweep: `sweep`, which `fastnn.search` trains
"""
