// The domain `health`.

import assert from "node:assert/strict";
import { test } from "node:test";
import { administrator, assertOutcomes, clientWith } from "./support.js";

test("health.ping answers whoever asks", async () => {
  assert.equal(await clientWith().health.ping.query(), "pong");
  assert.equal(await administrator().health.ping.query(), "pong");
  await assertOutcomes({ nobody: "OK", administrator: "OK" }, (client) => client.health.ping.query());
});
