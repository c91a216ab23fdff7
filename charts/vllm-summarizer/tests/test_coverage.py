"""Every value of the chart is set by at least one test of the suites here."""

import glob
import os
import unittest

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))


def leaves(values, prefix=""):
    """Paths of all values that hold no further named values."""
    for key, value in values.items():
        path = prefix + key
        if isinstance(value, dict) and value:
            yield from leaves(value, path + ".")
        else:
            yield path


def flatten(values, prefix=""):
    """Paths that a test's `set` touches, whether written with dots or nested."""
    for key, value in values.items():
        path = prefix + key
        yield path
        if isinstance(value, dict):
            yield from flatten(value, path + ".")


class CoverageTest(unittest.TestCase):
    def test_every_value_is_set_somewhere(self):
        touched = set()
        for file in glob.glob(os.path.join(HERE, "*_test.yaml")):
            with open(file, encoding="utf-8") as suite:
                for test in yaml.safe_load(suite)["tests"]:
                    # A refused value shows nothing of what the value does.
                    if not any("failedTemplate" in check for check in test["asserts"]):
                        touched |= set(flatten(test.get("set", {})))
        with open(os.path.join(HERE, "..", "values.yaml"), encoding="utf-8") as file:
            known = set(leaves(yaml.safe_load(file)))
        self.assertEqual(sorted(known - touched), [])


if __name__ == "__main__":
    unittest.main()
