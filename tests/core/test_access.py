"""The table of roles and actions, row by row."""

import pytest

from plaqueview.core.access import ACTIONS_OF_ROLE, Action, Role, require
from plaqueview.core.errors import DeniedError

EXPECTED = {
    "patient.read": "admin neurologist integrator",
    "study.read": "admin neurologist integrator",
    "study.upload": "admin neurologist integrator",
    "study.override": "admin neurologist",
    "study.deidentify": "admin",
    "study.delete": "admin",
    "patient.erase": "admin",
    "inference.request": "admin neurologist integrator",
    "job.read": "admin neurologist integrator",
    "job.cancel": "admin neurologist integrator",
    "annotation.read": "admin neurologist integrator",
    "annotation.edit": "admin neurologist",
    "annotation.review": "admin neurologist",
    "reading.manage": "admin",
    "dicomweb.read": "admin neurologist integrator",
    "dicomweb.store": "admin neurologist integrator",
    "node.read": "admin neurologist integrator",
    "node.manage": "admin",
    "node.search": "admin neurologist integrator",
    "fetch.read": "admin neurologist integrator",
    "fetch.request": "admin neurologist integrator",
    "transfer.read": "admin neurologist integrator",
    "transfer.send": "admin neurologist integrator",
    "webhook.manage": "admin",
    "model.read": "admin neurologist integrator",
    "model.manage": "admin",
    "training.read": "admin",
    "training.manage": "admin",
    "worker.read": "admin",
    "audit.read": "admin",
    "user.manage": "admin",
    "token.manage": "admin neurologist",
}


class Somebody:
    def __init__(self, role: Role) -> None:
        self.actions = ACTIONS_OF_ROLE[role]


def test_the_table_names_every_action():
    assert set(EXPECTED) == set(Action.values)


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("role", Role)
def test_a_role_may_what_the_table_says(role, action):
    somebody = Somebody(role)

    if role.value in EXPECTED[action.value].split():
        require(somebody, action)
    else:
        with pytest.raises(DeniedError, match=f"needs the action {action.value}"):
            require(somebody, action)
