"""Prints the options of `vllm serve` as the table that the shim embeds.

Columns: names, number of values, type, choices, and for a JSON configuration its class and fields.
Run it with the Python of the vllm-cpu image. Types are named after what argparse says when a value
does not fit.
"""

import dataclasses

from vllm.entrypoints.cli.serve import ServeSubcommand
from vllm.utils.argparse_utils import FlexibleArgumentParser


def kind(action) -> str:
    """int, float, json and so on; "optional int" accepts "" and "None" too."""
    type_ = action.type
    name = getattr(type_, "__name__", "str")
    inner = type_.__closure__[0].cell_contents if name in ("_optional_type", "_parse_type") else None
    if name == "_optional_type":
        return "optional " + getattr(inner, "__name__", "str")
    if name == "_parse_type":
        return "parsed " + getattr(inner, "__name__", "str")
    return {"NoneType": "str", "<lambda>": "str"}.get(name, name)


def fields(action) -> str:
    """Class and field names of a JSON configuration, or nothing."""
    parse = action.type
    if getattr(parse, "__name__", "") == "_optional_type":
        parse = parse.__closure__[0].cell_contents
    if getattr(parse, "__name__", "") != "parse_dataclass":
        return ""
    cls = parse.__defaults__[0]
    return cls.__name__ + ":" + "|".join(f.name for f in dataclasses.fields(cls) if f.init)


def main() -> None:
    serve = ServeSubcommand().subparser_init(FlexibleArgumentParser(prog="vllm").add_subparsers())
    for action in serve._actions:
        if not action.option_strings:
            continue
        values = {None: "one", 0: "none", "+": "list", "?": "maybe"}[action.nargs]
        choices = "|".join(str(c) for c in action.choices or ())
        print("\t".join(("|".join(action.option_strings), values, kind(action), choices, fields(action))))


if __name__ == "__main__":
    main()
