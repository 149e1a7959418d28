"""Only the owner may set addresses that Label Studio sends requests to.

Its open edition has no roles. Without this, any annotator could make it send requests into the office's network:
through a prediction service (which receives the owner's token), a webhook or a storage. Everybody may still import from
a URL, since SSRF_PROTECTION_ENABLED keeps imports away from this machine and its network.
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

APPS_WITH_ADDRESSES = {"io_storages", "ml", "webhooks"}
"""Label Studio's Django apps whose objects hold an address."""
HARMLESS_VIEWS = {"MLBackendInteractiveAnnotating", "MLBackendPredictTestAPI", "MLBackendTrainAPI"}
"""Views of these apps that change no address: they send a request to the service that the owner has set."""

# The owner's webhooks may use the addresses that the owner's prediction services may: this machine and its network.
webhooks.utils.ssrf_safe_post = partial(ssrf_safe_post, block_local_urls=False)
webhooks.serializers.validate_url_for_ssrf = lambda url, **_: validate_url_for_ssrf(url, block_local_urls=False)


class OnlyOwnerSetsAddresses:
    """Refuses everybody but the owner the views that set addresses; everybody may read."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, arguments: tuple[Any, ...], named: dict[str, Any]
    ) -> HttpResponse | None:
        """The refusal, or None to let the view respond."""
        if request.method in SAFE_METHODS or not _sets_addresses(view):
            return None
        try:
            user = view.cls(**view.initkwargs).initialize_request(request).user
        except APIException:
            return None  # the view raises it too
        if user.is_superuser or not user.is_authenticated:
            return None
        return JsonResponse(
            {"detail": "Only the owner may set prediction services, webhooks and storages."}, status=403
        )


def _sets_addresses(view: Any) -> bool:
    cls = getattr(view, "cls", None)
    if cls is None:
        return False
    return cls.__module__.split(".")[0] in APPS_WITH_ADDRESSES and cls.__name__ not in HARMLESS_VIEWS
