#!/usr/bin/env python3
"""Replaces the section "## HEADING" of docs/performance.md by standard input, or adds it: performance.py HEADING <text"""

import pathlib
import re
import sys

file = pathlib.Path(__file__).parents[1] / "docs" / "performance.md"
heading = sys.argv[1]
title, *sections = re.split(r"(?m)^## ", file.read_text(encoding="utf-8"))
texts = dict(section.split("\n", 1) for section in sections)
texts[heading] = "\n" + sys.stdin.read().strip() + "\n\n"
file.write_text(title + "".join(f"## {name}\n{text}" for name, text in texts.items()).rstrip() + "\n", encoding="utf-8")
