"""HTTP: pages, REST, DICOMweb. WebSockets go through `asgi`."""

import os

from django.core.wsgi import get_wsgi_application

from plaqueview.core.seats import seated

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "plaqueview.settings")

application = seated(get_wsgi_application())
