"""The service graph, as tables in the terminal and as a picture."""

from lab.views.service_graph.svg import svg
from lab.views.service_graph.tables import CALLS, SERVICES, calls, services

__all__ = ["CALLS", "SERVICES", "calls", "services", "svg"]
