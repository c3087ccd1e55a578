"""Numbers that were measured, each with the measurement. Kernels and the engine read them from here."""

# Rows of every matrix buffer start on a cache line: one 512-bit vector, so no load crosses two lines.
ALIGNMENT = 64

# Nanoseconds that one innermost operation takes on one core (`pytest bench/test_kernels.py --benchmark-only`, float32,
# 2 cores with AVX-512). A kernel's `work` is made of them, and by it the serial or the parallel version is chosen.
MULTIPLY_ADD = 0.02
ELEMENT = 0.03
TRANSCENDENTAL = 0.3
SERIAL_ELEMENT = 3.0  # an element of a kernel without `work`, which has no parallel version

# An empty parallel region costs 1.5-2.4 us, and more when the other core is late. Work of fewer nanoseconds than this
# stays on the calling thread.
PARALLEL_FROM = 8_000.0

# Cache blocking of a product out = a · b, in the names of BLIS: at most KC terms of a sum and MC rows of out at a time.
# The pieces of a and b that the micro-tiles of a block read again and again then stay in the caches.
KC = 256
MC = 48
# While a tile uses row p of b, it prefetches row p + PREFETCH_ROWS.
PREFETCH_ROWS = 16
# A row of fewer columns than this leaves most of a vector register empty: kernels then run along the batch.
NARROW = 8
# Samples of a block in which narrow layers run: few, so that a block's values stay in the first cache, but enough that
# adding up the lanes of a sum at its end costs little.
BLOCK = 128
