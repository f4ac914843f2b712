#!/usr/bin/env python3
"""A Lambda function for tests: it speaks the Runtime API and misbehaves as the event says.

Every wait has an end, so that a failed test leaves no process behind.
"""

import http.client
import json
import os
import sys
import time

WAIT_LIMIT_S = 60
PREFIX = "/2018-06-01/runtime/"

api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])


def call(method, path, body=None):
    api.request(method, PREFIX + path, body)
    response = api.getresponse()
    return response.status, response.headers, response.read()


def wait_until(condition):
    end = time.monotonic() + WAIT_LIMIT_S
    while not condition():
        if time.monotonic() > end:
            sys.exit("nothing came within the limit")
        time.sleep(0.005)


def note(path):
    """One line in a file for each call that was handed out."""
    with open(path, "a") as file:
        file.write(f"{os.getpid()}\n")


def handle(request_id, headers, event):
    def respond(value):
        return call("POST", f"invocation/{request_id}/response", json.dumps(value))[0]

    do = event["do"]
    if "note" in event:
        note(event["note"])
    if do == "echo":
        respond(event)
    elif do == "describe":
        respond({"pid": os.getpid(), "headers": dict(headers), "environment": dict(os.environ)})
    elif do == "error":
        body = json.dumps({"errorMessage": "the fault", "errorType": "Fault", "stackTrace": []})
        call("POST", f"invocation/{request_id}/error", body)
    elif do == "exit":
        os._exit(7)
    elif do == "exit after":
        respond("done")
        os._exit(0)
    elif do == "hang":
        time.sleep(WAIT_LIMIT_S)
        os._exit(1)
    elif do == "wait":
        wait_until(lambda: os.path.exists(event["for"]))
        respond("waited")
    elif do == "meet":
        open(os.path.join(event["in"], str(os.getpid())), "w").close()
        wait_until(lambda: len(os.listdir(event["in"])) >= event["count"])
        respond(os.getpid())
    elif do == "confuse":
        # The statuses of what is not allowed, told by the next "report".
        statuses = {
            "wrong": call("POST", "invocation/no-such-id/response", "1")[0],
            "next": call("GET", "invocation/next")[0],
            "init": call("POST", "init/error", "{}")[0],
            "path": call("GET", "nothing")[0],
            "first": respond("first"),
            "second": respond("second"),
            "error": call("POST", f"invocation/{request_id}/error", "{}")[0],
        }
        with open(event["report"], "w") as file:
            json.dump(statuses, file)
    elif do == "large":
        status = respond("x" * event["bytes"])
        with open(event["report"], "w") as file:
            file.write(str(status))


def main():
    mode = os.environ.get("MODE")
    if mode == "init error":
        call("POST", "init/error", json.dumps({"errorMessage": "no config", "errorType": "Init.Config"}))
        sys.exit(1)
    if mode == "init exit":
        sys.exit(3)
    if mode == "init hang":
        time.sleep(WAIT_LIMIT_S)
    if mode == "init slow":
        time.sleep(2)
    while True:
        status, headers, body = call("GET", "invocation/next")
        if status != 200:
            sys.exit(f"next: {status}")
        handle(headers["Lambda-Runtime-Aws-Request-Id"], headers, json.loads(body))


try:
    main()
except (OSError, http.client.HTTPException):
    # The pool is gone.
    sys.exit(1)
