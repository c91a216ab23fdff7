"""Fine-tunes a language model on dialogues and summaries with LoRA, judges the adapter and publishes it."""
