"""What Label Studio asks or tells at an address that somebody named is named by the owner alone.

Its open edition has no roles. Without this, each annotator could have it send requests into the office's network: by a
prediction service (which is sent the owner's token), a webhook or a storage of their own. Imports from an address stay
open to all, since SSRF_PROTECTION_ENABLED keeps them away from this machine and its network.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import webhooks.serializers
import webhooks.utils
from core.utils.io import ssrf_safe_post, validate_url_for_ssrf
from django.http import HttpRequest, HttpResponse, JsonResponse
from rest_framework.exceptions import APIException
from rest_framework.permissions import SAFE_METHODS

NAMING_ADDRESSES = {"io_storages", "ml", "webhooks"}
"""Label Studio's applications whose objects hold an address."""
ASKING = {"MLBackendInteractiveAnnotating", "MLBackendPredictTestAPI", "MLBackendTrainAPI"}
"""Views of theirs that change no address: they ask the service that the owner has named."""

# The owner's webhooks may lead where the owner's prediction services may: to this machine and its network.
webhooks.utils.ssrf_safe_post = partial(ssrf_safe_post, block_local_urls=False)
webhooks.serializers.validate_url_for_ssrf = lambda url, **_: validate_url_for_ssrf(url, block_local_urls=False)


class ByTheOwnerAlone:
    """Refuses others the views that name addresses, reading excepted."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, arguments: tuple[Any, ...], named: dict[str, Any]
    ) -> HttpResponse | None:
        """Answer in the view's place, or None to let it answer."""
        if request.method in SAFE_METHODS or not _names_addresses(view):
            return None
        try:
            user = view.cls(**view.initkwargs).initialize_request(request).user
        except APIException:
            return None  # the view says the same
        if user.is_superuser or not user.is_authenticated:
            return None
        return JsonResponse(
            {"detail": "Prediction services, webhooks and storages are for the owner to set."}, status=403
        )


def _names_addresses(view: Any) -> bool:
    shown = getattr(view, "cls", None)
    return shown is not None and shown.__module__.split(".")[0] in NAMING_ADDRESSES and shown.__name__ not in ASKING
