"""Imports within bounds: their YAML, and how large they are when they are unpacked.

Superset 6.1.0 reads YAML by `yaml.safe_load`, which expands aliases, and asks of a ZIP file the ratio of compression only.
"""

from functools import wraps
from zipfile import ZipFile

import yaml
from superset.commands.exceptions import CommandInvalidError
from superset.commands.importers.v1 import utils
from superset.exceptions import SupersetException

from superset_tenancy import bounded_yaml

#: Files of an import, and bytes of all of them.
MOST_FILES = 2000
LARGEST = 32 * 1024 * 1024

_PATCHED = "_is_bounded"


def apply() -> None:
    check = utils.check_is_safe_zip
    if getattr(check, _PATCHED, False):
        return

    @wraps(check)
    def check_size(bundle: ZipFile) -> None:
        files = bundle.infolist()
        if not files:
            raise CommandInvalidError("The import has no files in it.")
        if len(files) > MOST_FILES or sum(file.file_size for file in files) > LARGEST:
            raise CommandInvalidError(
                f"The import is too large: at most {MOST_FILES:,} files of {LARGEST // 1024**2} MiB together are read."
            )
        try:
            check(bundle)
        except SupersetException as error:
            raise CommandInvalidError(f"The import cannot be read: {error.message}.") from error

    setattr(check_size, _PATCHED, True)
    utils.check_is_safe_zip = check_size
    yaml.safe_load = bounded_yaml.load
