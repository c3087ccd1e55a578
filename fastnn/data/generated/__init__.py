"""Generated data sets, which stand in for real ones: the same bytes for the same seed, nothing to download."""
