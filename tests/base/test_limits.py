import pytest
from pizhu.base.errors import ConfigError
from pizhu.base.limits import DEFAULT_LIMITS, limits


def test_settings_replace_only_what_they_name() -> None:
    found = limits(["pages=5000", " line = 10 "])
    assert (found.pages, found.line, found.file_mb) == (5000, 10, DEFAULT_LIMITS.file_mb)
    assert limits() == DEFAULT_LIMITS


@pytest.mark.parametrize("setting", ["pages", "pages=", "pages=many", "pages=-1", "pages=0", "sides=3", "=3", ""])
def test_a_wrong_setting_is_named(setting: str) -> None:
    with pytest.raises(ConfigError, match="limit"):
        limits([setting])
