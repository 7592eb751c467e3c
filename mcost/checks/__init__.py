"""Do they agree: algebra and simulator, kernel counters, published figures, safety."""
