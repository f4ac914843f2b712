/**
 * What the roles allow, action by action, index by index and key by key, and what the signatures name.
 *
 * What the procedures do with their rights is held against the same roles in `recorded/rights.test.ts`.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseContract, takesCursor } from "../src/contract.js";
import { DYNAMODB_ACTIONS } from "./actions.js";
import { allows, type Statement } from "./policy.js";
import { identityArn, logStreamArn, OTHER_TABLE, rolesOf, secretArn, TABLE } from "./roles.js";
import { byName, type Capability, entitiesIn, type Entity, exportsIn, names, parseSignature, readMeanings, readSignature, writtenIn } from "./signatures.js";
import { ALL_OF_OURS, BARE, functionName, rawContract, synthesize } from "./support.js";

/** The testbed's, or that of another service in this tree. */
const contract = rawContract(process.env["ONEFOLD_CONTRACT"]);
const meanings = readMeanings(contract);
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
  const roles = rolesOf(synthesize({ directory: `rights-${contract.service}-${stage}`, contract: parseContract(contract), stage, config }));
  const statementsOf = (procedure: string): Statement[] =>
    roles.get(`${contract.service}-${stage}-${functionName(procedure)}`) ?? assert.fail(`${procedure} has no role`);

  describe(`the roles of ${stage}`, () => {
    it("are those of the procedures and the gateways", () => {
      assert.equal(roles.size, contract.procedures.length + contract.gateways.length);
      assert.notEqual(roles.size, 0);
    });

    for (const { name, input } of contract.procedures) {
      it(`${name} may do at DynamoDB what its signature names, and nothing else`, () => {
        const found = differences(statementsOf(name), readSignature(name, meanings).capabilities);
        assert.deepEqual(found, [], "`cargo regen` makes the roles from the signatures; what a capability means at AWS stands in shared/infra/test/signatures.ts as well");
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
  const order: Entity = { prefix: "order", indexes: 1, hasUnique: false, hasTallies: false };
  const read = (attribute: string, parameters: string) =>
    parseSignature("a.b", `#[procedure(${attribute})]\npub async fn b(${parameters}) -> Result<Out, Error> {`, {
      entities: new Map([...entities, ["Order", order]]),
      secrets: new Map([["Providers", "identity-providers"]]),
      bundles: new Map([
        ["Inner", [["mail", "Mail"], ["orders", "Read<Order>"]]],
        ["Outer", [["inner", "Inner"], ["who", "Option<Caller>"]]],
      ]),
    });
  const kinds = (attribute: string, parameters = ""): string[] =>
    read(attribute, parameters).capabilities.map(({ kind, entity }) => `${kind} ${entity.prefix}`);

  it("names what is stored, and a look at the session where it is asked who is calling", () => {
    assert.deepEqual(kinds("query, auth = public", "orders: Read<Order>, #[input] input: Input"), ["meter meter", "Read order"]);
    assert.deepEqual(kinds('query, auth = permission("orders:read")', "orders: Read<Order>"), ["session session", "meter meter", "Read order"]);
    assert.deepEqual(kinds("mutation, auth = public", "orders: Read<Order>, #[input] input: Input"), ["Read order"], "it is not charged");
    assert.deepEqual(kinds("mutation, auth = signed_in", "orders: Write<Order>").slice(-2), ["meter meter", "Write order"], "it reads as well");
    assert.deepEqual(kinds("mutation, auth = public", "orders: Delete<Order>, accounts: Update<Account>"), ["Delete order", "Update account"]);
    for (const asking of ["Caller", "Option<Caller>", "Ownership"]) {
      assert.deepEqual(kinds("mutation, auth = public", `who: ${asking}`), ["session session"]);
    }
    assert.deepEqual(kinds('mutation, auth = public, http = "POST /oauth/token"', "limits: RateLimits, request: HttpRequest"), ["RateLimits limit"]);
    assert.deepEqual(kinds("mutation, auth = public", "orders: Create<Order>"), ["Create order"]);
  });

  it("names a look at the application as well where a token must still hold", () => {
    const both = ["session session", "application client"];
    const update = 'mutation, auth = permission("orders:write", own)';
    assert.deepEqual(kinds(update, "orders: Update<Order>, ownership: Ownership"), [...both, "Create audit", "Update order"]);
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
    assert.deepEqual(capabilities.map(({ kind, entity }) => `${kind} ${entity.prefix}`), ["session session", "meter meter", "Read order"]);
    assert.ok(sendsMail);
  });

  it("with something that is not known is refused", () => {
    assert.throws(() => read("query, auth = public", "everything: Everything"), /what `everything: Everything` means for its rights cannot be read\. A capability of the service consists of others/);
    assert.throws(() => read("query, auth = public", "things: Read<Thing>"), /there is no entity Thing/);
    assert.throws(() => read("query, auth = public", "things: Secret<Thing>"), /Thing is no secret/);
  });
});

describe("a capability that is written by hand", () => {
  const written = (rights: string, name = "Exchange"): string =>
    `impl Capability for ${name} {\n${rights}\n\n    fn obtain(call: &Call) -> Result<Self, Fault> {\n        Secret::obtain(call).map(Self)\n    }\n}\n`;
  const parts = (rights: string): string[] | undefined => byName(writtenIn(written(rights))).get("Exchange")?.map(([, type]) => type);
  const listed = "    const RIGHTS: Rights = Rights::of(&[Clock::RIGHTS, Read::<User>::RIGHTS]);";

  it("is what its rights list, wherever they are written", () => {
    assert.deepEqual(parts(listed), ["Clock", "Read<User>"]);
    assert.deepEqual(parts(listed.replace("= ", "=\n        ").replace("[", "[\n            ").replace(", ", ",\n            ").replace("]", ",\n        ]")), ["Clock", "Read<User>"]);
    const paths = "    const RIGHTS: onefold::Rights = Rights::of(&[onefold::Secret::<keys::Key>::RIGHTS, <Option<Caller> as Capability>::RIGHTS, <Result<Caller, Fault>>::RIGHTS,]);";
    assert.deepEqual(parts(paths), ["Secret<Key>", "Option<Caller>", "Result<Caller, Fault>"]);
    const inside = `mod own {\n${written(listed).replaceAll(/^(?=.)/gm, "    ")}}\nimpl Exchange {\n}\n${written("", "Other").replace("impl ", "impl onefold::")}`;
    assert.deepEqual(writtenIn(inside).map(([name, all]) => [name, all.length]), [["Exchange", 2], ["Other", 0]]);
  });

  it("takes no right at AWS for what is outside of it, nor where it states none", () => {
    assert.deepEqual(parts('    const RIGHTS: Rights = Rights { outbound: &["the exchange; {not}, \\"AWS\\""], ..Rights::of(&[Mail::RIGHTS]) };'), ["Mail"]);
    assert.deepEqual(parts('    const RIGHTS: Rights =\n        Rights { outbound: &["one", "another"], ..Rights::NONE };'), []);
    assert.deepEqual(parts(""), []);
  });

  it("is refused where its rights are made otherwise, with what to do", () => {
    for (const rights of ["ALL", "Rights::of(ALL)", "Rights::of(&[ALL])", "Rights { mail: true, ..Rights::NONE }", 'Rights { outbound: &["x"], mail: true, ..Rights::of(&[Clock::RIGHTS]) }']) {
      const text = `#[procedure(query, auth = public)]\npub async fn b(exchange: Exchange) -> Result<Out, Error> {\n}\n${written(`    const RIGHTS: Rights = ${rights};`)}`;
      const refused = /^Error: a\.b: what `exchange: Exchange` means for its rights cannot be read\..*derive it, or state `const RIGHTS: Rights = Rights::of\(/;
      assert.throws(() => parseSignature("a.b", text, { entities, secrets, bundles: byName(writtenIn(text)) }), refused, rights);
    }
  });

  it("gives a procedure what it consists of, also where it stands in the procedure's own file", () => {
    const text = `#[procedure(mutation, auth = public)]\npub async fn b(exchange: Exchange) -> Result<Out, Error> {\n}\n${written("    const RIGHTS: Rights = Rights::of(&[Secret::<Key>::RIGHTS, Create::<Account>::RIGHTS, Mail::RIGHTS]);")}`;
    const { capabilities, ...others } = parseSignature("a.b", text, { entities, secrets: new Map([["Key", "exchange"]]), bundles: byName(writtenIn(text)) });
    assert.deepEqual(capabilities.map(({ kind, entity }) => `${kind} ${entity.prefix}`), ["Create account"]);
    assert.deepEqual(others, { secrets: ["exchange"], sendsMail: true });
  });

  it("has a name of its own", () => {
    assert.throws(() => byName(writtenIn(written(listed) + written(""))), /two bundles of capabilities with the name Exchange/);
  });
});

describe("what a service exports", () => {
  const stated = 'identity::export! {\n    User;\n    orders: shop::Order by BY_BUYER, "What {the person}; ordered: all by hand";\n    notes: Note by BY_AUTHOR, "Notes";\n}\n';
  const exported = ["Export", [["users", "Read<User>"], ["orders", "Read<Order>"], ["notes", "Read<Note>"], ["data", "PersonalData"]]];

  it("reads the user, each list, and what identity keeps, wherever it is stated", () => {
    assert.deepEqual(exportsIn(stated), [exported]);
    assert.deepEqual(exportsIn(stated.replace("User;", "model::User;")), [exported]);
    assert.deepEqual(exportsIn(`onefold::${stated}`), [exported]);
    assert.deepEqual(exportsIn(`mod own {\n${stated.replaceAll(/^(?=.)/gm, "    ")}}\n`), [exported]);
    assert.deepEqual(exportsIn("identity::export! { User; }"), [["Export", [["users", "Read<User>"], ["data", "PersonalData"]]]]);
    assert.deepEqual(exportsIn("use onefold::identity;"), []);
  });

  it("is one bundle: no other has its name", () => {
    const named = "impl Capability for Export {\n}\n";
    assert.throws(() => byName([...exportsIn(stated), ...writtenIn(named)]), /two bundles of capabilities with the name Export/);
    assert.throws(() => byName(exportsIn(stated + stated)), /two bundles of capabilities with the name Export/);
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
    const written = (...stated: string[]): string => ["#[wire]", "#[derive(Entity)]", '#[entity(prefix = "order", loader = "orders.byIds")]', ...stated, "pub struct Order {", "}"].join("\n");
    const index = '#[entity(index = "created", sort = SortKey::time(self.created_at))]';
    const unique = '#[entity(unique = "number", value = self.number.clone())]';
    const tally = '#[entity(tally = "open", at_least = 1, when = self.is_open)]';
    const order: Entity = { prefix: "order", indexes: 0, hasUnique: false, hasTallies: false };
    assert.deepEqual(entitiesIn(written()), [["Order", order]]);
    assert.deepEqual(entitiesIn(written(index, index)), [["Order", { ...order, indexes: 2 }]]);
    assert.deepEqual(entitiesIn(written(index, unique, tally)), [["Order", { prefix: "order", indexes: 1, hasUnique: true, hasTallies: true }]]);
    assert.deepEqual([entities.get("Account")?.hasUnique, entities.get("AuditEntry")?.hasUnique], [true, false], "those of the files are read");
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
