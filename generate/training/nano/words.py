"""Tokenizer and text encoder of the embedded model: one word, one token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from vidigree.generate.engines.nano.engine import TEXT_LENGTH
from vidigree.generate.training.captions import caption_words

__all__ = ["TEXT_WIDTH", "build_text_encoder", "build_tokenizer", "encode_captions"]

TEXT_WIDTH: Final = 128
_SPECIAL: Final = ("<pad>", "</s>", "<unk>")


def build_tokenizer() -> Any:
    """Return a tokenizer that knows the words of the captions and no other."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    known = {word: number for number, word in enumerate((*_SPECIAL, *caption_words()))}
    padding, end, unknown = _SPECIAL
    tokenizer = Tokenizer(models.WordLevel(known, unk_token=unknown))
    tokenizer.normalizer = normalizers.Lowercase()
    # Whatever is neither letter nor digit parts words and is dropped.
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[^a-z0-9]+"), behavior="removed")
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {end}", special_tokens=[(end, 1)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=padding,
        eos_token=end,
        unk_token=unknown,
        model_max_length=TEXT_LENGTH,
    )


def build_text_encoder() -> Any:
    """Return an untrained T5 encoder for the words of the captions."""
    from transformers import T5Config, T5EncoderModel

    return T5EncoderModel(
        T5Config(
            vocab_size=len(_SPECIAL) + len(caption_words()),
            d_model=TEXT_WIDTH,
            d_kv=32,
            d_ff=256,
            num_layers=2,
            num_heads=4,
            dropout_rate=0.0,
            decoder_start_token_id=0,
        )
    )


def encode_captions(tokenizer: Any, encoder: Any, captions: Sequence[str]) -> Any:
    """Return embeddings (B, TEXT_LENGTH, TEXT_WIDTH), zero after the end, as Wan pipelines do."""
    tokens = tokenizer(
        list(captions),
        padding="max_length",
        max_length=TEXT_LENGTH,
        truncation=True,
        return_attention_mask=True,
        return_tensors="pt",
    )
    device = next(encoder.parameters()).device
    mask = tokens.attention_mask.to(device)
    states = encoder(tokens.input_ids.to(device), mask).last_hidden_state
    return states * mask[..., None]
