"""ESM-2 by esm-cpp, int8 as its documentation makes it: calibrated, SmoothQuant at 0.5, weights per channel.

Timed is what it is fastest at, logits of a packed batch. The vectors for comparison come afterwards, from the call that
gives hidden states, one sequence at a time.
"""

import json
import os

import esm_cpp
import numpy as np
from safetensors.numpy import load_file, save_file

SHORT = "MKV"
CALIBRATION = 8


def calibration_sequences():
    random = np.random.default_rng(1)
    return ["".join(random.choice(list("ACDEFGHIKLMNPQRSTVWY"), 166)) for _ in range(CALIBRATION)]


def make(folder, precision, target):
    """Writes esm-cpp's own file. It wants an output layer and rotary angles, which our checkpoints lack."""
    with open(os.path.join(folder, "config.json")) as file:
        sizes = json.load(file)
    weights = load_file(os.path.join(folder, "model.safetensors"))
    hidden = sizes["hidden_size"]
    head = hidden // sizes["num_attention_heads"]
    for layer in range(sizes["num_hidden_layers"]):
        angles = 1 / 10000 ** (np.arange(0, head, 2, dtype=np.float32) / head)
        weights[f"esm.encoder.layer.{layer}.attention.self.rotary_embeddings.inv_freq"] = angles.astype(np.float32)
    weights |= {
        "lm_head.dense.weight": np.eye(hidden, dtype=np.float32),
        "lm_head.dense.bias": np.zeros(hidden, np.float32),
        "lm_head.layer_norm.weight": np.ones(hidden, np.float32),
        "lm_head.layer_norm.bias": np.zeros(hidden, np.float32),
        "lm_head.bias": np.zeros(33, np.float32),
    }
    with_head = f"{target}.safetensors"
    save_file(weights, with_head)
    model = esm_cpp.Model.load_from_safetensors(with_head)
    os.remove(with_head)
    if precision == "int8":
        tokenizer, observer = esm_cpp.Tokenizer(), esm_cpp.ActivationObserver()
        for each in calibration_sequences():
            model.forward_with_observer(np.asarray(tokenizer.encode(each), np.int32), None, observer)
        model.apply_smoothquant(observer.percentile(99.9), 0.5)
        model.quantize_weights()
    model.save_to_gguf(target)


def load(folder, precision, batch):
    """`batch` is not used: esm-cpp cuts batches itself."""
    file = os.path.join(folder, f"esm-cpp-{precision}.gguf")
    if not os.path.exists(file):
        make(folder, precision, file)
    model, tokenizer = esm_cpp.Model.load_from_gguf(file), esm_cpp.Tokenizer()

    def embed(sequences):
        ids = [np.asarray(tokenizer.encode(each), np.int32) for each in sequences]
        model.forward_scheduled(ids)

        def vectors():
            return np.stack([model.forward_with_hidden_states(each)[1][-1][1:-1].mean(0) for each in ids])

        return vectors, sum(len(each) for each in ids)

    return embed
