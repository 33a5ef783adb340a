from django.apps import AppConfig


class EnhancementConfig(AppConfig):
    name = "plaqueview.enhancement"
