"""The same Transformer as PyTorch has it: `nn.Transformer`, with embeddings and a readout, and its training."""

import math
import time

import torch
from torch import nn
from torch.nn import functional

from benchmarks.training_speed.batches import equal_batches, shuffled_batches, useful_tokens
from benchmarks.training_speed.positions import sinusoids


class Translator(nn.Module):
    """`nn.Transformer` over ids. Its masks say True where a position is hidden."""

    def __init__(self, settings):
        super().__init__()
        self.embedding = nn.Embedding(settings.vocabulary, settings.units)
        nn.init.normal_(self.embedding.weight, std=settings.units**-0.5)
        self.dropout = nn.Dropout(settings.dropout)
        self.transformer = nn.Transformer(
            settings.units,
            settings.heads,
            settings.layers,
            settings.layers,
            settings.feed_forward,
            settings.dropout,
            batch_first=True,
            norm_first=True,
        )
        longest = max(settings.length, settings.boundaries[-1])
        self.register_buffer("positions", torch.from_numpy(sinusoids(longest, settings.units)))
        self.register_buffer("future", torch.ones(longest, longest, dtype=torch.bool).triu(1))

    def forward(self, source, target):
        time, padding = target.shape[1], source == 0
        decoded = self.transformer(
            self._embed(source),
            self._embed(target),
            tgt_mask=self.future[:time, :time],
            src_key_padding_mask=padding,
            memory_key_padding_mask=padding,
            tgt_key_padding_mask=target == 0,
        )
        return functional.linear(decoded, self.embedding.weight)  # (batch, target, vocabulary)

    def _embed(self, ids):
        embedded = self.embedding(ids) * math.sqrt(self.embedding.embedding_dim)
        return self.dropout(embedded + self.positions[: ids.shape[1]])


class TorchTrainer:
    """The plain training loop; methods as those of `KerasTrainer`.

    Args:
        pairs: two lists of lists of int, sources and targets.
        settings: `Settings`.
        compiled: bool, by `torch.compile`.
    """

    def __init__(self, pairs, settings, compiled=False):
        torch.set_num_threads(settings.threads)
        self.model = Translator(settings)
        self.pairs = pairs
        self.settings = settings
        self._call = torch.compile(self.model) if compiled else self.model
        # On a CPU the fused update is the faster one, if not PyTorch's default.
        self._optimizer = torch.optim.Adam(self.model.parameters(), settings.learning_rate, fused=True)
        self._loss = nn.CrossEntropyLoss(ignore_index=0)

    @property
    def parameters(self):
        return sum(parameter.numel() for parameter in self.model.parameters())

    def loss(self, batch):
        """Mean loss of a batch's target tokens, without dropout."""
        self.model.eval()
        with torch.no_grad():
            return self._loss_of(batch).item()

    def warm_up(self, table):
        for _ in range(2):
            self._fit(self._batches(table, 0)[:2])

    def train(self, table, window):
        batches = self._batches(table, window)
        begin = time.perf_counter()
        self._fit(batches)
        return time.perf_counter() - begin, useful_tokens(labels for _, _, labels in batches)

    def _fit(self, batches):
        self.model.train()
        for batch in batches:
            self._optimizer.zero_grad()
            loss = self._loss_of(batch)
            loss.backward()
            self._optimizer.step()
        loss.item()

    def _loss_of(self, batch):
        source, target, labels = (torch.from_numpy(array).long() for array in batch)
        return self._loss(self._call(source, target).flatten(0, 1), labels.flatten())

    def _batches(self, table, window):
        make = equal_batches if table == "equal" else shuffled_batches
        return make(self.pairs, self.settings, window)
