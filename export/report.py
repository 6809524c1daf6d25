"""A verification as people read it: an artefact a section, a proof a line, PASS or REFUSED in front."""

from export import tables
from export.generator_scores import SCORES

_OPERATORS = 15
_MB = 1e6


def to_markdown(report):
    """A verification report.

    Args:
        report: dict that JSON can hold: `bundle`, its name, and `artefacts`, a list of dicts of `path`, `format`,
            `precision`, `refused` (None, or why), and of what there is of `structure` (`export.structure.inspect`),
            `numbers` (`export.numbers.compare`), `task` (`export.prove`) and `runtimes`
            (`export.runtimes.load_everywhere`).

    Returns:
        str, Markdown that ends in a newline.
    """
    artefacts = report["artefacts"]
    passed = sum(not artefact.get("refused") for artefact in artefacts)
    lines = [f"# Verification of {report['bundle']}", "", f"{passed} of {len(artefacts)} artefacts pass.", ""]
    for artefact in artefacts:
        lines += [*_section(artefact), ""]
    return "\n".join(lines)


def lines(artefact):
    """The lines of one artefact, those that are not empty; see `to_markdown`."""
    return [line for line in _section(artefact) if line]


def _section(artefact):
    refused = artefact.get("refused")
    yield f"## {'REFUSED' if refused else 'PASS'}: {artefact['path']} ({artefact['format']} {artefact['precision']})"
    yield ""
    if refused:
        yield f"Refused: {_inline(refused)}"
        yield ""
    for name, lines in (
        ("Structure", _structure(artefact.get("structure"))),
        ("Numbers", _numbers(artefact.get("numbers"))),
        ("Task", _task(artefact.get("task"))),
        ("Runtimes", _runtimes(artefact.get("runtimes"))),
    ):
        yield f"- **{name}**: not reached" if lines is None else f"- **{name}**:"
        yield from (f"  - {line}" for line in lines or ())


def _structure(structure):
    if not structure:
        return None
    repeated = structure.get("repeated_weight_bytes", 0)
    twice = f", {_megabytes(repeated)} of it twice" if repeated else ", each once"
    lines = [f"{_megabytes(structure['bytes'])}, weights {_megabytes(structure['weight_bytes'])}{twice}"]
    operators = sorted(structure["operators"].items(), key=lambda pair: (-pair[1], pair[0]))
    named = [f"{name} {count}" for name, count in operators]
    for start in range(0, len(named), _OPERATORS):
        lines.append(("operators: " if start == 0 else "") + ", ".join(named[start : start + _OPERATORS]))
    lines.append("tensors: " + ", ".join(f"{name} {count}" for name, count in structure["tensor_types"].items()))
    if structure.get("variable_tensors"):
        lines[-1] += f"; {structure['variable_tensors']} variable"
    return lines + [_signature(name, sides) for name, sides in structure["signatures"].items()]


def _signature(name, sides):
    inputs, outputs = (", ".join(_tensor(*pair) for pair in sides[side].items()) for side in ("inputs", "outputs"))
    return f"`{name}({inputs}) -> {outputs}`"


def _tensor(name, entry):
    return f"{name} {entry['dtype']} [{', '.join('?' if size is None else str(size) for size in entry['shape'])}]"


def _numbers(numbers):
    if not numbers:
        return None
    return [
        f"`{name}`: {seen['cases']} cases, each called three times; largest error {seen['max_error']:.1e}, mean "
        f"{seen['mean_error']:.1e}, of values up to {seen['largest']:.3g}"
        + (f"; other tokens in {seen['other_tokens']} rows" if "other_tokens" in seen else "")
        for name, seen in numbers.items()
    ]


def _task(task):
    """What `export.prove` found, whichever of it there is."""
    if not task:
        return None
    parity, score, lines = task.get("parity") or {}, task.get("score") or {}, []
    if "same_tokens" in parity:
        lines.append(f"the same tokens as Keras on {parity['same_tokens']} of {parity['inputs']} inputs")
    elif "same_labels" in parity:
        lines.append(f"the same labels as Keras on {parity['same_labels']} of {parity['inputs']} inputs")
    elif "max_probability_error" in parity:
        lines.append(f"Keras's labels on all {parity['inputs']} inputs, {parity.get('near_ties', 0)} near ties")
    elif "inputs" in parity:
        lines.append(f"Keras's tokens on all {parity['inputs']} inputs, {parity.get('near_ties', 0)} near ties")
    if first := parity.get("first_difference"):
        step = f", step {first['step']}" if "step" in first else ""
        lines.append(f"first difference: {_inline(repr(first['input']))}{step}")
    lines += _parts(parity)
    for name, value in score.items():
        if name != "examples":
            lines.append(f"{tables.measure_in_words(name, value)} on {score.get('examples', '?')} examples")
    samples = task.get("samples")
    if samples and samples["examples"] != score.get("examples"):
        shares = ", ".join(
            tables.measure_in_words(name, value) for name, value in samples.items() if name != "examples"
        )
        lines.append(f"on the {samples['examples']} samples of the bundle: {shares}")
    if "memory_bytes" in task:
        lines.append(f"memory, of a process that only runs it: {tables.memory_in_words(task)}")
    rest = {
        name: value
        for name, value in task.items()
        if isinstance(value, (int, float, str)) and not name.startswith("memory_")
    }
    return lines + [f"{name.replace('_', ' ')}: {value}" for name, value in rest.items()]


def _parts(parity):
    """A generator's steps, beam search and exchanged sources."""
    if stepwise := parity.get("stepwise"):
        same = stepwise["inputs"] - stepwise["near_ties"]
        yield (
            f"`encode` and `step`: the same tokens on {same} of {stepwise['inputs']} inputs, log-probability within "
            f"{stepwise['max_log_probability_error']:.1e}"
        )
    if beam := parity.get("beam"):
        said = [f"the tokens of Keras's beam search on {beam['same_tokens']} of {beam['inputs']} inputs"]
        if "max_log_probability_error" in beam:
            said.append(f"log-probability within {beam['max_log_probability_error']:.1e}")
        if "likelier" in beam:
            said.append(f"mean log-probability {beam['likelier']:+.2g} beside greedy decoding's")
        said += [tables.measure_in_words(name, beam[name]) for name in SCORES if name in beam]
        yield f"`generate_beam`: {', '.join(said)}"
    if swapped := parity.get("swapped"):
        yield f"swapped inputs: the answer changes in {swapped['changed']} of {swapped['pairs']} pairs"


def _runtimes(runtimes):
    if not runtimes:
        return None
    return [
        f"{'PASS' if line['loads'] and line['runs'] else 'REFUSED'} {line['runtime']}: "
        + ("loads and runs" if line["runs"] else "loads, does not run" if line["loads"] else "does not load")
        + (f": {_inline(line['reason'])}" if line.get("reason") else "")
        for line in runtimes
    ]


def _megabytes(count):
    return f"{count / _MB:.2f} MB"


def _inline(text):
    return " ".join(str(text).split())
