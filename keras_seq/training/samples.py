"""What a model writes, epoch by epoch, in TensorBoard: texts, and pictures such as attention maps.

Written as TensorBoard's plugins read it, without the tensorboard package.
"""

from pathlib import Path

import keras
import tensorflow as tf


class SampleLog(keras.callbacks.Callback):
    """Writes samples into logs/samples of a run directory at the end of every few epochs.

    Args:
        run_dir: path of the run directory.
        sample: function from the model to a dict of name -> str, a text in Markdown; or -> path of a PNG file.
        every: int, epochs between samples.

    Raises:
        ValueError: if `every` is not positive.

    Example, with functions of a task's own:
        def sample(model):
            return {"samedi 9 mai 1998": translate(model, "samedi 9 mai 1998"), "attention": draw(model)}

        fit(model, data, "runs/mine", epochs=9, callbacks=[SampleLog("runs/mine", sample)])
    """

    def __init__(self, run_dir, sample, every=1):
        super().__init__()
        if every < 1:
            raise ValueError(f"every={every} is not a number of epochs; give 1 or more")
        self._folder = Path(run_dir, "logs", "samples")
        self._sample = sample
        self._every = every
        self._writer = None

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self._every:
            return
        if self._writer is None:
            self._writer = tf.summary.create_file_writer(str(self._folder))
        with self._writer.as_default():
            for name, value in self._sample(self.model).items():
                _write(name, value, epoch + 1)
        self._writer.flush()

    def on_train_end(self, logs=None):
        if self._writer is not None:
            self._writer.close()


def _write(name, value, step):
    if isinstance(value, Path):
        png = value.read_bytes()
        height, width = tf.io.decode_png(png).shape[:2]
        tf.summary.write(name, tf.constant([str(width), str(height), png]), step, _metadata("images"))
    else:
        tf.summary.write(name, tf.constant([value]), step, _metadata("text"))


def _metadata(plugin):
    data = tf.compat.v1.SummaryMetadata.PluginData(plugin_name=plugin)
    return tf.compat.v1.SummaryMetadata(plugin_data=data)
