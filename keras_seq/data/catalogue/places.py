"""Where data sets are looked for, and what to do when they are not there.

`KERAS_SEQ_DATA` names a folder with `tfds/`, a tensorflow-datasets `data_dir`, and `raw/`, files as published. It is
only read. Set, nothing else is looked at; unset, tensorflow-datasets' own folder and the network serve. What is
prepared from raw files goes into tensorflow-datasets' folder (`TFDS_DATA_DIR`, or `~/tensorflow_datasets`).
"""

import contextlib
import os
import threading
import urllib.error
import urllib.request
from pathlib import Path


def data_folder():
    """`pathlib.Path` of `KERAS_SEQ_DATA`, or None if it is unset."""
    folder = os.environ.get("KERAS_SEQ_DATA")
    return Path(folder) if folder else None


def tensorflow_datasets():
    """The module tensorflow_datasets.

    Raises:
        ModuleNotFoundError: if it is not installed, or what it needs.
    """
    try:
        import tensorflow_datasets as tfds
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{error.name} is not installed: pip install tensorflow-datasets importlib_resources"
        ) from error
    return tfds


def check_reachable(name, folder, address, prepare):
    """Refuses a set that cannot be had, before tensorflow-datasets tries for minutes.

    Args:
        name: str, of the set.
        folder: str, where `KERAS_SEQ_DATA` would have it.
        address: str, of one of its files.
        prepare: str, the command that prepares it in that folder, or what else to do.

    Raises:
        FileNotFoundError: if `KERAS_SEQ_DATA` is set: it is not in there.
        ConnectionError: if the network does not answer.
    """
    if data_folder():
        raise FileNotFoundError(
            f"KERAS_SEQ_DATA={data_folder()} has no {folder}; unset it to download the set, or {prepare}"
        )
    if not answers(address):
        raise ConnectionError(
            f"{name}: it is not on this machine, and the network does not answer; set KERAS_SEQ_DATA to a folder with "
            f"{folder}"
        )


def answers(url, seconds=5):
    """Whether a server answers in time; asked from a thread, since looking up its name has no time limit.

    Args:
        url: str.
        seconds: float.

    Returns:
        bool. A server that refuses the question has answered: it may give the file all the same.
    """
    answered = threading.Event()

    def ask():
        request = urllib.request.Request(url, method="HEAD")
        with contextlib.suppress(OSError):
            try:
                with urllib.request.urlopen(request, timeout=seconds):
                    answered.set()
            except urllib.error.HTTPError:
                answered.set()

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    return answered.is_set()
