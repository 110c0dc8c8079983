"""Every NOTIFY channel of the installation, by its purpose. Triggers of the migrations name some of them too."""

from __future__ import annotations

CONFIGURATION = "callmatrix_config"
CATALOGUE = "callmatrix_catalogue"
DIRECTORY = "callmatrix_directory"
WEBHOOKS = "callmatrix_webhook"
EFFECTS = "callmatrix_effects"
LOAD_DIRECTORY = "callmatrix_sync"
LONG_TASKS = "callmatrix_long_work"

EVERY = (CONFIGURATION, CATALOGUE, DIRECTORY, WEBHOOKS, EFFECTS, LOAD_DIRECTORY, LONG_TASKS)
