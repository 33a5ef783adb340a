"""Patients, scoped by site and by the issuer of their identifier."""
