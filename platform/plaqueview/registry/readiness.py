"""Whether there is a model that reads new studies."""

from plaqueview.core.errors import UnavailableError
from plaqueview.registry.models import ModelVersion, Stage


def check_model() -> None:
    """Raises: UnavailableError until a worker has registered the weights that it runs."""
    if not ModelVersion.objects.filter(stage=Stage.CHAMPION).exists():
        raise UnavailableError("no model is registered; a worker of the queue inference registers its own at its start")
