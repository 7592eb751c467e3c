"""What happened: the trace schema, synthetic traces, importers of recorded ones."""
