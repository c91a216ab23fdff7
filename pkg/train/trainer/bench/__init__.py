"""Measures the training against plain TRL; see __main__."""
