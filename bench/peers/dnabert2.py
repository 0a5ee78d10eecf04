"""DNABERT-2 / DNABERT-S on PyTorch as the original pipeline runs it: one sequence a call.

MosaicBERT without its remote code, from its public description: ALiBi instead of positions, fused query, key and value, a
gated feed forward whose first half is activated, norms after each block.
"""

import json
import math
import os

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from tokenizers import Tokenizer

SHORT = "ATGAAAGTT"
EPSILON = 1e-12


def slopes(heads):
    def of_power(n):
        return [2 ** (-8 * (i + 1) / n) for i in range(n)]

    lower = 2 ** math.floor(math.log2(heads))
    return of_power(heads) if lower == heads else of_power(lower) + of_power(2 * lower)[::2][:heads - lower]


class Dnabert2:
    def __init__(self, folder, dtype):
        with open(os.path.join(folder, "config.json")) as file:
            config = json.load(file)
        weights = load_file(os.path.join(folder, "model.safetensors"))
        self.weights = {name.removeprefix("bert."): tensor.to(dtype) for name, tensor in weights.items()}
        self.layers = config["num_hidden_layers"]
        self.heads = config["num_attention_heads"]
        self.slopes = torch.tensor(slopes(self.heads)).view(-1, 1, 1)

    def linear(self, name, x):
        return F.linear(x, self.weights[f"{name}.weight"], self.weights.get(f"{name}.bias"))

    def norm(self, name, x):
        return F.layer_norm(x, x.shape[-1:], self.weights[f"{name}.weight"], self.weights[f"{name}.bias"], EPSILON)

    def attention(self, layer, x, bias):
        q, k, v = self.linear(f"{layer}.attention.self.Wqkv", x).view(len(x), 3, self.heads, -1).unbind(1)
        q, k, v = (part.transpose(0, 1) for part in (q, k, v))
        scores = q @ k.transpose(1, 2) / math.sqrt(q.shape[-1]) + bias
        mixed = (scores.softmax(-1) @ v).transpose(0, 1).reshape(len(x), -1)
        return self.linear(f"{layer}.attention.output.dense", mixed)

    def feed_forward(self, layer, x):
        gate, up = self.linear(f"{layer}.mlp.gated_layers", x).chunk(2, dim=-1)
        return self.linear(f"{layer}.mlp.wo", F.gelu(gate) * up)

    def __call__(self, ids):
        """ids [tokens] to vectors [tokens, hidden]."""
        words = F.embedding(ids, self.weights["embeddings.word_embeddings.weight"])
        x = self.norm("embeddings.LayerNorm", words + self.weights["embeddings.token_type_embeddings.weight"][0])
        positions = torch.arange(len(ids))
        bias = (-self.slopes * (positions[:, None] - positions).abs()).to(x.dtype)
        for number in range(self.layers):
            layer = f"encoder.layer.{number}"
            x = self.norm(f"{layer}.attention.output.LayerNorm", x + self.attention(layer, x, bias))
            x = self.norm(f"{layer}.mlp.layernorm", x + self.feed_forward(layer, x))
        return x


def load(folder, precision, batch):
    if batch != 1:
        raise SystemExit("one sequence a call")
    tokenizer = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
    model = Dnabert2(folder, {"fp32": torch.float32, "bf16": torch.bfloat16}[precision])

    @torch.inference_mode()
    def embed(sequences):
        ids = [torch.tensor(tokenizer.encode(each).ids) for each in sequences]
        return torch.stack([model(each).float().mean(0) for each in ids]).numpy(), sum(len(each) for each in ids)

    return embed
