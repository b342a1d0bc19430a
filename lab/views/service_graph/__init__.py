"""The service graph, as tables in the terminal and as a picture."""

from lab.views.service_graph.svg import svg
from lab.views.service_graph.tables import calls, services

__all__ = ["calls", "services", "svg"]
