#!/usr/bin/env python3
"""Asks the emulator: ask.py SERVICE OPERATION [JSON], by botocore's names. Prints the answer as JSON."""

import json
import os
import sys

import botocore.session

service, operation, *parameters = sys.argv[1:]
client = botocore.session.get_session().create_client(service, endpoint_url=os.environ["AWS_ENDPOINT_URL"])
given = json.loads(parameters[0] if parameters else "{}")
if client.can_paginate(operation):
    # All of it: some lists come in pages of fifty.
    answer = client.get_paginator(operation).paginate(**given).build_full_result()
else:
    answer = getattr(client, operation)(**given)
print(json.dumps(answer, default=str))
