"""A client that openapi-python-client makes of the OpenAPI document, against the service it describes."""

import importlib
import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from types import ModuleType

from service import Service


def generated(service: Service, folder: Path) -> ModuleType:
    """The package that the generator makes of what the service says of itself."""
    document = folder / "openapi.json"
    with urllib.request.urlopen(f"{service.url}/openapi.json") as answer:
        document.write_bytes(answer.read())
    config = folder / "config.json"
    # What would tidy the code up is no part of it.
    config.write_text(json.dumps({"post_hooks": []}))
    name = f"client_{service.url.rsplit(':')[-1]}"
    generator = str(Path(sys.executable).with_name("openapi-python-client"))
    command = [generator, "generate", "--path", str(document), "--config", str(config), "--meta", "none"]
    ended = subprocess.run([*command, "--output-path", str(folder / name)], capture_output=True, text=True, timeout=120)
    said = ended.stdout + ended.stderr
    assert ended.returncode == 0 and "Warning" not in said, said
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(folder))


def test_the_generated_client_reads_what_the_service_answers(service: Service, tmp_path: Path):
    package = generated(service, tmp_path)

    def api(name: str) -> ModuleType:
        return importlib.import_module(f"{package.__name__}.api.{name}")

    models = importlib.import_module(f"{package.__name__}.models")
    client = package.AuthenticatedClient(base_url=service.url, token=service.token())

    ada = api("users.users_create").sync(client=client, body=models.UsersCreateBody(email="ada@example.com", name="Ada"))
    assert isinstance(ada, models.User) and ada.role == models.Role.GUEST and ada.age is None
    assert api("users.users_get").sync(client=client, id=ada.id) == ada

    page = api("users.users_list").sync(client=client, sort=models.UserSort("-createdAt"), limit=10)
    assert isinstance(page, models.UserPage) and page.items == [ada]

    change = models.UsersUpdateBody(role=models.Role.VIEWER)
    assert api("users.users_update").sync(client=client, id=ada.id, body=change).role == models.Role.VIEWER

    failed = api("users.users_create").sync(client=client, body=models.UsersCreateBody(email="ada@example.com", name="Eve"))
    assert failed.status == 409 and failed.failure.value == "ada@example.com"

    assert api("users.users_delete").sync_detailed(client=client, id=ada.id).status_code == 204
    gone = api("users.users_get").sync(client=client, id=ada.id)
    assert gone.status == 404 and gone.failure.type_ == "missing"


def test_every_kind_of_value_passes_through_it(conformance: Service, tmp_path: Path):
    package = generated(conformance, tmp_path)
    models = importlib.import_module(f"{package.__name__}.models")
    with urllib.request.urlopen(f"{conformance.url}/openapi.json") as answer:
        document = json.load(answer)
    read = 0
    for path in document["paths"].values():
        for operation in path.values():
            for answer in operation["responses"].values():
                for media in answer.get("content", {}).values():
                    name = media["schema"].get("$ref", "").rsplit("/")[-1]
                    if model := getattr(models, name, None):
                        assert model.from_dict(media["example"]).to_dict() == media["example"], name
                        read += 1
    assert read > 0
