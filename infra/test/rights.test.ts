/**
 * What the roles allow, action by action, index by index and key by key, and what the signatures name.
 *
 * What the procedures do with their rights is held against the same roles in `recorded/rights.test.ts`.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { takesCursor } from "../src/contract.js";
import { DYNAMODB_ACTIONS } from "./actions.js";
import { allows, type Statement } from "./policy.js";
import { identityArn, logStreamArn, OTHER_TABLE, rolesOf, secretArn, TABLE } from "./roles.js";
import { type Capability, type Entity, names, parseSignature, readMeanings, readSignature } from "./signatures.js";
import { ALL_OF_OURS, BARE, functionName, rawContract, synthesize } from "./support.js";

const contract = rawContract();
const meanings = readMeanings();
const { entities, secrets } = meanings;
const prefixes = [...entities.values()].map((entity) => entity.prefix);

/** Where something can be done, with the place of the index in the table. */
const PLACES: { resource: string; isOurs: boolean; index?: number }[] = [
  { resource: TABLE, isOurs: true },
  ...contract.table.indexes.map(({ name }, index) => ({ resource: `${TABLE}/index/${name}`, isOurs: true, index })),
  ...[`${TABLE}/index/other`, `${TABLE}/stream/2026-01-01T00:00:00.000`, `${TABLE}/backup/01700000000000-0a1b2c3d`],
  ...[`${TABLE}2`, OTHER_TABLE, ...contract.table.indexes.map(({ name }) => `${OTHER_TABLE}/index/${name}`), "*"],
].map((place) => (typeof place === "string" ? { resource: place, isOurs: false } : place));

/** Which partition keys: those of each entity, what looks like them, strange ones, several, none. */
const KEYS: string[][] = [
  ...prefixes.flatMap((prefix) => [
    ...[[`${prefix}#1`], [`${prefix}#~email#ada@example.com`], [`${prefix}#created##0`], [`${prefix}#`]],
    ...[[prefix], [`${prefix}s#1`], [`${prefix}name#1`], [`x${prefix}#1`], [`#${prefix}#1`], [` ${prefix}#1`], [`${prefix}*`]],
    ...[[prefix.toUpperCase() + "#1"], [`${prefix.slice(0, -1)}#1`], [`${prefix}#1`, `${prefix}#2`], [`${prefix}#1`, "unknown#1"]],
    ...prefixes.filter((other) => other !== prefix).map((other) => [`${prefix}#1`, `${other}#1`]),
  ]),
  ...[["unknown#1"], [""], ["#"], ["*"]],
  // No request to DynamoDB is like this: each action that a signature can name carries its keys. `ForAllValues` alone
  // would let it through.
  [],
];

/** What is wrong with a role at DynamoDB. */
function differences(statements: readonly Statement[], capabilities: readonly Capability[]): string[] {
  const found: string[] = [];
  for (const action of DYNAMODB_ACTIONS) {
    for (const { resource, isOurs, index } of PLACES) {
      for (const leadingKeys of KEYS) {
        const isNamed = isOurs && leadingKeys.length > 0 && names(capabilities, action, index, leadingKeys);
        if (allows(statements, { action, resource, leadingKeys }) !== isNamed) {
          found.push(`${action} on ${resource} with [${leadingKeys.join(", ")}]: ${isNamed ? "denied and named" : "allowed and not named"}`);
        }
      }
    }
  }
  return found;
}

