"""Webhooks: other systems are told what happened here, signed, until they have it or are given up."""
