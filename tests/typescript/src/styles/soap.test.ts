// SOAP 1.1 and 1.2, through the client of `soap`, which knows the services from their WSDL alone.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { BearerSecurity, createClientAsync, WSSecurity, type Client, type ISecurity } from "soap";
import { ROOT, mailedToken, startProgram, startService, type Service } from "../service.js";

const NOBODY = "01890a5d-ac96-774b-bcce-b302099a8057";
/** What a call may say, besides failures of its own, that is of the right form, and cannot be done as things are. Anything else is a defect. */
const CANNOT = ["UNAUTHORIZED", "FORBIDDEN", "NOT_FOUND", "CONFLICT", "UNPROCESSABLE_CONTENT"];
const VERSIONS = ["1.1", "1.2"] as const;
type Version = (typeof VERSIONS)[number];

type Detail = { fault: { code: string; requestId: string; fields?: { item: unknown } } } & Record<string, unknown>;
type Fault = { root: { Envelope: { Body: { Fault: Record<string, unknown> } } } };
type Outcome = { result: unknown; detail?: never } | { result?: never; detail: Detail; named: string };
/** As the client describes it: a type's name, or members by their names. */
type Description = string | { [member: string]: Description };

let service: Service;
let second: Awaited<ReturnType<typeof startProgram>>;

before(async () => {
  service = await startService();
  const program = process.env["ONEFOLD_CONFORMANCE"] ?? join(ROOT, "target/debug/examples/conformance");
  second = await startProgram(program, ["--port", "0"]);
});
after(async () => {
  await service.stop();
  await second.stop();
});

async function connect(url: string, version: Version, security?: ISecurity): Promise<Client> {
  const client = await createClientAsync(new URL("/soap?wsdl", url).href, { forceSoap12Headers: version === "1.2" });
  if (security !== undefined) client.setSecurity(security);
  return client;
}

const asAdministrator = (version: Version) =>
  connect(service.url, version, new BearerSecurity(service.administrator));

async function call(client: Client, operation: string, input: object = {}): Promise<Outcome> {
  const method = client[`${operation}Async`] as (input: object) => Promise<[{ result: unknown } | null]>;
  try {
    const [response] = await method.call(client, input);
    return { result: response?.result };
  } catch (error) {
    const fault = (error as Partial<Fault>).root?.Envelope.Body.Fault;
    if (fault === undefined) throw error;
    const { Subcode } = (fault["Code"] ?? {}) as { Subcode?: { Value: string } };
    const named = Subcode?.Value ?? String(fault["faultcode"]);
    return { detail: (fault["detail"] ?? fault["Detail"]) as Detail, named };
  }
}

async function resultOf<T>(client: Client, operation: string, input: object = {}): Promise<T> {
  const { result, detail } = await call(client, operation, input);
  assert.equal(detail, undefined, JSON.stringify(detail));
  return result as T;
}

async function faultOf(client: Client, operation: string, input: object = {}) {
  const outcome = await call(client, operation, input);
  assert.ok(outcome.detail !== undefined, `${operation} succeeded`);
  return outcome;
}

/** The operations with their inputs, as the client has read them. */
function operations(client: Client): [string, Description][] {
  type Port = Record<string, { input: Description }>;
  const [ports] = Object.values(client.describe() as Record<string, Record<string, Port>>);
  const [port, other] = Object.values(ports ?? {});
  assert.ok(port !== undefined && other !== undefined, "one port for each version");
  assert.deepEqual(Object.keys(port), Object.keys(other));
  return Object.entries(port).map(([name, { input }]) => [name, input]);
}

/** Texts whose form a schema cannot say, by their names. */
const KNOWN: Record<string, string> = { email: "someone@example.com", password: "violet tractor 7281" };
const FACETS = /^(min|max)(Length|Inclusive)|^pattern$/;

