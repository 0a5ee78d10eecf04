"""ESM-2 by fair-esm, from a checkpoint with Hugging Face's names."""

import json
import os
import re

import esm
import torch
from safetensors.torch import load_file

from esm2_batches import embedder

SHORT = "MKV"

NAMES = {
    r"embeddings\.word_embeddings": "embed_tokens",
    r"encoder\.emb_layer_norm_after": "emb_layer_norm_after",
    r"encoder\.layer\.(\d+)\.attention\.LayerNorm": r"layers.\1.self_attn_layer_norm",
    r"encoder\.layer\.(\d+)\.attention\.self\.query": r"layers.\1.self_attn.q_proj",
    r"encoder\.layer\.(\d+)\.attention\.self\.key": r"layers.\1.self_attn.k_proj",
    r"encoder\.layer\.(\d+)\.attention\.self\.value": r"layers.\1.self_attn.v_proj",
    r"encoder\.layer\.(\d+)\.attention\.output\.dense": r"layers.\1.self_attn.out_proj",
    r"encoder\.layer\.(\d+)\.LayerNorm": r"layers.\1.final_layer_norm",
    r"encoder\.layer\.(\d+)\.intermediate\.dense": r"layers.\1.fc1",
    r"encoder\.layer\.(\d+)\.output\.dense": r"layers.\1.fc2",
}


def renamed(weights):
    """Those that an encoder has, by fair-esm's names."""
    found = {}
    for name, tensor in weights.items():
        for theirs, ours in NAMES.items():
            if match := re.fullmatch(rf"(?:esm\.)?{theirs}\.(weight|bias)", name):
                found[f"{match.expand(ours)}.{match[match.lastindex]}"] = tensor
    return found


def load(folder, precision, batch):
    with open(os.path.join(folder, "config.json")) as file:
        sizes = json.load(file)
    layers, hidden, heads = (sizes[k] for k in ("num_hidden_layers", "hidden_size", "num_attention_heads"))
    weights = renamed(load_file(os.path.join(folder, "model.safetensors")))
    size = hidden // heads
    for layer in range(layers):
        weights[f"layers.{layer}.self_attn.rot_emb.inv_freq"] = 1.0 / 10000 ** (torch.arange(0, size, 2).float() / size)
    with torch.device("meta"):
        model = esm.ESM2(layers, hidden, heads)
    missing, unexpected = model.load_state_dict(weights, strict=False, assign=True)
    # Its output layer is computed with each call; its weights are nobody's.
    if unexpected or any(not name.startswith(("lm_head.", "contact_head.")) for name in missing):
        raise SystemExit(f"missing {missing}, unexpected {unexpected}")
    for head in (model.lm_head, model.contact_head):
        head.to_empty(device="cpu")
    model.lm_head.weight = model.embed_tokens.weight
    model.eval()
    if precision == "bf16":
        model.to(torch.bfloat16)
    convert = model.alphabet.get_batch_converter()

    def tokenize(sequences):
        return convert([("", each) for each in sequences])[2]

    return embedder(tokenize, lambda ids: model(ids, repr_layers=[layers])["representations"][layers], batch)
