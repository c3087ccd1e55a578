"""Sweeps: trials of many settings, here, in processes or on a cluster, and which of them is best; tests of rates.

Which file to read for what, each list in a good order:

- a sweep: `sweep`, `arguments`, `space` (settings), `order`, `plans`, `optuna_plan`
- its trials: `job` and `model_job` (one), `trials` (all), `ranking`, `result`, `picture`
- where they run: `running`, `pools`, `packing` (what is sent), `cluster_threads`
- on the disk: `store`, `table`, `folder`
- learning rates alone, in one short training: `find_rate`, `rate_test`
"""
