"""Routes of webhooks, below api/v1/."""

from django.urls import path

from plaqueview.webhooks import api, delivery_api

urlpatterns = [
    path("webhooks", api.WebhookList.as_view(), name="webhook-list"),
    path("webhooks/<uuid:webhook_id>", api.WebhookDetail.as_view(), name="webhook-detail"),
    path("webhooks/<uuid:webhook_id>/secret", api.WebhookSecret.as_view(), name="webhook-secret"),
    path("webhooks/<uuid:webhook_id>/test", delivery_api.WebhookTest.as_view(), name="webhook-test"),
    path("deliveries", delivery_api.DeliveryList.as_view(), name="delivery-list"),
    path("deliveries/<uuid:delivery_id>", delivery_api.DeliveryDetail.as_view(), name="delivery-detail"),
    path("deliveries/<uuid:delivery_id>/redeliver", delivery_api.Redeliver.as_view(), name="delivery-redeliver"),
]
