"""Model versions over REST."""

import pytest

from plaqueview.core.access import Action, Role
from tests.accounts.people import make_user, token_client
from tests.inference.scenes import make_model

pytestmark = pytest.mark.django_db


def test_a_model_comes_with_its_card_its_figures_and_its_caveat():
    model = make_model()
    client = token_client(make_user(Role.INTEGRATOR))

    listed = client.get("/api/v1/models").json()
    body = client.get(f"/api/v1/models/{model.pk}").json()

    assert listed["results"] == [body]
    assert body.pop("created") is not None
    assert body == {
        "id": str(model.pk),
        "name": "phantom-reader",
        "version": "1.0",
        "sha256": model.sha256,
        "stage": "champion",
        "origin": "shipped",
        "preprocessing_version": "five-steps-1",
        "card": "# A card",
        "facts": {"metrics": {"dice": 0.5}},
        "metrics": {"dice": 0.5},
        "caveat": "Trained on phantoms.",
    }


def test_a_token_without_the_action_reads_no_model():
    model = make_model()
    client = token_client(make_user(Role.ADMIN), Action.STUDY_READ)

    assert client.get("/api/v1/models").status_code == 403
    assert client.get(f"/api/v1/models/{model.pk}").status_code == 403
