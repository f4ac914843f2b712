/**
 * What the procedures did, as the local service recorded it while clients called them, held against what
 * their roles allow: those of the testbed, and of the service in this tree. `./test rights` records and runs this.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { parseContract } from "../../src/contract.js";
import { allows, members, type Statement } from "../policy.js";
import { rolesOf, TABLE } from "../roles.js";
import { EVERYTHING, functionName, PACKAGE, rawContract, type RawContract, type RawProcedure, ROOT, synthesize, TESTBED } from "../support.js";

/** The folder with a record of each service, `testbed.jsonl` and `service.jsonl`. */
const RECORDS = process.env["ONEFOLD_RECORDS"] ?? assert.fail("ONEFOLD_RECORDS names no folder; `./test rights` makes one");
/** The contract of the service beside the testbed. */
const CONTRACT = process.env["ONEFOLD_CONTRACT"] ?? assert.fail("ONEFOLD_CONTRACT names no contract");
const UNUSED = "shared/infra/test/unused-rights.json";

/** One line of a record. */
interface Access {
  readonly procedure: string;
  readonly action: string;
  /** Null for the table itself. */
  readonly index: string | null;
  /** What the partition key began with, before a `#`. */
  readonly prefix: string;
}

/** One right, in words: `orders.get: dynamodb:GetItem on the table, order#…`. */
const inWords = ({ procedure, action, index, prefix }: Access): string =>
  `${procedure}: ${action} on ${index ?? "the table"}, ${prefix}#…`;

/** The kinds of rights that are granted and seldom used, each with its reason. */
const reviewed = JSON.parse(readFileSync(join(PACKAGE, "test/unused-rights.json"), "utf8")) as { reason: string; rights: string[] }[];
const reviewedKinds = reviewed.flatMap(({ rights }) => rights);

/** A service, what its clients made it do, and what its roles allow. */
class Recorded {
  readonly record: readonly Access[];
  /** The names of the procedures that were called. */
  readonly called: ReadonlySet<string>;
  readonly #contract: RawContract;
  readonly #roles: ReadonlyMap<string, Statement[]>;

  constructor(name: string, contract: string) {
    this.#contract = rawContract(contract);
    this.#roles = rolesOf(synthesize({ directory: `rights-of-${name}`, contract: parseContract(rawContract(contract)), stage: "prod", config: EVERYTHING }));
    this.record = readRecord(join(RECORDS, `${name}.jsonl`));
    this.called = new Set(this.record.map(({ procedure }) => procedure));
  }

  statementsOf(procedure: string): Statement[] {
    return this.#roles.get(`${this.#contract.service}-prod-${functionName(procedure)}`) ?? assert.fail(`${procedure} has no role`);
  }

  /** The procedures that have rights to data. */
  get procedures(): readonly RawProcedure[] {
    return this.#contract.procedures.filter(({ grants }) => grants.length > 0);
  }

  /** Whether a procedure is written in the service's package: identity's are mounted. */
  isOwn({ name }: RawProcedure): boolean {
    const { folder } = this.#contract.layout?.packages?.functions ?? assert.fail("the contract names no package of functions");
    const file = `${name.replaceAll(".", "/").replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}.rs`;
    return existsSync(join(ROOT, folder, "src", file));
  }

  /** The rights to data of those of these procedures that were called: what the others would use is not known. */
  granted(procedures: readonly RawProcedure[]): Access[] {
    const called = procedures.filter(({ name }) => this.called.has(name));
    return called.flatMap(({ name }) => this.statementsOf(name).flatMap((statement) => dataRights(name, statement)));
  }

  unused(procedures: readonly RawProcedure[]): Access[] {
    const used = new Set(this.record.map(inWords));
    return this.granted(procedures).filter((access) => !used.has(inWords(access)));
  }

