from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "plaqueview.operations"
