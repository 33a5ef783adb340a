from django.apps import AppConfig


class LongitudinalConfig(AppConfig):
    name = "plaqueview.longitudinal"
