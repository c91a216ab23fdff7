"""Asks a model server for its health, its models and one answer from each of them.

Arguments: the server's URL, then the names that it must serve. VLLM_API_KEY is used when set.
"""

import json
import os
import sys
import urllib.error
import urllib.request


def call(url, body=None):
    """Returns the answer's text; an error of HTTP ends the program with what the server said."""
    request = urllib.request.Request(url, json.dumps(body).encode() if body else None)
    request.add_header("Content-Type", "application/json")
    if os.environ.get("VLLM_API_KEY"):
        request.add_header("Authorization", "Bearer " + os.environ["VLLM_API_KEY"])
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as failure:
        sys.exit(f"{url}: {failure.code} {failure.read().decode()[:500]}")
    except OSError as failure:
        sys.exit(f"{url}: {failure}")


def main(server, *wanted):
    call(server + "/health")
    print("health: ok")
    served = [model["id"] for model in json.loads(call(server + "/v1/models"))["data"]]
    print("models:", ", ".join(served))
    missing = [name for name in wanted if name not in served]
    if missing:
        sys.exit(f"not served: {', '.join(missing)}")
    for name in wanted:
        question = [{"role": "user", "content": "Summarize in one line: Ann will call Bob at noon."}]
        body = {"model": name, "messages": question, "max_tokens": 16, "temperature": 0}
        answer = json.loads(call(server + "/v1/chat/completions", body))
        if not answer["usage"]["completion_tokens"]:
            sys.exit(f"{name} answered nothing")
        print(f"{name}: {answer['choices'][0]['message']['content']!r}")


main(*sys.argv[1:])
