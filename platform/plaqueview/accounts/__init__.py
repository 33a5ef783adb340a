"""Users, their roles and sites, API tokens, sign-in."""
