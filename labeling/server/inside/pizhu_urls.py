"""Adds an endpoint to Label Studio: when each task and annotation of a project last changed. Its own lists are slow."""

from typing import Any

from core.urls import *  # noqa: F403
from core.urls import urlpatterns as theirs
from django.urls import path
from projects.models import Project
from rest_framework.generics import RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from tasks.models import Annotation, Task


class Times(RetrieveAPIView):
    """``{"tasks": {number: time}, "annotations": {task: {number: time}}}`` for one project."""

    def get_queryset(self) -> Any:
        """The projects that the user may see, so that others answer with 404."""
        return Project.objects.filter(organization=self.request.user.active_organization)

    def get(self, request: Request, *arguments: object, **named: object) -> Response:
        """The times of one project."""
        project = self.get_object()
        annotations: dict[int, dict[int, object]] = {}
        given = Annotation.objects.filter(task__project=project)
        for task, number, at in given.values_list("task_id", "id", "updated_at"):
            annotations.setdefault(task, {})[number] = at
        tasks = dict(Task.objects.filter(project=project).values_list("id", "updated_at"))
        return Response({"tasks": tasks, "annotations": annotations})


urlpatterns = [path("api/projects/<int:pk>/pizhu-times", Times.as_view()), *theirs]
