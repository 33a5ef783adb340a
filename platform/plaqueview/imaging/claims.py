"""The words that go with a network's result wherever it goes; each stands here once."""

PREDICTION_CLAIM = "AI-predicted, FLAIR only"
RESEARCH_NOTICE = "Research use only, not a medical device."
