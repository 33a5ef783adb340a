from django.apps import AppConfig
from django.db.models import UUIDField

from plaqueview.core.among import Among


class CoreConfig(AppConfig):
    name = "plaqueview.core"

    def ready(self) -> None:
        UUIDField.register_lookup(Among)
