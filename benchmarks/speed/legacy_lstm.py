"""The child that makes legacy Keras's TFLite file of an LSTM, its fused operator: weights.npz and a file to write."""

import os
import sys

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"


def main(weights, path, time):
    """Writes the file."""
    import numpy as np
    import tensorflow as tf
    import tf_keras

    with np.load(weights) as arrays:
        kernel, recurrent_kernel, bias = (arrays[name] for name in arrays.files)
    inputs = tf_keras.Input((int(time), kernel.shape[0]), batch_size=1)
    model = tf_keras.Model(inputs, tf_keras.layers.LSTM(len(recurrent_kernel))(inputs))
    model.set_weights([kernel, recurrent_kernel, bias])
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    with open(path, "wb") as file:
        file.write(converter.convert())


if __name__ == "__main__":
    main(*sys.argv[1:])
