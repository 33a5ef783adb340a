"""Pure functions on arrays and datasets; knows neither Django nor torch."""