const stages = [
  { stage: "prod", config: ALL_OF_OURS },
  { stage: "dev", config: BARE },
];
for (const { stage, config } of stages) {
  const roles = rolesOf(synthesize({ directory: `rights-${stage}`, stage, config }));
  const statementsOf = (procedure: string): Statement[] =>
    roles.get(`${contract.service}-${stage}-${functionName(procedure)}`) ?? assert.fail(`${procedure} has no role`);

  describe(`the roles of ${stage}`, () => {
    it("are those of the procedures and the gateways", () => {
      assert.equal(roles.size, contract.procedures.length + contract.gateways.length);
      assert.notEqual(roles.size, 0);
    });

    for (const { name, input } of contract.procedures) {
      it(`${name} may do at DynamoDB what its signature names, and nothing else`, () => {
        assert.deepEqual(differences(statementsOf(name), readSignature(name, meanings).capabilities), []);
      });

      it(`${name} may write its own log, read its stage's secret, that of cursors if it takes one, and ${config.tracing ? "send traces" : "send no traces"}`, () => {
        const statements = statementsOf(name);
        const may = (action: string, resource: string): boolean => allows(statements, { action, resource, leadingKeys: [] });
        const group = `/${contract.service}/${stage}/${name}`;
        const secret = `${contract.service}/${stage}`;
        const logs = ["logs:CreateLogStream", "logs:PutLogEvents"];
        const traces = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"];
        for (const action of logs) {
          assert.ok(may(action, logStreamArn(group)));
          for (const other of [`${group}2`, `${group}/x`, "/", `/${contract.service}/${stage}/other.name`, `/${contract.service}/other/${name}`]) {
            assert.ok(!may(action, logStreamArn(other)), other);
          }
        }
        assert.ok(may("secretsmanager:GetSecretValue", secretArn(secret)));
        assert.equal(may("secretsmanager:GetSecretValue", secretArn(`${secret}/cursors`)), takesCursor(contract, input));
        for (const other of [`${contract.service}/other`, `${secret}-2`, `${secret}2`, `other/${stage}`, `${secret}/other`, `${secret}/`]) {
          assert.ok(!may("secretsmanager:GetSecretValue", secretArn(other)), other);
        }
        for (const other of ["PutSecretValue", "DescribeSecret", "UpdateSecretVersionStage"]) {
          assert.ok(!may(`secretsmanager:${other}`, secretArn(secret)), other);
        }
        for (const action of traces) {
          assert.equal(may(action, "*"), config.tracing);
        }
        const known = new Set([...DYNAMODB_ACTIONS, ...logs, "secretsmanager:GetSecretValue", "ses:SendEmail", ...traces]);
        for (const { actions, resources } of statements) {
          assert.deepEqual(actions.filter((action) => !known.has(action)), []);
          assert.ok(!resources.includes("*") || actions.every((action) => traces.includes(action)), `${actions.join(", ")} on *`);
        }
      });

      it(`${name} may read the secrets that its signature names, as far as the stage has them`, () => {
        const named = readSignature(name, meanings).secrets;
        for (const secret of [...new Set(["signing", ...secrets.values()])]) {
          const isThere = ["signing", "founder"].includes(secret) || config.secrets?.includes(secret) === true;
          const arn = secretArn(`${contract.service}/${stage}/${secret}`);
          const may = allows(statementsOf(name), { action: "secretsmanager:GetSecretValue", resource: arn, leadingKeys: [] });
          assert.equal(may, named.includes(secret) && isThere, secret);
        }
      });

      it(`${name} may send mail when its signature says so, from the stage's address`, () => {
        const may = (from: string, identity: string, action = "ses:SendEmail"): boolean =>
          allows(statementsOf(name), { action, resource: identityArn(identity), leadingKeys: [], fromAddress: from });
        const sends = readSignature(name, meanings).sendsMail && config.mailFrom !== undefined;
        for (const identity of ["no-reply@example.com", "example.com"]) {
          assert.equal(may("no-reply@example.com", identity), sends);
          assert.ok(!may("ceo@example.com", identity));
          assert.ok(!may("no-reply@example.com", identity, "ses:SendRawEmail"));
        }
        assert.ok(!may("no-reply@example.com", "other.example.com"));
      });
    }
  });
}

