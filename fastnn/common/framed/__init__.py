"""The files that fastnn alone writes and reads: models, checkpoints, records of a Monitor."""
