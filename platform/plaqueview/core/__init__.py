"""What every part stands on: models, errors, access, REST conventions, queue, live events, storage."""
