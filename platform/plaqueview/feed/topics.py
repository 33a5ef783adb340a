"""What can be listened to, and who may."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from plaqueview.accounts.models import User
from plaqueview.core.access import Action, require
from plaqueview.core.errors import InvalidError, NotFoundError
from plaqueview.core.live import TRAINING, WORKLIST, group_name, study_topic, upload_topic
from plaqueview.studies.models import Study, Upload

Message = Mapping[str, object]

STUDY: Final = "study"
UPLOAD: Final = "upload"

# Topics that name nothing: of all sites of whoever listens.
OF_A_SITE: Final = frozenset({WORKLIST, TRAINING})

ACTION_OF_KIND: Final[Mapping[str, Action]] = {
    WORKLIST: Action.STUDY_READ,
    STUDY: Action.STUDY_READ,
    UPLOAD: Action.STUDY_UPLOAD,
    TRAINING: Action.TRAINING_READ,
}


@dataclass(frozen=True)
class Topic:
    """The worklist, training, or one study or upload, which `object_id` then names."""

    kind: str
    object_id: UUID | None = None

    @property
    def study_id(self) -> UUID | None:
        """The study, where the topic is one."""
        return self.object_id if self.kind == STUDY else None

    @property
    def reference(self) -> dict[str, str]:
        """The topic in the words of the protocol."""
        return {"topic": self.kind} | ({} if self.object_id is None else {self.kind: str(self.object_id)})


def topic_of(message: Message) -> Topic:
    """The topic that the message names.

    Raises: InvalidError when it names none.
    """
    kind = message.get("topic")
    if not isinstance(kind, str) or kind not in ACTION_OF_KIND:
        raise InvalidError(f"topic is missing or unknown, need one of {', '.join(ACTION_OF_KIND)}")
    return Topic(kind) if kind in OF_A_SITE else Topic(kind, _id_in(message, kind))


def study_in(message: Message) -> UUID:
    """The study that the message names.

    Raises: InvalidError when it names none.
    """
    return _id_in(message, STUDY)


def groups_of(topic: Topic, user: User) -> tuple[str, ...]:
    """The Channels groups through which the user may hear the topic: one for each site.

    Raises: DeniedError; NotFoundError when the user may not see the study or the upload.
    """
    require(user, ACTION_OF_KIND[topic.kind])
    if topic.object_id is None:
        return tuple(
            group_name(topic.kind, site_id) for site_id in user.sites.order_by("pk").values_list("pk", flat=True)
        )
    is_study = topic.kind == STUDY
    visible = Study.objects.visible_to(user) if is_study else Upload.objects.visible_to(user)
    site_id = visible.filter(pk=topic.object_id).values_list("site_id", flat=True).first()
    if site_id is None:
        raise NotFoundError(f"no such {topic.kind}, or none that you may see")
    return (group_name((study_topic if is_study else upload_topic)(topic.object_id), site_id),)


def _id_in(message: Message, field: str) -> UUID:
    value = message.get(field)
    try:
        if isinstance(value, str):
            return UUID(value)
    except ValueError:
        pass
    raise InvalidError(f"{field} is missing or no UUID; a message about a {field} names one")
