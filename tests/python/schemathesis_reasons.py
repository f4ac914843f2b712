"""Where a check of schemathesis expects what this service is right not to do, and why: one reason for one check.

A failure is left out when the answer itself says that it is such a case. No check is switched off.
"""

import re

import schemathesis

# What the service says of values that no schema can tell from others, by the field's name.
BEYOND_SCHEMAS = {
    # A cursor is sealed by the service, for one caller and one query.
    "cursor": "not a cursor of this list; begin again without one",
    # Whether a password is easily guessed is more than its form says.
    "password": "is easily guessed",
}


def is_beyond_schemas(error: dict, case) -> bool:
    """Whether a field is at fault in a way that the document cannot say."""
    name, message = error["path"], error["message"]
    if name in BEYOND_SCHEMAS:
        return message.startswith(BEYOND_SCHEMAS[name])
    if name == "version" and message == "is given more than once":
        # `If-Match` and the body's `version` are one thing: OpenAPI cannot say that one leaves the other out.
        return "If-Match" in (case.headers or {})
    return False


def methods_at(path: str, paths: dict) -> set[str]:
    """What a path answers by the whole document: where routes overlap, the method decides which one it is."""
    methods = set()
    for template, item in paths.items():
        if re.fullmatch(re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(template)), path):
            methods |= {method.upper() for method in item} & {"GET", "POST", "PUT", "PATCH", "DELETE"}
    return methods | ({"HEAD"} if "GET" in methods else set())


@schemathesis.hook
def filter_failure(context, failure, case, response) -> bool:
    if failure.code == "ST205":
        # It looks at one path of the document only.
        allowed = {method.strip() for method in response.headers["allow"][0].split(",")}
        return allowed != methods_at(case.operation.path, case.operation.schema.raw_schema["paths"])
    if failure.code != "ST202":
        return True
    problem = response.json()
    # A failure of the procedure's own, with a type that the document names: the input is of the right form.
    if "failure" in problem:
        return False
    errors = problem.get("errors", [])
    return response.status_code != 400 or not errors or not all(is_beyond_schemas(error, case) for error in errors)
