"""Routes of transfers, below api/v1/."""

from django.urls import path

from plaqueview.outbox import api

urlpatterns = [
    path("transfers", api.TransferList.as_view(), name="transfer-list"),
    path("transfers/<uuid:transfer_id>", api.TransferDetail.as_view(), name="transfer-detail"),
    path("transfers/<uuid:transfer_id>/resend", api.TransferResend.as_view(), name="transfer-resend"),
]
