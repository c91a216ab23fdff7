"""Trains the adapter: TRL's SFTTrainer with PEFT on examples that are tokenized by the model's own chat template."""
