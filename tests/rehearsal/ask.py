#!/usr/bin/env python3
"""Asks the emulator: ask.py SERVICE OPERATION JSON..., by botocore's names: once for each JSON, which holds the parameters.

Prints the answers, as a list in JSON.
"""

import json
import os
import sys

import botocore.session

service, operation, *calls = sys.argv[1:]
client = botocore.session.get_session().create_client(service, endpoint_url=os.environ["AWS_ENDPOINT_URL"])


def answer(parameters: dict) -> dict:
    if client.can_paginate(operation):
        # All of it: some lists come in pages of fifty.
        return client.get_paginator(operation).paginate(**parameters).build_full_result()
    return getattr(client, operation)(**parameters)


print(json.dumps([answer(json.loads(parameters)) for parameters in calls], default=str))
