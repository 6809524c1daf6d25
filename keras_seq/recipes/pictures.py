"""A classifier of pictures as a run directory, which `python -m export build` reads."""

from pathlib import Path

import numpy as np

from keras_seq.recipes.run_files import write_json
from keras_seq.whole_file import whole_file


def save_run(model, data, run_dir, accuracy):
    """Writes `model.keras`, `config.json`, `labels.json`, `test.npz` and `results.json`.

    Args:
        model: trained `keras.Model` from pictures `(batch, height, width, channels)`, uint8 or floats from 0 to 1, to
            logits.
        data: `keras_seq.data.images.Images`, whose test part is kept.
        run_dir: path of the folder.
        accuracy: float, the model's share of right labels on the test part.

    Returns:
        `pathlib.Path` of the folder.
    """
    run_dir = Path(run_dir)
    run_dir.mkdir(parents=True, exist_ok=True)
    images, labels = data.test
    picture = dict(zip(("height", "width", "channels"), images.shape[1:], strict=True))
    write_json(run_dir / "config.json", {"task": {"name": data.name, "kind": "classify", "picture": picture}})
    write_json(run_dir / "labels.json", list(data.classes))
    with whole_file(run_dir / "test.npz") as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, images=images, labels=labels)
    with whole_file(run_dir / "model.keras") as temporary:
        model.save(temporary)
    results = {"parameters": model.count_params(), "accuracy": accuracy, "examples": len(labels)}
    write_json(run_dir / "results.json", results)
    return run_dir