describe("a signature", () => {
  const read = (attribute: string, parameters: string) =>
    parseSignature("a.b", `#[procedure(${attribute})]\npub async fn b(${parameters}) -> Result<Out, Error> {`, {
      entities,
      secrets: new Map([["Providers", "identity-providers"]]),
      bundles: new Map([
        ["Inner", [["mail", "Mail"], ["posts", "Read<Post>"]]],
        ["Outer", [["inner", "Inner"], ["who", "Option<Caller>"]]],
      ]),
    });
  const kinds = (attribute: string, parameters = ""): string[] =>
    read(attribute, parameters).capabilities.map(({ kind, entity }) => `${kind} ${entity.prefix}`);

  it("names what is stored, and a look at the session where it is asked who is calling", () => {
    assert.deepEqual(kinds("query, auth = public", "posts: Read<Post>, #[input] input: Input"), ["meter meter", "Read post"]);
    assert.deepEqual(kinds('query, auth = permission("posts:read")', "posts: Read<Post>"), ["session session", "meter meter", "Read post"]);
    assert.deepEqual(kinds("mutation, auth = public", "posts: Read<Post>, #[input] input: Input"), ["Read post"], "it is not charged");
    assert.deepEqual(kinds("mutation, auth = signed_in", "posts: Write<Post>").slice(-2), ["meter meter", "Write post"], "it reads as well");
    assert.deepEqual(kinds("mutation, auth = public", "posts: Delete<Post>, accounts: Update<Account>"), ["Delete post", "Update account"]);
    for (const asking of ["Caller", "Option<Caller>", "Ownership"]) {
      assert.deepEqual(kinds("mutation, auth = public", `who: ${asking}`), ["session session"]);
    }
    assert.deepEqual(kinds('mutation, auth = public, http = "POST /oauth/token"', "limits: RateLimits, request: HttpRequest"), ["RateLimits limit"]);
    assert.deepEqual(kinds("mutation, auth = public", "posts: Create<Post>"), ["Create post"]);
  });

  it("names a look at the application as well where a token must still hold", () => {
    const both = ["session session", "application client"];
    const update = 'mutation, auth = permission("posts:write", own)';
    assert.deepEqual(kinds(update, "posts: Update<Post>, ownership: Ownership"), [...both, "Create audit", "Update post"]);
    assert.deepEqual(kinds('query, auth = permission("audit:read"), sensitive'), both);
    assert.deepEqual(kinds("mutation, auth = public, sensitive", "who: Option<Caller>"), both);
    assert.deepEqual(kinds("mutation, auth = signed_in, sensitive"), ["session session", "Create audit"], "no application comes so far");
    assert.deepEqual(kinds(`${update}, session = "it only counts"`), ["session session", "Create audit"]);
  });

  it("names secrets, mail, and what is outside", () => {
    const { capabilities, ...others } = read("mutation, auth = public", "signer: Signer, providers: Secret<Providers>, mail: Mail, party: RelyingParty");
    assert.deepEqual(capabilities, []);
    assert.deepEqual(others, { secrets: ["signing", "identity-providers"], sendsMail: true });
  });

  it("names what the capabilities in a bundle are, however deep they stand", () => {
    const { capabilities, sendsMail } = read("query, auth = public", "outer: Outer, #[input] input: Input");
    assert.deepEqual(capabilities.map(({ kind, entity }) => `${kind} ${entity.prefix}`), ["session session", "meter meter", "Read post"]);
    assert.ok(sendsMail);
  });

  it("with something that is not known is refused", () => {
    assert.throws(() => read("query, auth = public", "everything: Everything"), /what `everything: Everything` means for its rights is not stated here/);
    assert.throws(() => read("query, auth = public", "things: Read<Thing>"), /there is no entity Thing/);
    assert.throws(() => read("query, auth = public", "things: Secret<Thing>"), /Thing is no secret/);
  });
});

