"""What the models do from day to day: who reads along unseen, and what has changed since they were approved of."""
