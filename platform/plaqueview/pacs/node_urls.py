"""Routes of remote nodes, below api/v1/."""

from django.urls import path

from plaqueview.pacs import node_api, node_search_api

urlpatterns = [
    path("nodes", node_api.NodeList.as_view(), name="node-list"),
    path("nodes/<uuid:node_id>", node_api.NodeDetail.as_view(), name="node-detail"),
    path("nodes/<uuid:node_id>/echo", node_api.NodeEcho.as_view(), name="node-echo"),
    path("nodes/<uuid:node_id>/search", node_search_api.NodeSearch.as_view(), name="node-search"),
]
