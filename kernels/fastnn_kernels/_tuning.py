"""Numbers that were measured, each with the measurement. Kernels and the engine read them from here."""

# Rows of every matrix buffer start on a cache line: one 512-bit vector, so no load crosses two lines.
ALIGNMENT = 64

# Nanoseconds that one innermost operation takes on one core (`pytest bench/test_kernels.py --benchmark-only`, float32,
# 2 cores with AVX-512). A kernel's `work` is made of them, and by it the serial or the parallel version is chosen.
MULTIPLY_ADD = 0.02
ELEMENT = 0.03
TRANSCENDENTAL = 0.3
SERIAL_ELEMENT = 3.0  # an element of a kernel without `work`, which has no parallel version
# A listed row of a table lies anywhere in memory: to reach it takes as long as this number of further elements. Without
# that, one of two threads had 11 us of such rows, the other 22 (600 rows of 64 numbers, 456 of 256; Zen 5, AVX-512).
LISTED_ROW = 192

# An empty parallel region costs 1.5-2.4 us, and more when the other core is late. Work of fewer nanoseconds than this
# stays on the calling thread.
PARALLEL_FROM = 8_000.0
# But threads that share one phase of a step are there for the others, too, and would wait at their ends. So they share
# each phase of so many nanoseconds: a step of cats-vs-cars takes 45.8 instead of 47.9 us (two threads, AVX-512).
SHARED_FROM = 2_000.0

# Cache blocking of a product out = a · b, in the names of BLIS: at most KC terms of a sum and MC rows of out at a time.
# The pieces of a and b that the micro-tiles of a block read again and again then stay in the caches.
KC = 256
MC = 192
# A sum is cut into equal parts of up to an eighth more than KC terms: 784 are three, not three and a rest of 16.
MOST_TERMS = KC + KC // 8
# A product of so few rows is one block: two blocks would read b twice. A program cuts its batches itself.
UNDIVIDED = 128
# Rows of b that lie whole pages apart compete for the same few lines of the first cache (1,024 columns of float32: 72 %
# of the limit with AVX2, 88 % from a copy). With AVX2 rows that lie nearer count, too, if there are many: of rows four
# lines apart a first cache holds 128 (`Shape.spread`). A block copies a panel of such a b to where its lines lie side
# by side, if it has this many rows and more to use the copy, which takes this many bytes at most.
PACKED_FROM = 40
PACKED_BYTES = 36 << 10
# With AVX2 a block of xᵀ · dout copies its columns of x if a column's terms lie within so many bytes or more, if at
# least so many lines of sums use the copy, and if it takes at most so many bytes, which are on the stack. 512 terms of
# 512 × 512 sums run at 61 instead of 50 GFLOP/s then, 32 of 1,568 × 784 at 52 instead of 31 (Zen 3, float32).
COLUMNS_FROM = 128 << 10
COLUMNS_LINES = 8
COLUMNS_BYTES = MC * MOST_TERMS * 4
# A part of b of more bytes than this comes from the third cache or from memory: while one panel is used, lines of the
# next one are prefetched (32 × 6,272 × 784: from 64 to 83 % of the limit with AVX2, from 76 to 83 % with AVX-512).
# Tiles with AVX-512 prefetch one line with each term. All at once before a tile they fill the queue of requests, and
# the tile waits: 25 × 3,136 × 1,024 of each thread took 1.3 ms, now .76 (Zen 5; its arithmetic takes .65). In the same
# way rows of out, if they and this part of b are as large together: 10,000 terms of 392 × 1,000 sums took 40 ms, now 35
# (arithmetic 32). The tiles of the last panel prefetch the next terms of a: those sums took 33, now 32.2 ms, and 10,000
# terms of 1,000 × 10 sums 3.0, now 1.75, as all that they read comes from memory.
FAR_BYTES = 512 << 10
# A row of fewer scores than this leaves most of a vector register empty: their loss is computed along the batch.
NARROW = 8
# Samples of a block in which narrow layers run: few, so that a block's values stay in the first cache, but enough that
# adding up the lanes of a sum at its end costs little.
BLOCK = 128
# The gradients of a convolution leave out the zeros of dout if a sample has at most this fraction of other numbers, if
# each number of dout is a factor of so many cache lines of products (18: 3 × 3 taps of 32 channels, float32), and if
# for the input's gradient so many lines of products are added up at a pixel for each line of taps. Where half that
# fraction is not 0, dense / listed was 1.2 to 2.6, at that fraction 1.0 to 1.6 (AVX-512, Zen 4); a convolution of 16
# channels and 3 × 3 taps took longer by lists.
MOST_NONZEROS = 0.4
LISTED_LINES = 18
LISTED_LINES_AT_A_PIXEL = 192
# Bytes of an image that each channel of a filter goes over before the next one does: 32 × 32 × 64 float32 in 8 bands
# take 0.8 of the time that they take in one.
BAND_BYTES = 32 << 10
# Taps whose weight's gradient one thread sums at a time, all images one after the other: FEWEST_TAPS, or more if they
# take no more than TAPS_BYTES. With more of them the images are read fewer times: of 50 images of 18 × 18 × 32, 5 × 5
# taps and 64 filters, 400 at a time are 1.4 times as fast as 96 (Zen 3, AVX2, one thread).
FEWEST_TAPS = 96
TAPS_BYTES = 128 << 10
# Channels of a pixel that take fewer bytes than this are few: parameters of channels are repeated over several pixels.
# Biases of 16 images of 24 × 24 pixels and 6 channels take 2.1 us then instead of 18, batch normalisation 5.4 instead
# of 42. With 32 channels it took 27 instead of 32 with AVX-512, but 36 instead of 30 with AVX2 code (Zen 5, float32).
CHANNEL_BYTES = 2 * ALIGNMENT
# The input's gradient of a convolution is computed by col2im if a pixel's channels take less than two cache lines and
# leave a part of a line empty, or the stride is not 1, and if the window has three columns or more. Dense / col2im with
# 3 × 3 and 5 × 5 taps, 6 to 64 filters, strides 1 and 2 (float32, one thread of a Zen 5): 1 to 8 channels 1.6 to 7.0
# with AVX-512, 1.6 to 6.1 with AVX2 code; 10 to 14 channels 1.3 to 4.7 and 1.2 to 3.2; 20 to 28 channels 1.2 to 3.7 and
# 1.15 to 2.7; 16 channels, stride 2, 1.3 to 2.6 and 1.2 to 1.5. Windows of one column gained nothing with stride 2 (0.8
# to 1.2). Those of two columns gained 1.1 to 3.8 and 1.1 to 3.6; they are left as they were, to keep their bits.
COL2IM_BYTES = 2 * ALIGNMENT
COL2IM_COLUMNS = 3
# A convolution with so many output channels or fewer has kernels of its own, whose lanes hold pixels or taps: 1.9 to 13
# times as fast as lanes of channels with 1 to 8 channels of pictures of one to three (Zen 5, float32).
FEW_CHANNELS = 8
