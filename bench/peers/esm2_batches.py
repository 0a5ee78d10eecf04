"""What the ESM-2 peers on PyTorch share: batches in, means over residues out."""

import torch

MOST_RESIDUES = 1024


def embedder(tokenize, forward, batch):
    """`tokenize`: sequences to padded ids [sequences, tokens]; `forward`: ids to vectors [sequences, tokens, hidden]."""

    @torch.inference_mode()
    def embed(sequences):
        means = []
        for start in range(0, len(sequences), batch):
            some = sequences[start:start + batch]
            vectors = forward(tokenize(some)).float()
            means += [vectors[row, 1:1 + min(MOST_RESIDUES, len(each))].mean(0) for row, each in enumerate(some)]
        return torch.stack(means).numpy(), sum(len(each) + 2 for each in sequences)

    return embed
