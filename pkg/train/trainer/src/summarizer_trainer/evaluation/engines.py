"""The engines by their names."""

from .engine import Engine, Job


def start(name: str, job: Job) -> Engine:
    """Loads the engine, vllm or transformers; both take long to import and are therefore imported here."""
    if name == "vllm":
        from .vllm_engine import VLLMEngine

        return VLLMEngine(job)
    from .transformers_engine import TransformersEngine

    return TransformersEngine(job)
