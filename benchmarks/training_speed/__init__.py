"""How fast a Transformer trains: this library beside keras.layers and PyTorch, side by side in one run."""
