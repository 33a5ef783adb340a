from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "plaqueview.webhooks"
