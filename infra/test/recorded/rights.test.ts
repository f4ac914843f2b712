/**
 * What the procedures did, as the local service recorded it while clients called them, held against what
 * their roles allow. `../../test rights` records and runs this.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { allows, members, type Statement } from "../policy.js";
import { rolesOf, TABLE } from "../roles.js";
import { readMeanings, readSignature } from "../signatures.js";
import { EVERYTHING, functionName, INFRA, rawContract, synthesize } from "../support.js";

const contract = rawContract();
const roles = rolesOf(synthesize({ directory: "rights-recorded", stage: "prod", config: EVERYTHING }));
const statementsOf = (procedure: string): Statement[] =>
  roles.get(`${contract.service}-prod-${functionName(procedure)}`) ?? assert.fail(`${procedure} has no role`);

/** One line of the record. */
interface Access {
  readonly procedure: string;
  readonly action: string;
  /** Null for the table itself. */
  readonly index: string | null;
  /** What the partition key began with, before a `#`. */
  readonly prefix: string;
}

/** One right, in words: `users.get: dynamodb:GetItem on the table, user#…`. */
const inWords = ({ procedure, action, index, prefix }: Access): string =>
  `${procedure}: ${action} on ${index ?? "the table"}, ${prefix}#…`;

const record = readRecord();
const used = new Set(record.map(inWords));
const granted = new Map(
  contract.procedures
    .flatMap(({ name }) => statementsOf(name).flatMap((statement) => dataRights(name, statement)))
    .map((access) => [inWords(access), access]),
);

/** The services of several test files and runs append to one file, so that lines occur several times. */
function readRecord(): Access[] {
  const path = process.env["ONEFOLD_RECORD"] ?? assert.fail("ONEFOLD_RECORD names no record; `./test rights` makes one");
  return readFileSync(path, "utf8").trimEnd().split("\n").map((line) => {
    const { procedure, action, index, prefix } = members(JSON.parse(line), ["procedure", "action", "index", "prefix"]);
    assert.ok(typeof procedure === "string" && typeof action === "string" && typeof prefix === "string", line);
    assert.ok(index === null || typeof index === "string", line);
    return { procedure, action, index, prefix };
  });
}

/** What a statement allows at DynamoDB, one by one. */
function dataRights(procedure: string, { actions, resources, leadingKeys }: Statement): Access[] {
  return actions
    .filter((action) => action.startsWith("dynamodb:"))
    .flatMap((action) =>
      resources.flatMap((resource) =>
        (leadingKeys ?? ["*"]).map((pattern) => ({
          procedure,
          action,
          index: resource === TABLE ? null : resource.replace(`${TABLE}/index/`, ""),
          prefix: pattern.replace(/#\*$/, ""),
        })),
      ),
    );
}

it("the suites called every procedure that has rights to data", () => {
  const meanings = readMeanings();
  const called = new Set(record.map((access) => access.procedure));
  const hasData = (name: string): boolean => readSignature(name, meanings).capabilities.length > 0;
  const silent = contract.procedures.map(({ name }) => name).filter((name) => hasData(name) && !called.has(name));
  assert.deepEqual(silent, []);
});

it("everything that happened is allowed", () => {
  const denied = record.filter(({ procedure, action, index, prefix }) => {
    const resource = index === null ? TABLE : `${TABLE}/index/${index}`;
    return !allows(statementsOf(procedure), { action, resource, leadingKeys: [`${prefix}#1`] });
  });
  assert.deepEqual(denied.map(inWords), []);
});

/** A right by the capability that gives it, `read: dynamodb:GetItem`: the reasons hold for procedures to come as well. */
const byCapability = ({ procedure, action, prefix }: Access): string => {
  const grants = contract.procedures.find(({ name }) => name === procedure)?.grants ?? [];
  return `${grants.find((grant) => grant.prefix === prefix && grant.actions.includes(action))?.access ?? "no capability"}: ${action}`;
};

it("what is granted and was never used is reviewed, each with its reason", (test) => {
  const reviewed = JSON.parse(readFileSync(join(INFRA, "test/unused-rights.json"), "utf8")) as { reason: string; rights: string[] }[];
  const unused = [...granted].filter(([right]) => !used.has(right));
  test.diagnostic(`${granted.size} rights to data, ${granted.size - unused.length} of them used; not used:`);
  for (const [right] of unused) {
    test.diagnostic(`  ${right}`);
  }
  assert.ok(reviewed.every(({ reason }) => reason.length > 20), "each has a reason");
  // A line that is not there is a right to look at; one that is there and is always used is not needed any more.
  const kinds = new Set(unused.map(([, access]) => byCapability(access)));
  assert.deepEqual(reviewed.flatMap(({ rights }) => rights).sort(), [...kinds].sort());
});
