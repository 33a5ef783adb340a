from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "plaqueview.core"
