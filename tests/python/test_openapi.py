"""Does the service do what its OpenAPI document says? Asked by schemathesis, in all its checks."""

import os
import subprocess
import sys
from pathlib import Path

from service import Service

HERE = Path(__file__).resolve().parent
# The most that one run may take.
LIMIT_S = 400


def schemathesis(service: Service, token: str, *options: str) -> None:
    """Runs every check on every operation; fails with what it says."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli"),
        *("--config-file", str(HERE / "schemathesis.toml"), "run", f"{service.url}/openapi.json"),
        *("--checks", "all", "--no-color", *options),
    ]
    environment = {
        **os.environ,
        "ONEFOLD_TOKEN": token,
        "SCHEMATHESIS_REASONS": str(HERE / "schemathesis_reasons.py"),
    }
    ended = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, env=environment, cwd=service.data)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_every_operation_does_what_the_document_says(service: Service):
    schemathesis(service, service.seed())


def test_the_second_service_as_well(conformance: Service):
    schemathesis(conformance, "good")
