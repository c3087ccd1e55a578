"""Steps and epochs: compiled, run, watched by callbacks, saved."""
