"""What is asked: values only, no formula, no event, no file but bundled data."""
