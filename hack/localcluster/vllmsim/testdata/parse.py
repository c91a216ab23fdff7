"""Parses each argument list of cases.json as vLLM does and prints what became of it, as JSON.

Run it with the Python of the vllm-cpu image and this folder as /mnt.
"""

import contextlib
import io
import json
import os
import pathlib
import re

from vllm.entrypoints.cli.serve import ServeSubcommand
from vllm.utils.argparse_utils import FlexibleArgumentParser

parser = FlexibleArgumentParser(prog="vllm", description="vLLM CLI")
ServeSubcommand().subparser_init(parser.add_subparsers(required=False, dest="subparser"))


def outcome(args: list[str]) -> dict:
    stderr = io.StringIO()
    try:
        with contextlib.redirect_stderr(stderr), contextlib.redirect_stdout(io.StringIO()):
            parsed = parser.parse_args(["serve", *args])
    except SystemExit as error:
        text = stderr.getvalue()
        last = text[text.rfind("\nvllm") + 1 :].strip()
        return {"code": error.code, "last": re.sub(r" at 0x[0-9a-f]+", "", last)}
    except Exception as error:  # the program would end in a traceback
        return {"code": 1, "last": f"{type(error).__name__}: {error}"}
    return {
        "code": 0,
        "model": parsed.model_tag,
        "port": parsed.port,
        "served": parsed.served_model_name,
        "len": parsed.max_model_len,
    }


cases = json.loads(pathlib.Path("/mnt/cases.json").read_text())
os.chdir("/mnt/config")
print("[\n" + ",\n".join(json.dumps(outcome(case)) for case in cases) + "\n]")
