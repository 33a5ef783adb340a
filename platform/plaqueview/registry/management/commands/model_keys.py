"""`manage.py model_keys`: a new pair of keys for signed model files."""

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management.base import BaseCommand

from plaqueview.registry.signed_file import secret_text_of, text_of


class Command(BaseCommand):
    help = "Prints a new pair: the secret line is for the settings of here, the public one for those who trust here."

    def handle(self, *args: Any, **options: Any) -> None:  # Any: Django's signature
        key = Ed25519PrivateKey.generate()
        self.stdout.write(f"PLAQUEVIEW_MODEL_SIGNING_KEY={secret_text_of(key)}")
        self.stdout.write(f"PLAQUEVIEW_MODEL_TRUSTED_KEYS={text_of(key.public_key())}")
