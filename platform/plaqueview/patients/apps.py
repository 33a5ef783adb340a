from django.apps import AppConfig


class PatientsConfig(AppConfig):
    name = "plaqueview.patients"
