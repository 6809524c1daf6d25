"""Tied embeddings: one matrix for source, target and readout."""


def check_tied(source_vocabulary_size, target_vocabulary_size):
    """Refuses vocabularies that cannot share a matrix.

    Args:
        source_vocabulary_size, target_vocabulary_size: int.

    Raises:
        ValueError: if they differ.
    """
    if source_vocabulary_size != target_vocabulary_size:
        raise ValueError(
            f"tied=True with {source_vocabulary_size} source and {target_vocabulary_size} target ids, wanted one "
            "vocabulary for both sides; make one tokenizer of both, or leave tied=False"
        )
