"""What the rest of the house hears of models."""

from plaqueview.accounts.models import Site
from plaqueview.core.live import TRAINING, announce
from plaqueview.registry.models import ModelVersion


def publish_model(model: ModelVersion) -> None:
    """Who looks at models hears that one has another stage, after the commit; models belong to no site."""
    event = {"type": "model.changed", "model": str(model.pk), "stage": str(model.stage)}
    for site_id in Site.objects.order_by("pk").values_list("pk", flat=True):
        announce(event, topics=(TRAINING,), site_id=site_id)
