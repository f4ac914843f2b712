/** cdk-nag's rules for AWS solutions and for serverless ones, with the exceptions of `exceptions.json`. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { AwsSolutionsChecks, type NagPack, ServerlessChecks } from "cdk-nag";
import { EVERYTHING, PACKAGE, synthesize } from "./support.js";

interface Exception {
  /** A pattern of the whole name. */
  readonly rule: string;
  /** Of the construct's path. */
  readonly where: string;
  readonly reason: string;
}

const exceptions = JSON.parse(readFileSync(join(PACKAGE, "test/exceptions.json"), "utf8"))["cdk-nag"] as Exception[];
const used = new Set<Exception>();
const { app } = synthesize({ directory: "nag", stage: "prod", config: EVERYTHING });

/** What a pack finds, beside the exceptions. */
function findings(pack: NagPack): string[] {
  return pack.validateScope(app).violations.flatMap(({ ruleName, description, violatingResources }) =>
    violatingResources.flatMap(({ constructPath = "?" }) => {
      const exception = exceptions.find(({ rule, where }) => new RegExp(`^(?:${rule})$`).test(ruleName) && new RegExp(where).test(constructPath));
      if (exception === undefined) {
        return [`${ruleName} at ${constructPath}: ${description}`];
      }
      used.add(exception);
      return [];
    }),
  );
}

it("AwsSolutions finds nothing but what is excepted", () => {
  assert.deepEqual(findings(new AwsSolutionsChecks(app)), []);
});

it("Serverless finds nothing but what is excepted", () => {
  assert.deepEqual(findings(new ServerlessChecks(app)), []);
});

it("every exception is needed, and has a reason", () => {
  assert.deepEqual(exceptions.filter((exception) => !used.has(exception)), []);
  assert.deepEqual(exceptions.filter(({ reason }) => reason.trim().length < 20), []);
});
