"""The bundle that lies in the repository, used as a stranger would: what it reads, what it flags, how large it is."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from export import bundle as bundles
from export import runtime

ROOT = Path(__file__).resolve().parents[2]
BUNDLE = ROOT / "bundles" / "dates"
NAMES = (
    "Ada Lovelace;Zhang Wei;李娜;王小明;Jean-Luc Picard;María José García;Friedrich Nietzsche;Søren Kierkegaard;"
    "Nguyễn Văn An;Oluwaseun Adeyemi;Priya Raghunathan;Giuseppe Verdi;Jürgen Klopp;J. R. R. Tolkien;May Parker;"
    "April O'Neil;August Strindberg;Mr. Smith;Queen Elizabeth II;Louis XIV;New York;北京;Room 101;Boeing 747;Route 66;"
    "Apollo 11;Catch-22;Blade Runner 2049"
).split(";")


@pytest.fixture(scope="module")
def bundle():
    return runtime.load(BUNDLE, threads=1)


def test_it_is_whole_and_at_most_three_megabytes():
    manifest = bundles.verify_checksums(BUNDLE)
    assert sum(entry["bytes"] for entry in manifest["files"].values()) <= 3_000_000


def test_its_own_run_py_answers_each_line(tmp_path):
    lines = "15.1.2011\n\nwhat time is it\n29/2/2020\n"
    command = [sys.executable, "-I", str(BUNDLE / "run.py")]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, cwd=tmp_path, encoding="utf-8")
    assert done.stdout == "2011-01-15\n\n\n2020-02-29\n"
    assert [line[:7] for line in done.stderr.splitlines()] == ["line 2:", "line 3:"]
    assert done.returncode == 1


def test_the_dates_of_the_issue_are_read(bundle):
    written = {
        "samedi 9 mai 1998": "1998-05-09",
        "2018年5月3日": "2018-05-03",
        "3rd of March, 2017": "2017-03-03",
        "Dec. 31 , 1994": "1994-12-31",
        "15.1.2011": "2011-01-15",
        "29/2/2020": "2020-02-29",
        "Tues 9th Aug, 2015": "2015-08-09",
        "二〇二〇年五月三日": "2020-05-03",
    }
    results = bundle.generate(list(written))
    assert {result.text: result.output for result in results if result.accepted} == written


def test_dates_written_by_hand_are_read_and_kept(bundle):
    lines = (ROOT / "tests" / "data" / "written_dates.tsv").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("\t") for line in lines]
    results = bundle.generate([text for text, _ in pairs])
    right = sum(result.output == iso for result, (_, iso) in zip(results, pairs, strict=True))
    assert right >= 0.92 * len(pairs)
    assert sum(not result.accepted for result in results) <= 0.02 * len(pairs)


def test_names_are_flagged(bundle):
    accepted = [result for result in bundle.generate(NAMES) if result.accepted]
    assert len(accepted) <= 0.05 * len(NAMES), accepted


@pytest.mark.skipif("KERAS_SEQ_DATA" not in os.environ, reason="KERAS_SEQ_DATA names no folder with real sentences")
@pytest.mark.parametrize("column", [0, 1], ids=["english", "chinese"])
def test_real_sentences_are_flagged(bundle, column):
    path = Path(os.environ["KERAS_SEQ_DATA"], "raw", "tatoeba_cmn_eng", "cmn.txt.gz")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        texts = [line.split("\t")[column].strip() for line in file][::29]
    results = [result for result in bundle.generate(texts) if result.refusal is None]
    assert len(results) > 500
    assert sum(not result.accepted for result in results) >= 0.95 * len(results)


def test_samples_are_what_the_bundle_writes(bundle):
    samples = json.loads((BUNDLE / "samples.json").read_text(encoding="utf-8"))
    results = bundle.generate([sample["text"] for sample in samples])
    assert [result.output for result in results] == [sample["output"] for sample in samples]
