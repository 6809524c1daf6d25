"""Recordings that are made rather than spoken: the tones of telephone keys, for tests and smoke sizes.

Each digit is a pair of tones, one for its row on the keypad and one for its column (ITU-T recommendation Q.23).
"""

import numpy as np

RATE = 8000
_ROWS, _COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477)
_KEYS = "123456789*0#"


def recordings(count, seed=0, speakers=("left", "right")):
    """Key tones in a little noise, as `keras_seq.data.load("spoken_digit")` gives recordings.

    Args:
        count: int, of each speaker and digit.
        seed: int.
        speakers: sequence of str; each one's telephone runs a little faster than the one's before.

    Returns:
        list of dicts with `audio` int16 `(time,)`, `rate`, `label`, `speaker` and `recording`.

    Example:
        >>> rows = recordings(2)
        >>> print(len(rows), rows[0]["label"], rows[0]["speaker"], rows[0]["audio"].dtype)
        40 0 left int16
    """
    random, rows = np.random.default_rng(seed), []
    for place, speaker in enumerate(speakers):
        for digit in range(10):
            for number in range(count):
                time = np.arange(random.integers(1200, 2400)) / RATE
                audio = 0.02 * random.standard_normal(len(time))
                row, column = divmod(_KEYS.index(str(digit)), 3)
                for hertz in (_ROWS[row], _COLUMNS[column]):
                    audio += random.uniform(0.1, 0.3) * np.sin(2 * np.pi * (1 + 0.01 * place) * hertz * time)
                audio = np.round(32767 * audio).astype("int16")
                label = {"label": str(digit), "speaker": speaker, "recording": number}
                rows.append({"audio": audio, "rate": RATE, **label})
    return rows
