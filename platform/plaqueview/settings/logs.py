"""What is logged, and how."""

import logging

from environs import validate

from plaqueview.settings.environment import env, read
from plaqueview.settings.process import DEBUG

LOG_FORMAT = read(env.str, "PLAQUEVIEW_LOG_FORMAT", "line", validate=validate.OneOf(["line", "json"]))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
        "json": {"()": "plaqueview.core.logs.JSONFormatter"},
    },
    "filters": {"without_readiness": {"()": "plaqueview.core.logs.WithoutReadiness"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["without_readiness"]},
        "nowhere": {"class": "logging.NullHandler"},
    },
    "root": {"handlers": ["stderr"], "level": read(env.log_level, "PLAQUEVIEW_LOG_LEVEL", "INFO")},
    # Below these levels libraries write what they handle: DICOM elements, SQL parameters, headers.
    "loggers": {
        "django.db.backends": {"level": "INFO"},
        "httpx": {"level": "WARNING"},
        "highdicom": {"level": "ERROR"},
        # Its level is its own: it sets it when it is imported, which is after this.
        "pydicom": {"handlers": ["nowhere"], "propagate": False},
        "pynetdicom": {"level": "ERROR"},
        "onnx_ir": {"level": "WARNING"},
        "onnxscript": {"level": "WARNING"},
        "py.warnings": {"level": "ERROR"},
    },
}
# Python's warnings quote the values that libraries stumble over, a patient's name among them.
logging.captureWarnings(not DEBUG)
