"""The system `notmnist-cnn`: letters with a convolution and batch normalisation.

- `recipe`: settings, network, comparisons, and the one answer
"""
