"""Sweeps: trials of many settings, here, in processes or on a cluster, and which of them is best."""
