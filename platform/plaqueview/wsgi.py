"""HTTP: pages, REST, DICOMweb. WebSockets go through `asgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "plaqueview.settings")

application = get_wsgi_application()
