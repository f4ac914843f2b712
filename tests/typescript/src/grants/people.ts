// What the tests of grants have in common: the service, and two people who may let applications in.

import assert from "node:assert/strict";
import { after, before } from "node:test";
import { TRPCClientError } from "@trpc/client";
import type { AppRouter } from "@onefold/testbed";
import { startService, type Service } from "../service.js";
import { Person } from "./person.js";

export let service: Service;
export let administrator: Person;
export let employee: Person;

before(async () => {
  service = await startService();
  // The first who registers becomes administrator by that alone.
  administrator = await Person.register(service, "administrator");
  employee = await Person.register(service, "employee");
});
after(() => service.stop());

/** The code with which a call of a procedure failed. */
export async function code(call: Promise<unknown>): Promise<string> {
  const error = await call.then(() => assert.fail("the call succeeded"), (error: unknown) => error);
  assert.ok(error instanceof TRPCClientError, String(error));
  return (error as TRPCClientError<AppRouter>).data?.code ?? assert.fail("no error.data");
}
