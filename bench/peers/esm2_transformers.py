"""ESM-2 by Hugging Face transformers."""

import json
import os

import torch
from transformers import EsmConfig, EsmModel, EsmTokenizer

from esm2_batches import embedder

SHORT = "MKV"

# What sets an ESM-2 apart from other models of its class: checkpoints of `make-models` name their sizes only.
ESM2 = {
    "position_embedding_type": "rotary",
    "emb_layer_norm_before": False,
    "token_dropout": True,
    "mask_token_id": 32,
    "pad_token_id": 1,
    "layer_norm_eps": 1e-5,
    "max_position_embeddings": 1026,
}


def load(folder, precision, batch):
    with open(os.path.join(folder, "config.json")) as file:
        sizes = json.load(file)
    config = EsmConfig(**{**ESM2, **sizes})
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]
    model, loading = EsmModel.from_pretrained(
        folder, config=config, dtype=dtype, add_pooling_layer=False, output_loading_info=True
    )
    if any(not name.startswith(("contact_head.", "rotary_embeddings.")) for name in loading["missing_keys"]):
        raise SystemExit(str(loading))
    model.eval()
    tokenizer = EsmTokenizer(os.path.join(folder, "vocab.txt"))

    def tokenize(sequences):
        return tokenizer(sequences, padding=True, return_tensors="pt")

    return embedder(tokenize, lambda ids: model(**ids).last_hidden_state, batch)
