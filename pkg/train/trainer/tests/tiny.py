"""Small random models with tokenizers and chat templates as the real ones have them, and data that can be learned."""

import json
import pathlib
from typing import Any

NAMES = ("Ann", "Bob", "Cleo", "Dan", "Eve", "Finn", "Gus", "Hana")
THINGS = ("the keys", "two tents", "a cake", "the slides", "my bike", "some tea")
DAYS = ("Monday", "Tuesday", "Friday", "Sunday")

# As Llama 3.2: today's date unless the caller names one, always a system turn, <|eot_id|> after every turn.
LLAMA_TEMPLATE = """{{- bos_token }}
{%- if date_string is not defined %}{% set date_string = strftime_now("%d %b %Y") %}{% endif %}
{%- if messages[0].role == "system" %}
  {%- set system = messages[0].content | trim %}{% set turns = messages[1:] %}
{%- else %}
  {%- set system = "" %}{% set turns = messages %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\n\nToday Date: " + date_string + "\n\n" + system + "<|eot_id|>" }}
{%- for turn in turns %}
  {{- "<|start_header_id|>" + turn.role + "<|end_header_id|>\n\n" + turn.content | trim + "<|eot_id|>" }}
{%- endfor %}
{%- if add_generation_prompt %}{{- "<|start_header_id|>assistant<|end_header_id|>\n\n" }}{% endif %}"""

# As Mistral 7B v0.3: turns must alternate, and a system turn is written only into a user turn that is the last of all.
MISTRAL_TEMPLATE = """{%- if messages[0].role == "system" %}
  {%- set system = messages[0].content %}{% set turns = messages[1:] %}
{%- else %}
  {%- set turns = messages %}
{%- endif %}
{{- bos_token }}
{%- for turn in turns %}
  {%- if (turn.role == "user") != (loop.index0 % 2 == 0) %}
    {{- raise_exception("Conversation roles must alternate user/assistant/user/assistant/...") }}
  {%- endif %}
  {%- if turn.role == "user" and loop.last and system is defined %}
    {{- "[INST] " + system + "\n\n" + turn.content + "[/INST]" }}
  {%- elif turn.role == "user" %}
    {{- "[INST] " + turn.content + "[/INST]" }}
  {%- else %}
    {{- " " + turn.content | trim + eos_token }}
  {%- endif %}
{%- endfor %}"""

SHAPE: dict[str, Any] = {
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 768,
    "max_position_embeddings": 2048,
}


def rows(count: int, first: int = 0) -> list[dict[str, str]]:
    """Dialogues whose summaries follow from them; the same number is always the same row."""
    made = []
    for i in range(first, first + count):
        a, b = NAMES[i % 8], NAMES[(i // 8 + i + 1) % 8]
        thing, day = THINGS[i % 6], DAYS[i // 5 % 4]
        dialogue = (
            f"{a}: I can bring {thing} on {day}, at {i % 12 + 1} o'clock. Number {i}.\n{b}: Thanks, {a}!\n{a}: See you."
        )
        made.append({"id": f"row-{i}", "dialogue": dialogue, "summary": f"{a} brings {thing} to {b} on {day}."})
    return made


def write_jsonl(path: pathlib.Path, content: list[dict[str, Any]]) -> pathlib.Path:
    """Writes one JSON object a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in content), encoding="utf-8")
    return path


def llama(directory: pathlib.Path) -> pathlib.Path:
    """Saves a model in the shape of Llama 3.2: tied embeddings, byte-level tokens, a BOS that the tokenizer adds."""
    import torch
    import transformers
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    special = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=SHAPE["vocab_size"],
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_corpus(), trainer)
    bos = tokenizer.token_to_id("<|begin_of_text|>")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<|begin_of_text|> $A", special_tokens=[("<|begin_of_text|>", bos)]
    )
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<|begin_of_text|>",
        eos_token="<|eot_id|>",
        chat_template=LLAMA_TEMPLATE,
        model_max_length=SHAPE["max_position_embeddings"],
    )
    fast.save_pretrained(directory)
    torch.manual_seed(1)
    config = transformers.LlamaConfig(
        **SHAPE, tie_word_embeddings=True, bos_token_id=fast.bos_token_id, eos_token_id=fast.eos_token_id
    )
    transformers.LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(directory)
    return directory


def mistral(directory: pathlib.Path) -> pathlib.Path:
    """Saves a model in the shape of Mistral 7B v0.3: untied embeddings, SentencePiece-like tokens, no padding token."""
    import torch
    import transformers
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    special = ["<unk>", "<s>", "</s>", "[INST]", "[/INST]"]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(content=" ", left=1)]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=SHAPE["vocab_size"],
        special_tokens=special + [f"<0x{byte:02X}>" for byte in range(256)],
        show_progress=False,
    )
    tokenizer.train_from_iterator(_corpus(), trainer)
    # The byte tokens had to be special to be in the vocabulary; in text they must not be found.
    tokenizer = _without_special(tokenizer, special)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", tokenizer.token_to_id("<s>"))]
    )
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        chat_template=MISTRAL_TEMPLATE,
        model_max_length=SHAPE["max_position_embeddings"],
    )
    fast.save_pretrained(directory)
    torch.manual_seed(2)
    config = transformers.MistralConfig(**SHAPE, tie_word_embeddings=False, sliding_window=None)
    config.bos_token_id, config.eos_token_id = fast.bos_token_id, fast.eos_token_id
    model = transformers.MistralForCausalLM(config)
    # Never the likeliest: bytes that are no text are written differently by each detokenizer.
    with torch.no_grad():
        model.lm_head.weight[[fast.convert_tokens_to_ids(f"<0x{byte:02X}>") for byte in range(256)]] = 0
    model.to(torch.bfloat16).save_pretrained(directory)
    return directory


def _corpus() -> list[str]:
    frame = "Summarize the following dialogue in one or two sentences. Today Date: 26 Jul 2024 system user assistant"
    return [text for row in rows(200) for text in (row["dialogue"], row["summary"], frame)]


def _without_special(tokenizer: Any, special: list[str]) -> Any:
    """The same tokenizer in which only the named tokens are special."""
    from tokenizers import Tokenizer

    document = json.loads(tokenizer.to_str())
    document["added_tokens"] = [token for token in document["added_tokens"] if token["content"] in special]
    return Tokenizer.from_str(json.dumps(document))
