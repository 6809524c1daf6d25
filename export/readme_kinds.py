"""What a bundle's README.md says of each kind of model, by the names of `export.snippets.call.kind_of`.

DOES: what it does. SAMPLES: what is in samples.json. GIVEN: an input, another, and what it is called. SIGNATURE: what
goes in, where its name does not say it. TAKES: what run.py makes of what it is given.
"""

DOES = {
    "generate": "A trained model that reads text and writes text.",
    "audio": "A trained model that hears a recording and writes text. It takes the samples as they are: what turns\n"
    "them into a spectrum is inside.",
    "caption": "A trained model that looks at a picture and writes text.",
    "classify": "A trained model that gives a text one of {labels}.",
    "tag": "A trained model that gives each token of a text one of {labels}.",
    "picture": "A trained model that gives a picture one of {labels}.",
}
SAMPLES = {
    "generate": "`source_ids` go in; `ids`, `length` and `log_probability` come out, which is `output` in words",
    "audio": "`source_samples`, int16 in base64, low byte first, go in divided by 32768; `ids`, `length` and "
    "`log_probability` come out, which is `output` in words",
    "caption": "`source_pixels`, uint8 in base64, go in divided by 255; `ids`, `length` and `log_probability` come "
    "out, which is `output` in words",
    "classify": "`source_ids` go in and `probabilities` come out; `output` is the label",
    "tag": "`source_ids` go in and `probabilities` come out, a row for each; `output` is the tags",
    "picture": "`image`, from 0 to 255, goes in divided by 255, and `probabilities` come out; `output` is the label",
}
TEXT = ('"text"', '"another text"', "text")
GIVEN = {
    "audio": ('"example.wav"', '"another.wav"', "recording"),
    "caption": ('"example.png"', '"another.png"', "picture"),
    "picture": ('"picture.png"', '"another.png"', "picture"),
}
SIGNATURE = {
    "audio": " `source` holds samples from -1 to 1, `source_length` how many are real.",
    "caption": " `image` is from 0 to 1.",
}
# What run.py takes, beyond what the commands show.
_OTHER_PICTURES = """
It reads PNG; for JPEG and other files `pip install pillow` too. A picture is scaled to the size, what is transparent in
it on white; what is stretched much is warned about.
"""
ON_DARK = """
It reads PNG; for JPEG and other files `pip install pillow` too. The model reads light things on a dark ground: what is
transparent is on black; a picture that is dark on light is inverted, with a warning; and it is scaled to the size
without being stretched, in the middle of black. What shows nothing, or is more than twice as long as what the model
reads, is refused. In another language all that is to be done before the model gets the pixels.
"""
TAKES = {
    "audio": """
It reads WAV files: whole numbers of 8, 16, 24 and 32 bits and floats, any rate, channels as their mean; and from Python
pairs of an array and its rate. What is silent, too long or damaged is refused, what is clipped is warned about.
""",
    "caption": _OTHER_PICTURES,
    "picture": _OTHER_PICTURES,
}
