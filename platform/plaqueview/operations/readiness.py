"""What must hold before the installation serves: one table for `/readyz` and for `plaqueview manage doctor`."""

from collections.abc import Mapping

from plaqueview.core import health
from plaqueview.registry.readiness import check_model

READINESS: Mapping[str, health.Check] = {
    "database": health.check_database,
    "broker": health.check_broker,
    "storage": health.check_storage,
    "worker": health.check_worker,
    "model": check_model,
}
