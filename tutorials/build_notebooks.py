"""Makes notebooks of the lessons: `python tutorials/build_notebooks.py`, then `jupyter lab notebooks/`.

The scripts are the source, the notebooks artefacts: change a script and build again. Each notebook runs as it is, from
any folder; its last cell runs the lesson.
"""

import argparse
import sys
from pathlib import Path

TUTORIALS = Path(__file__).resolve().parent
_LAST_CELL = 'if __name__ == "__main__":'
_FIRST_CELL = """\
import os, sys

os.chdir({root!r})
sys.path[:0] = ["tutorials", "."]
__file__ = {script!r}"""


def main(argv=None):
    """Writes one notebook a lesson and returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("lessons", nargs="*", metavar="NN", help="numbers of lessons, such as 03; all by default")
    parser.add_argument("--out", type=Path, default=TUTORIALS.parent / "notebooks", metavar="DIR")
    parser.add_argument("--smoke", action="store_true", help="notebooks that run the lesson's tiny sizes")
    args = parser.parse_args(argv)
    scripts = sorted(TUTORIALS.glob("[0-9][0-9]*_*.py"))
    numbers = [script.name.split("_")[0] for script in scripts]
    unknown = set(args.lessons) - set(numbers)
    if unknown:
        parser.error(f"no lesson has the number {', '.join(sorted(unknown))}; choose of {', '.join(numbers)}")
    for number, script in zip(numbers, scripts, strict=True):
        if not args.lessons or number in args.lessons:
            print(build(script, args.out, ["--smoke"] if args.smoke else []))
    return 0


def build(script, folder, arguments=()):
    """Writes one lesson's notebook.

    Args:
        script: path of the lesson, in percent cells.
        folder: path, made where it is absent.
        arguments: the command line that the last cell runs the lesson with.

    Returns:
        the notebook's path.

    Raises:
        ValueError: if the script does not end as lessons do, by calling `main()`.
    """
    try:
        import jupytext
        from nbformat.v4 import new_code_cell
    except ImportError:
        sys.exit("notebooks want jupytext: pip install jupytext jupyterlab")
    notebook = jupytext.read(script, fmt="py:percent")
    if not notebook.cells[-1].source.startswith(_LAST_CELL):
        raise ValueError(f"{script} does not end with a cell that calls main(); a lesson does")
    notebook.cells[-1].source = f"main({list(arguments)!r})"
    first = _FIRST_CELL.format(root=str(TUTORIALS.parent), script=str(script))
    notebook.cells.insert(0, new_code_cell(first))
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{script.stem}.ipynb"
    jupytext.write(notebook, path)
    return path


if __name__ == "__main__":
    sys.exit(main())
