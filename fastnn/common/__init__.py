"""Shared by all of fastnn: exceptions, checks of arguments, random numbers, names, safe writing of files.

Which file to read for what:

- what users hand over: `user_arrays`, `validation`, `assigned` (to a setting), `labels`, `weights`; `names` and
  `hints/` (what may be meant), `plain` (NumPy's numbers)
- files: `files` (whole or not at all), `file_pieces` (in sections, with digests), `framed/` (models and checkpoints),
  `hdf5` (its errors), `gzipped`, `csv_file`; `process_lock` (one process at a time), `stash` (copies of arrays)
- numbers: `arithmetic` (overflow), `random`, `bfloat16`
- what people read: `errors`, `figures`, `text`, `shown` (repr), `notebook`, `stderr`
- the process: `packages` (optional ones), `second_thread` (a second thread), `forks`, `interrupt` (Ctrl-C)
"""
