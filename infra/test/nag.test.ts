/** cdk-nag's rules for AWS solutions and for serverless ones, with the exceptions of `exceptions.ts`. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { AwsSolutionsChecks, ServerlessChecks } from "cdk-nag";
import { nagExceptions } from "./nag-exceptions.js";
import { EVERYTHING, synthesize } from "./support.js";

const { app } = synthesize({ directory: "nag", config: EVERYTHING });
const reports = [new AwsSolutionsChecks(app), new ServerlessChecks(app)].map((pack) => pack.validateScope(app));
for (const report of reports) console.log(JSON.stringify(report, undefined, 1).slice(0, 3000));
const n = new Map<string, string[]>();
for (const r of reports) for (const v of r.violations) for (const x of v.violatingConstructs ?? []) n.set(v.ruleName, [...(n.get(v.ruleName) ?? []), x.constructPath ?? "?"]);
for (const [k, v] of n) console.log(k, v.length, v.slice(0, 4));
assert.ok(nagExceptions); it;