  /** What happened and no role allows. */
  denied(): string[] {
    const denied = this.record.filter(({ procedure, action, index, prefix }) => {
      const resource = index === null ? TABLE : `${TABLE}/index/${index}`;
      return !allows(this.statementsOf(procedure), { action, resource, leadingKeys: [`${prefix}#1`] });
    });
    return denied.map(inWords);
  }

  /** A right by the capability that gives it, `read: dynamodb:GetItem`: the reasons hold for procedures to come as well. */
  byCapability({ procedure, action, prefix }: Access): string {
    const grants = this.#contract.procedures.find(({ name }) => name === procedure)?.grants ?? [];
    return `${grants.find((grant) => grant.prefix === prefix && grant.actions.includes(action))?.access ?? "no capability"}: ${action}`;
  }

  /** The rights that were never used and are of no kind that is reviewed. */
  unreviewed(procedures: readonly RawProcedure[]): string[] {
    const unused = this.unused(procedures).map((access) => [inWords(access), this.byCapability(access)] as const);
    return unused.filter(([, kind]) => !reviewedKinds.includes(kind)).map(([right, kind]) => `${right} (${kind})`);
  }
}

/** The services of several test files and runs append to one file, so that lines occur several times. */
function readRecord(path: string): Access[] {
  return [...new Set(readFileSync(path, "utf8").trimEnd().split("\n"))].map((line) => {
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

const REFUSED = "the role refuses what the procedure did: `cargo regen`, or its grants in shared/infra/src/grants.ts leave it out";
const ADVICE = `take a capability that gives less, or add what stands in brackets, with its reason, to ${UNUSED}`;

describe("the testbed", () => {
  const testbed = new Recorded("testbed", TESTBED);
  const all = testbed.procedures;

  it("was called, each procedure that has rights to data", () => {
    const silent = all.map(({ name }) => name).filter((name) => !testbed.called.has(name));
    assert.deepEqual(silent, [], "no suite in tests/typescript/src/clients, grants or oauth calls these: add a call of each");
  });

  it("did nothing that its roles do not allow", () => assert.deepEqual(testbed.denied(), [], REFUSED));

  it("was granted nothing that was never used, but for what is reviewed, each with its reason", (test) => {
    const [granted, unused] = [testbed.granted(all), testbed.unused(all)];
    test.diagnostic(`${granted.length} rights to data, ${granted.length - unused.length} of them used; not used:`);
    for (const access of unused) {
      test.diagnostic(`  ${inWords(access)}`);
    }
    assert.ok(reviewed.every(({ reason }) => reason.length > 20), "each has a reason");
    assert.deepEqual(testbed.unreviewed(all), [], ADVICE);
    const kinds = new Set(unused.map((access) => testbed.byCapability(access)));
    assert.deepEqual(reviewedKinds.filter((kind) => !kinds.has(kind)), [], `these are always used: take them out of ${UNUSED}`);
  });
});

describe("the service", () => {
  const service = new Recorded("service", CONTRACT);
  const own = service.procedures.filter((procedure) => service.isOwn(procedure));

  it("was called, each procedure of its own that has rights to data and is released", (test) => {
    const released = JSON.parse(readFileSync(join(dirname(CONTRACT), "released.json"), "utf8")) as RawContract;
    const isReleased = (name: string): boolean => released.procedures.some((procedure) => procedure.name === name);
    const silent = own.map(({ name }) => name).filter((name) => !service.called.has(name));
    for (const name of silent.filter((name) => !isReleased(name))) {
      test.diagnostic(`${name} is new, and no test in tests/service calls it: whether it uses its rights is not known`);
    }
    assert.deepEqual(silent.filter(isReleased), [], "no test in tests/service calls these: add a call of each to the file of its domain");
  });

  it("did nothing that its roles do not allow", () => assert.deepEqual(service.denied(), [], REFUSED));

  it("was granted nothing that was never used, but for what is reviewed", () => assert.deepEqual(service.unreviewed(own), [], ADVICE));
});
