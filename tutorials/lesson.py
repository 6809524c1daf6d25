"""What every lesson's script shares: its command line, its figures, its numbers and its claims.

A lesson prints each number as it is measured and states each claim with the numbers that bear it out. At full size a
claim that does not hold ends the script with exit code 1; `--smoke` runs the same path on tiny sizes and only prints.
`--record` writes results/NN_name.json, which tutorials/README.md is made from.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

RESULTS = Path(__file__).resolve().parent.parent / "results"


class Lesson:
    """One run of a lesson.

    Args:
        script: path of the script, its `__file__`.
        description: str, one line for `--help`.
        argv: list of str, or None for the command line.
        options: dict of a flag of the lesson's own, such as "--data", to the arguments of argparse's `add_argument`.

    Attributes:
        smoke: bool, tiny sizes.
        options: `argparse.Namespace` of all flags.
        run: path of the folder that figures and results.json are written into.
        command: str, what records the lesson's results, for README.

    Example, in a script:
        lesson = Lesson(__file__, "What tanh does.", argv)
        lesson.number("largest output", 0.98)
        lesson.figure(plots.curves(lesson.run / "tanh.png", series, "x", "tanh x"))
        lesson.claim("tanh stays below 1: {largest:.2f}", largest < 1, largest=largest)
        lesson.finish()
    """

    def __init__(self, script, description, argv=None, options=None):
        self.name = Path(script).stem
        default = Path("runs", self.name)
        parser = argparse.ArgumentParser(prog=f"tutorials/{self.name}.py", description=description)
        parser.add_argument("--run", type=Path, metavar="DIR", help=f"folder for figures (default: {default})")
        parser.add_argument("--smoke", action="store_true", help="tiny sizes, in seconds, to see that everything runs")
        recorded = "write the numbers to results/" + (", not of --data" if "--data" in (options or {}) else "")
        parser.add_argument("--record", action="store_true", help=recorded)
        for flag, arguments in (options or {}).items():
            parser.add_argument(flag, **arguments)
        args = self.options = parser.parse_args(argv)
        self.smoke = args.smoke
        self.run = args.run or (default.with_name(default.name + "-smoke") if self.smoke else default)
        self._record = args.record and not self.smoke and not self._data()
        self.command = " ".join(["python", f"tutorials/{self.name}.py", "--record", *_given(parser, args, options)])
        self._begin, self._earlier = time.perf_counter(), 0.0
        self._numbers, self._claims, self._figures = {}, [], []
        self.run.mkdir(parents=True, exist_ok=True)

    def use_own_folder(self):
        """Writes runs of other sizes or data, `--preset gpu` and `--data FILE`, into folders of their own in `run`."""
        if self.options.preset == "gpu":
            self.run /= "gpu"
        if self._data():
            self.run /= Path(self._data()).stem
        self.run.mkdir(parents=True, exist_ok=True)

    def use_precision(self):
        """At `--preset gpu` computes in what the machine is fastest in, see `keras_seq.training.set_precision`."""
        if self.options.preset == "gpu":
            from keras_seq.training import set_precision

            print(f"precision: {set_precision()}")

    def _data(self):
        return getattr(self.options, "data", None)

    def number(self, name, value, form=".4g"):
        """Prints a number and keeps it for results.json."""
        self._numbers[name] = float(f"{value:.6g}")
        print(f"  {name:58} {value:{form}}", flush=True)

    def claim(self, text, holds, **numbers):
        """States a claim, with its numbers in the text as `{name:format}`, and whether they bear it out."""
        self._claims.append({"claim": text.format(**numbers), "holds": bool(holds)})
        print(f"  {'->' if holds else 'NOT SO:'} {self._claims[-1]['claim']}", flush=True)

    def finding(self, text, holds, **numbers):
        """States a claim about the lesson's own data, as `claim` does; of a file of one's own nothing is claimed."""
        if not self._data():
            self.claim(text, holds, **numbers)

    def figure(self, path):
        """Keeps a written figure's path, and shows it where the lesson runs as a notebook."""
        self._figures.append(str(path))
        if "ipykernel" in sys.modules:
            from IPython.display import Image, display

            display(Image(filename=str(path)))

    def trained(self, train, *arguments, **options):
        """Calls a recipe's `train`, and counts what an earlier start has spent on the run into the lesson's minutes.

        Args:
            train: function to (what was trained, dict with `seconds`, those of its epochs by whichever start).
            arguments, options: what it is called with.

        Returns:
            what `train` returns.

        Raises:
            SystemExit: with what is wrong, where the data cannot be trained on or the folder belongs to another run.
        """
        from keras_seq.training.run_directory import OtherRunError

        begin = time.perf_counter()
        try:
            made, results = train(*arguments, **options)
        except OtherRunError as error:
            sys.exit(f"{self.name}: {error}; here: name another folder with --run, or remove that one")
        except (OSError, ValueError) as error:
            sys.exit(f"{self.name}: {error}")
        self._earlier += max(0.0, results["seconds"] - (time.perf_counter() - begin))
        return made, results

    def finish(self, **more):
        """Writes results.json; at full size ends with exit code 1 where a claim did not hold.

        Args:
            more: whatever else the results should hold, such as tables; anything JSON can hold.
        """
        from keras_seq.whole_file import whole_file

        minutes = round((time.perf_counter() - self._begin + self._earlier) / 60, 1)
        results = {
            "command": self.command,
            "minutes": minutes,
            "numbers": self._numbers,
            "claims": self._claims,
            **more,
        }
        for path in [self.run / "results.json"] + ([RESULTS / f"{self.name}.json"] if self._record else []):
            with whole_file(path) as temporary:
                temporary.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"\n{minutes} minutes; figures:\n" + "\n".join(f"  {path}" for path in self._figures))
        failed = [entry["claim"] for entry in self._claims if not entry["holds"]]
        if failed and not self.smoke:
            sys.exit("the numbers do not bear out: " + "; ".join(failed))


def _given(parser, args, options):
    """The lesson's own flags as they were given, such as "--seeds 1"; those that have their defaults are left out."""
    for flag, arguments in (options or {}).items():
        name = arguments.get("dest", flag.strip("-").replace("-", "_"))
        value = getattr(args, name)
        if value != parser.get_default(name):
            values = value if isinstance(value, list) else [value]
            yield flag if value is True else " ".join([flag, *map(str, values)])
