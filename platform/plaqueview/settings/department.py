"""What the department decides."""

from environs import validate

from plaqueview.settings.environment import are_keys, env, is_key, is_place, is_place_if_any, is_secret_if_any, read
from plaqueview.settings.process import LANGUAGES

DEFAULT_SITE_NAME = read(env.str, "PLAQUEVIEW_SITE", "Demo")
FEED_RECHECK_S = read(env.float, "PLAQUEVIEW_FEED_RECHECK_S", 60.0, validate=validate.Range(min=0.1))
FEED_PRESENCE_S = read(env.float, "PLAQUEVIEW_FEED_PRESENCE_S", 45.0, validate=validate.Range(min=0.1))
QUIET_PERIOD_S = read(env.float, "PLAQUEVIEW_QUIET_PERIOD_S", 5.0, validate=validate.Range(min=0.0))
MINIMUM_LESION_VOLUME_MM3 = read(
    env.float, "PLAQUEVIEW_MINIMUM_LESION_VOLUME_MM3", 14.1, validate=validate.Range(min=0.0)
)
REPORT_LANGUAGE = read(
    env.str, "PLAQUEVIEW_REPORT_LANGUAGE", "en", validate=validate.OneOf([code for code, _ in LANGUAGES])
)
FOLLOW_UP_MONTHS = read(env.int, "PLAQUEVIEW_FOLLOW_UP_MONTHS", 12, validate=validate.Range(min=1))
RETENTION_DAYS = read(env.int, "PLAQUEVIEW_RETENTION_DAYS", 0, validate=validate.Range(min=0))
REVIEW_NEEDS_SECOND_READER = read(env.bool, "PLAQUEVIEW_REVIEW_NEEDS_SECOND_READER", False)
LESION_CONNECTIVITY = read(env.int, "PLAQUEVIEW_LESION_CONNECTIVITY", 26, validate=validate.OneOf([6, 18, 26]))
JOB_LEASE_S = read(env.int, "PLAQUEVIEW_JOB_LEASE_S", 20, validate=validate.Range(min=1))
JOB_MAX_ATTEMPTS = read(env.int, "PLAQUEVIEW_JOB_MAX_ATTEMPTS", 3, validate=validate.Range(min=1))
JOB_TIME_LIMIT_S = read(env.int, "PLAQUEVIEW_JOB_TIME_LIMIT_S", 600, validate=validate.Range(min=1))
# The same words as the worker's, which the platform does not import.
INFERENCE_DEVICE = read(env.str, "PLAQUEVIEW_INFERENCE_DEVICE", "cpu", validate=validate.OneOf(["cpu", "cuda"]))
INFERENCE_PRECISION = read(
    env.str, "PLAQUEVIEW_INFERENCE_PRECISION", "float32", validate=validate.OneOf(["float32", "bfloat16"])
)
INFERENCE_THREADS = read(env.int, "PLAQUEVIEW_INFERENCE_THREADS", 0, validate=validate.Range(min=0))
TRANSFER_LEASE_S = read(env.int, "PLAQUEVIEW_TRANSFER_LEASE_S", 120, validate=validate.Range(min=1))
TRANSFER_MAX_ATTEMPTS = read(env.int, "PLAQUEVIEW_TRANSFER_MAX_ATTEMPTS", 16, validate=validate.Range(min=1))
TRANSFER_COMMITMENT_S = read(env.int, "PLAQUEVIEW_TRANSFER_COMMITMENT_S", 3600, validate=validate.Range(min=1))
TRANSFER_RETRY_S = read(env.float, "PLAQUEVIEW_TRANSFER_RETRY_S", 10.0, validate=validate.Range(min=0.0))
FETCH_LEASE_S = read(env.int, "PLAQUEVIEW_FETCH_LEASE_S", 180, validate=validate.Range(min=1))
FETCH_MAX_ATTEMPTS = read(env.int, "PLAQUEVIEW_FETCH_MAX_ATTEMPTS", 6, validate=validate.Range(min=1))
FETCH_RETRY_S = read(env.float, "PLAQUEVIEW_FETCH_RETRY_S", 10.0, validate=validate.Range(min=0.0))
WEBHOOK_MAX_ATTEMPTS = read(env.int, "PLAQUEVIEW_WEBHOOK_MAX_ATTEMPTS", 16, validate=validate.Range(min=1))
WEBHOOK_RETRY_S = read(env.float, "PLAQUEVIEW_WEBHOOK_RETRY_S", 10.0, validate=validate.Range(min=0.0))
TRAINING_VALIDATION_SHARE = read(
    env.float, "PLAQUEVIEW_TRAINING_VALIDATION_SHARE", 0.15, validate=validate.Range(min=0.0, max=0.5)
)
TRAINING_TEST_SHARE = read(env.float, "PLAQUEVIEW_TRAINING_TEST_SHARE", 0.25, validate=validate.Range(min=0.0, max=0.5))
TRAINING_LEASE_S = read(env.int, "PLAQUEVIEW_TRAINING_LEASE_S", 60, validate=validate.Range(min=1))
TRAINING_DEVICE = read(env.str, "PLAQUEVIEW_TRAINING_DEVICE", "cpu", validate=validate.OneOf(["cpu", "cuda"]))
# CUDA's own: which GPUs programs may use, all where it is not set.
CUDA_VISIBLE_DEVICES: str | None = read(env.str, "CUDA_VISIBLE_DEVICES", None)
TRAINING_THREADS = read(env.int, "PLAQUEVIEW_TRAINING_THREADS", 0, validate=validate.Range(min=0))
TRAINING_PROCESSES = read(env.int, "PLAQUEVIEW_TRAINING_PROCESSES", 1, validate=validate.Range(min=0))
TRAINING_MACHINES = read(env.int, "PLAQUEVIEW_TRAINING_MACHINES", 1, validate=validate.Range(min=1))
TRAINING_RENDEZVOUS = read(
    env.str,
    "PLAQUEVIEW_TRAINING_RENDEZVOUS",
    *([] if TRAINING_MACHINES > 1 else [""]),  # several machines have to meet somewhere
    validate=is_place if TRAINING_MACHINES > 1 else is_place_if_any,
)
MODEL_SIGNING_KEY = read(env.str, "PLAQUEVIEW_MODEL_SIGNING_KEY", "", validate=is_key)
MODEL_TRUSTED_KEYS = read(env.list, "PLAQUEVIEW_MODEL_TRUSTED_KEYS", [], validate=are_keys)
GATE_MINIMUM_PATIENTS = read(env.int, "PLAQUEVIEW_GATE_MINIMUM_PATIENTS", 3, validate=validate.Range(min=1))
GATE_LOWEST_DICE = read(env.float, "PLAQUEVIEW_GATE_LOWEST_DICE", 0.3, validate=validate.Range(min=0.0, max=1.0))
GATE_DICE_MARGIN = read(env.float, "PLAQUEVIEW_GATE_DICE_MARGIN", 0.02, validate=validate.Range(min=0.0, max=1.0))
GATE_LESION_F1_MARGIN = read(
    env.float, "PLAQUEVIEW_GATE_LESION_F1_MARGIN", 0.05, validate=validate.Range(min=0.0, max=1.0)
)
GATE_STRATUM_MARGIN = read(env.float, "PLAQUEVIEW_GATE_STRATUM_MARGIN", 0.1, validate=validate.Range(min=0.0, max=1.0))
GATE_CALIBRATION_MARGIN = read(
    env.float, "PLAQUEVIEW_GATE_CALIBRATION_MARGIN", 0.05, validate=validate.Range(min=0.0, max=1.0)
)
GATE_ACTIVE_SHARE = read(env.float, "PLAQUEVIEW_GATE_ACTIVE_SHARE", 0.5, validate=validate.Range(min=0.0, max=1.0))
GATE_SLOWEST = read(env.float, "PLAQUEVIEW_GATE_SLOWEST", 1.5, validate=validate.Range(min=1.0))
GATE_MOST_MEMORY = read(env.float, "PLAQUEVIEW_GATE_MOST_MEMORY", 1.5, validate=validate.Range(min=1.0))
DICOM_AE_TITLE = read(env.str, "PLAQUEVIEW_DICOM_AE_TITLE", "PLAQUEVIEW")
DICOM_PROCESSES = read(env.int, "PLAQUEVIEW_DICOM_PROCESSES", 2, validate=validate.Range(min=1, max=64))
DICOM_CALLING_AE_TITLES = read(env.list, "PLAQUEVIEW_DICOM_CALLING_AE_TITLES", [])
DICOM_TLS_CERTIFICATE = read(env.str, "PLAQUEVIEW_DICOM_TLS_CERTIFICATE", "")
DICOM_TLS_KEY = read(env.str, "PLAQUEVIEW_DICOM_TLS_KEY", "")
DICOM_TLS_CALLERS = read(env.str, "PLAQUEVIEW_DICOM_TLS_CALLERS", "")
METRICS_TOKEN = read(env.str, "PLAQUEVIEW_METRICS_TOKEN", "", validate=is_secret_if_any)
DISK_RESERVE_BYTES = read(env.int, "PLAQUEVIEW_DISK_RESERVE_BYTES", 1024**3, validate=validate.Range(min=0))
