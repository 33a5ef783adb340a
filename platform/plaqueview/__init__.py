"""PlaqueView: reads multiple sclerosis FLAIR studies with a network and a neurologist."""

__version__ = "0.1.0"
