"""A network with its arrays: what is asked of it, and its file.

- `stateful_network` (arrays) is the base of `model` (evaluate, predict), and this one of `fastnn.training.trainable`
- `users_data` (preprocessing, columns of frames), `attributes`: what may be assigned to a model; `dtypes`
- `storage`: the file; `lock`: which thread may use the model
- `statistics`: what layers learn of the data before the first step; `gradient_check`
"""
