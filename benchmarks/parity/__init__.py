"""Our layers beside Keras's and PyTorch's with the same weights, one row a comparison."""
