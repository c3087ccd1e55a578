"""The system `scalar`: backpropagation in plain Python loops, then a training on points in the plane.

- `plain_net`: the net in plain loops; `points`: the worked example, the points, and the same net made of layers
- `recipe`: settings, data and comparison; `answers`: what is told of the example and of the training
"""