describe("a capability of an entity", () => {
  const plain = { prefix: "thing", indexes: 1, hasUnique: false, hasTallies: false };
  /** What it takes: on the table, and on an index. */
  const takes = (kind: Capability["kind"], entity: Entity): string[] => {
    const at = (index?: number): string[] => DYNAMODB_ACTIONS.filter((action) => names([{ kind, entity }], action, index, ["thing#1"]));
    return [...at().map((action) => action.replace("dynamodb:", "")).sort(), ...at(0).map((action) => `${action.replace("dynamodb:", "")} on an index`)];
  };

  it("takes what it does, and no more", () => {
    assert.deepEqual(takes("Create", plain), ["PutItem"]);
    assert.deepEqual(takes("Update", plain), ["GetItem", "PutItem"]);
    assert.deepEqual(takes("Delete", plain), ["DeleteItem", "GetItem"]);
    assert.deepEqual(takes("Read", plain), ["BatchGetItem", "GetItem", "Query on an index"]);
    assert.deepEqual(takes("Write", plain), ["BatchGetItem", "DeleteItem", "GetItem", "PutItem", "Query on an index"]);
  });

  it("takes more where values are unique, or groups are counted", () => {
    assert.deepEqual(takes("Update", { ...plain, hasUnique: true }), ["DeleteItem", "GetItem", "PutItem"]);
    assert.deepEqual(takes("Create", { ...plain, hasUnique: true }), ["PutItem"]);
    assert.deepEqual(takes("Create", { ...plain, hasTallies: true }), ["PutItem", "UpdateItem"]);
    assert.deepEqual(takes("Delete", { ...plain, hasTallies: true }), ["DeleteItem", "GetItem", "UpdateItem"]);
    assert.deepEqual(takes("Read", { ...plain, hasUnique: true, hasTallies: true }), takes("Read", plain));
  });

  it("is told by what stands over the entity", () => {
    const stated = (name: string): Entity => entities.get(name) ?? assert.fail(name);
    assert.deepEqual([stated("User").hasUnique, stated("User").hasTallies], [true, true]);
    assert.deepEqual([stated("Account").hasUnique, stated("Account").hasTallies], [true, false]);
    assert.deepEqual([stated("Post").hasUnique, stated("Post").hasTallies], [false, false]);
  });
});

describe("the comparison", () => {
  // A procedure that reads one entity, and its policy as it should be.
  const entity = [...entities.values()].find(({ indexes }) => indexes > 0) ?? assert.fail("no entity can be listed");
  const capabilities: Capability[] = [{ kind: "Read", entity }];
  const { prefix } = entity;
  const right = (): { actions: string[]; resources: string[]; leadingKeys: string[] | undefined; needsKeys: boolean }[] => [
    { actions: ["dynamodb:BatchGetItem", "dynamodb:GetItem"], resources: [TABLE], leadingKeys: [`${prefix}#*`], needsKeys: true },
    {
      actions: ["dynamodb:Query"],
      resources: contract.table.indexes.slice(0, entity.indexes).map((index) => `${TABLE}/index/${index.name}`),
      leadingKeys: [`${prefix}#*`],
      needsKeys: true,
    },
  ];

  it("finds nothing wrong with a role that is right", () => {
    assert.deepEqual(differences(right(), capabilities), []);
  });

  const wrong: [what: string, change: (statements: ReturnType<typeof right>) => void][] = [
    ["a missing action", ([table]) => table!.actions.pop()],
    ["an action more", ([table]) => table!.actions.push("dynamodb:ConditionCheckItem")],
    ["a scan", ([, index]) => index!.actions.push("dynamodb:Scan")],
    ["a control-plane action", ([table]) => table!.actions.push("dynamodb:DescribeTable")],
    ["a wider prefix", ([table]) => (table!.leadingKeys = [`${prefix}*`])],
    ["a second prefix", ([table]) => table!.leadingKeys!.push("unknown#*")],
    ["no prefix", ([, index]) => (index!.leadingKeys = undefined)],
    ["a request without a key", ([table]) => (table!.needsKeys = false)],
    ["any resource", ([table]) => (table!.resources = ["*"])],
    ["any index", ([, index]) => (index!.resources = [`${TABLE}/index/*`])],
    ["a missing index", ([, index]) => index!.resources.pop()],
    ["a query on the table", ([, index]) => index!.resources.push(TABLE)],
    ["another table", ([table]) => table!.resources.push(OTHER_TABLE)],
    ["another table instead", ([table]) => (table!.resources = [OTHER_TABLE])],
  ];
  for (const [what, change] of wrong) {
    it(`finds ${what}`, () => {
      const statements = right();
      change(statements);
      assert.notDeepEqual(differences(statements, capabilities), []);
    });
  }
});
