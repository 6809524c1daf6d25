"""The word error rate of speech recognition: how many words have to be mended, as a share of those that were said.

    WER = (substitutions + deletions + insertions) / words of the references

The edits are the fewest that turn an output into its reference (Levenshtein's distance over words); both sums go over
all outputs. It is 0 where all is right and may be above 1, where more is inserted than was said.

Reference: Levenshtein, 1966, "Binary codes capable of correcting deletions, insertions, and reversals".
"""


def word_edits(output, reference):
    """The fewest words that have to be replaced, left out or put in.

    Args:
        output, reference: str, words with spaces between.

    Returns:
        int.

    Example:
        >>> word_edits("seven for too", "seven four two one")
        3
    """
    words, wanted = output.split(), reference.split()
    before = list(range(len(wanted) + 1))  # edits from no word of the output to each beginning of the reference
    for number, word in enumerate(words, 1):
        row = [number]
        for place, own in enumerate(wanted):
            row.append(min(before[place] + (word != own), before[place + 1] + 1, row[-1] + 1))
        before = row
    return before[-1]


def word_error_rate(outputs, references):
    """The word error rate of outputs against the references' words.

    Args:
        outputs, references: lists of str, equally many.

    Returns:
        float, 0 where all is right.

    Raises:
        ValueError: if there are not as many references as outputs, or no word in any.

    Example:
        >>> word_error_rate(["one two", "three"], ["one two", "three four"])
        0.25
    """
    if len(outputs) != len(references):
        raise ValueError(f"{len(outputs)} outputs and {len(references)} references; give one reference for each output")
    words = sum(len(reference.split()) for reference in references)
    if not words:
        raise ValueError(f"the {len(references)} references hold no word, so there is no share of them; give some")
    edits = sum(word_edits(output, reference) for output, reference in zip(outputs, references, strict=True))
    return edits / words
