"""Numbers that were measured, with what measured them. Kernels and plans read them; nothing else decides."""

# Rows of every matrix buffer start on a cache line: one 512-bit vector, so no load crosses two lines.
ALIGNMENT = 64

# What one innermost operation costs on one core, in nanoseconds (`pytest bench/test_kernels.py --benchmark-only`,
# float32, 2 cores with AVX-512): the scale on which the serial or the parallel twin is chosen.
MULTIPLY_ADD = 0.02
ELEMENT = 0.03
TRANSCENDENTAL = 0.3
SERIAL_ELEMENT = 3.0  # of a kernel that handles its elements one after the other

# A parallel region costs 1.5-2.4 us empty, and more when the other core is late: work below this many
# nanoseconds stays on the calling thread.
PARALLEL_FROM = 8_000.0

# A product takes so many p at a time, and so many rows of out: what tiles read again then stays in the caches.
DEPTH = 256
ROWS = 48
# While row p of b is used, row p + PREFETCH_ROWS is asked for.
PREFETCH_ROWS = 16
# Rows of fewer columns than this leave most of a vector register empty: kernels then run along the batch.
NARROW = 8
