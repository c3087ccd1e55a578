"""The system `table`: a user's own CSV file, one column predicted from the others.

- `recipe`: settings, how the file is read and prepared, network
- what it answers: `answers`, `contents` (what is in the table), `rows` (of the tables of a report), `importance` (of
  columns)
"""
