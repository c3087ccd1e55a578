"""From descriptions to something that runs: buffers, rows of kernels, one arena, one table."""
