"""Stand-ins for data sets, drawn from random numbers."""