/** A value of what the client describes, such as `Role|xsd:string|administrator,viewer`. */
function sample(name: string, description: Description): unknown {
  if (typeof description !== "string") {
    const members = Object.entries(description).filter(([key]) => !key.startsWith("targetN"));
    return Object.fromEntries(
      members
        // A cursor comes from a page.
        .filter(([, member]) => typeof member !== "string" || !member.startsWith("Cursor|"))
        .map(([key, member]) => {
          const [one] = key.split("[]");
          return [one, key.endsWith("[]") ? [sample(one ?? "", member)] : sample(key, member)];
        }),
    );
  }
  const [first = "", ...rest] = description.split("|");
  const base = [first, ...rest].find((part) => part.startsWith("xsd:"));
  const values = rest.at(-1)?.split(",").filter((value) => !value.startsWith("xsd:") && !FACETS.test(value)) ?? [];
  if (values.length > 0) return values[0];
  switch (base) {
    case "xsd:string":
      return KNOWN[name] ?? (first.endsWith("Id") ? NOBODY : first === "Decimal" ? "1.5" : "text");
    case "xsd:boolean":
      return true;
    case "xsd:dateTime":
      return "2026-01-31T12:00:00.000Z";
    case "xsd:base64Binary":
      return "AAE=";
    default:
      return 1;
  }
}

