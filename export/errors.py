"""What can go wrong in an export, by kind, so that a program can tell them apart."""


class ExportError(RuntimeError):
    """An artefact could not be made or proven; the message says which, why and what to do."""


class ChildError(ExportError):
    """The process that converted or proved crashed, failed or took too long."""


class TimeError(ChildError):
    """It took longer than it was given."""


class DiskError(ExportError):
    """A disk is full, or cannot be written to."""


class ConversionError(ExportError):
    """A model cannot be had in a format or precision."""


class StructureError(ExportError):
    """An artefact holds what it must not: foreign operators, variable tensors, other signatures, weights twice."""


class NumbersError(ExportError):
    """An artefact computes other numbers than Keras."""


class TaskError(ExportError):
    """An artefact writes other tokens than Keras, or scores too little."""


class LoadError(ExportError):
    """A runtime cannot load an artefact."""
