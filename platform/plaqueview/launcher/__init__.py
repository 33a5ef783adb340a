"""The embedded mode: one command that prepares a folder, starts every process, and ends all of them.

Nothing here is imported by the web or the workers, and nothing here imports Django: the launcher starts in
milliseconds and hands every piece of real work to a child process.
"""