for (const version of VERSIONS) {
  test(`SOAP ${version}: every operation can be called from the WSDL alone`, async () => {
    const client = await asAdministrator(version);
    const all = operations(client);
    assert.ok(all.length > 25);
    for (const [operation, input] of all) {
      const { detail } = await call(client, operation, sample("", input) as object);
      if (detail === undefined) continue;
      const typed = Object.keys(detail).filter((name) => name !== "fault");
      assert.ok(typed.length > 0 || CANNOT.includes(detail.fault.code), `${operation}: ${JSON.stringify(detail)}`);
      assert.ok(typed.every((name) => name.startsWith(operation)), `${operation}: ${typed.join()}`);
    }
  });

  test(`SOAP ${version}: every operation of the second service as well`, async () => {
    const client = await connect(second.url, version, new BearerSecurity("good"));
    const results: Record<string, unknown> = {};
    for (const [operation, input] of operations(client)) {
      const values = operation === "kindsDraw" ? { shapes: { item: [] } } : (sample("", input) as object);
      const once = { ...values, key: version };
      if (operation === "flakyOnce") assert.ok("flakyOnceTryAgain" in (await faultOf(client, operation, once)).detail);
      if (operation === "notesGet") await resultOf(client, "notesAdd", { title: "text" });
      results[operation] = await resultOf(client, operation, operation === "flakyOnce" ? once : values);
    }
    assert.equal(results["healthPing"], "pong");
    assert.deepEqual(results["meGet"], { user: "ada" });
    assert.deepEqual(results["notesGet"], { title: "text" });
  });

  test(`SOAP ${version}: values, absence and failures are typed`, async () => {
    const client = await asAdministrator(version);
    const email = `${crypto.randomUUID()}@example.com`;
    const ada = await resultOf<Record<string, string>>(client, "usersCreate", { email, name: "A & <b>", age: 36 });
    assert.deepEqual([ada["name"], Number(ada["age"]), ada["role"]], ["A & <b>", 36, "guest"]);
    const update = (fields: object) =>
      resultOf<Record<string, string>>(client, "usersUpdate", { id: ada["id"], ...fields });
    assert.equal(Number((await update({ name: "Ada" }))["age"]), 36, "absent leaves it as it is");
    assert.equal((await update({ age: null }))["age"], undefined, "null takes it away");
    const page = await resultOf<{ items: { item: unknown[] } }>(client, "usersList", { limit: 1 });
    assert.equal(page.items.item.length, 1);
    const missing = await faultOf(client, "usersGet", { id: NOBODY });
    assert.deepEqual(missing.detail["usersGetMissing"], { value: NOBODY });
    assert.equal(missing.detail.fault.code, "NOT_FOUND");
    assert.equal(missing.named, version === "1.1" ? "soap:Client" : "tns:NOT_FOUND");
    const invalid = await faultOf(client, "usersCreate", { email, name: "" });
    assert.equal(invalid.detail.fault.code, "BAD_REQUEST");
    assert.equal((invalid.detail.fault.fields?.item as { path: string }).path, "name");
    const nobody = await faultOf(await connect(service.url, version), "usersList");
    assert.equal(nobody.detail.fault.code, "UNAUTHORIZED");
  });

  test(`SOAP ${version}: a UsernameToken signs in for one call`, async () => {
    const [email, password] = [`${crypto.randomUUID()}@example.com`, "violet tractor 7281 & <co>"];
    const anybody = await connect(service.url, version);
    await resultOf(anybody, "authRegister", { email, name: "Ada", password });
    await resultOf(anybody, "authVerifyEmail", { token: await mailedToken(service, email), password });
    // With what the client adds of its own: a time stamp, a nonce, and that it must be understood.
    const options = { hasTimeStamp: true, hasNonce: true, hasTokenCreated: true, mustUnderstand: true };
    const secured = (given: string, passwordType: string) =>
      connect(service.url, version, new WSSecurity(email, given, { ...options, passwordType }));
    const ada = await secured(password, "PasswordText");
    assert.equal((await resultOf<{ email: string }>(ada, "authMe")).email, email);
    const devices = await resultOf<{ item: unknown[] } | { items: { item: unknown[] } }>(ada, "sessionsList");
    const { item } = "items" in devices ? devices.items : devices;
    assert.equal(item.length, 1, "each call leaves no session behind");
    for (const [given, kind, name] of [
      ["another password", "PasswordText", "wsse:FailedAuthentication"],
      [password, "PasswordDigest", "wsse:UnsupportedSecurityToken"],
    ] as const) {
      assert.equal((await faultOf(await secured(given, kind), "authMe")).named, name);
    }
  });

  test(`SOAP ${version}: values of each kind come back as they went`, async () => {
    const client = await connect(second.url, version);
    const nil = { attributes: { "xsi:nil": true } };
    const value = {
      tiny: -128,
      whole: -5,
      large: "9007199254740991",
      exact: "-0012.50",
      real: -1.5e300,
      bytes: Buffer.from("bytes").toString("base64"),
      time: "2026-01-31T12:00:00.005Z",
      volume: "-high",
      // The client takes spaces at the ends away.
      text: "a&<b>\n\t]]> 🍰",
      maybeList: { item: [1, nil, -3] },
      listOfLists: { item: [{ item: [true, false] }, { item: [] }] },
      byName: { entry: [{ key: "a b", value: "1" }, { key: "c", value: nil }] },
    };
    const echo = await resultOf<Record<string, unknown>>(client, "kindsEcho", value);
    for (const name of ["large", "exact", "bytes", "volume"] as const) assert.equal(echo[name], value[name], name);
    assert.deepEqual([echo["tiny"], echo["whole"], echo["real"]].map(Number), [-128, -5, -1.5e300]);
    assert.equal(echo["time"], value.time);
    assert.equal(echo["text"], value.text);
    assert.deepEqual((echo["listOfLists"] as { item: unknown[] }).item[0], { item: [true, false] });
    const { entry } = echo["byName"] as { entry: Record<string, string>[] };
    assert.deepEqual(entry, [{ key: "a b", value: "1" }, { key: "c" }]);
    const zero = await faultOf(client, "kindsEcho", { ...value, tiny: 0 });
    assert.equal(zero.detail.fault.code, "CONFLICT");
    assert.ok("kindsEchoZero" in zero.detail);
    const { detail } = await faultOf(client, "kindsEcho", { ...value, whole: 0 });
    const { byName, foundAt } = detail["kindsEchoNothing"] as Record<string, unknown>;
    // In a fault's detail, the client does not look at the schema: one entry is no list there.
    assert.deepEqual(byName, { entry: { key: "large", value: value.large } });
    assert.equal(foundAt, value.time);
  });

  test(`SOAP ${version}: tagged unions are choices, and absent, null and a value are three things`, async () => {
    const client = await connect(second.url, version);
    const shapes = [{ circle: { radius: 1.5, note: "o" } }, { polygon: { cornerCount: 3 } }, { empty: true }];
    const { item } = await resultOf<{ item: unknown[] }>(client, "kindsDraw", { shapes: { item: shapes } });
    const drawn = [{ circle: { note: "o", radius: "1.5" } }, { polygon: { cornerCount: "3" } }, { empty: true }];
    assert.deepEqual(item, drawn);
    for (const [input, hasNumber, hasText] of [
      [{}, false, false],
      [{ number: null }, true, false],
      [{ number: 5, text: "a" }, true, true],
    ] as const) {
      const patched = await resultOf<Record<string, unknown>>(client, "kindsPatch", input);
      assert.deepEqual([patched["hasNumber"], patched["hasText"]], [hasNumber, hasText]);
    }
  });
}
