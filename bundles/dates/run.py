"""Runs this bundle: `python run.py TEXT ...`, or `import run; run.load(".")`. See README.md."""

import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))  # wherever it is started from

from keras_seq_runtime import *  # noqa: E402, F403
from keras_seq_runtime import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(FOLDER))
