"""What we claim: SymPy expressions, derived from the definitions of the placements."""
