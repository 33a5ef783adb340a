"""What the launcher cannot go on from, in one line that a person can act on."""


class LauncherError(ValueError):
    """The demo cannot start or go on; the message is the one line that the user sees."""
