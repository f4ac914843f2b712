/** Procedures with paths of their own, secrets and mail, at stages that have more or less of what they need. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Contract, parseContract, type Procedure } from "../src/contract.js";
import { checkMail } from "../src/needs.js";
import { Problem } from "../src/problem.js";
import { routesOf as routesOfAll } from "../src/routes.js";
import type { StageConfig } from "../src/stage.js";
import { allows, type Statement } from "./policy.js";
import { identityArn, rolesOf, secretArn } from "./roles.js";
import { BARE, EVERYTHING, functionName, type Json, plainProcedure, rawContract, type RawProcedure, type Resource, type Synthesis, synthesize } from "./support.js";

const raw = rawContract();
const { service } = raw;

/** One procedure of each kind. */
function contractWith(...more: Partial<RawProcedure>[]): Contract {
  const mold = { ...plainProcedure(), kind: "mutation", auth: { type: "public" }, cacheSeconds: null, http: null, rest: null };
  const grant = (access: RawProcedure["grants"][number]["access"], prefix: string, action: string): RawProcedure["grants"][number] => ({
    ...{ entity: prefix, access, prefix, leadingKeys: `${prefix}#*`, actions: [`dynamodb:${action}`], indexes: [] },
  });
  const stated: Partial<RawProcedure>[] = [
    { name: "auth.login", grants: [grant("count", "limit", "UpdateItem")], secrets: ["signing"] },
    { name: "auth.register", mail: true },
    { name: "grants.authorize", kind: "query", http: "GET /oauth/authorize", grants: [grant("get", "session", "GetItem")] },
    { name: "grants.decide", http: "POST /oauth/authorize", grants: [grant("create", "audit", "PutItem")] },
    { name: "oauth.callback", http: "GET /oauth/callback/{provider}" },
    { name: "oauth.keys", kind: "query", http: "GET /.well-known/jwks.json", cacheSeconds: 3600 },
    { name: "oauth.start", kind: "query", http: "GET /oauth/start", secrets: ["identity-providers"] },
    { name: "oauth.token", http: "POST /oauth/token", secrets: ["identity-providers", "signing"] },
    { name: "orders.list", kind: "query" },
  ];
  return parseContract({ ...raw, gateways: [], procedures: [...stated, ...more].map((procedure) => ({ ...mold, ...procedure, function: functionName(procedure.name!) })) });
}

const contract = contractWith();
const WITH_PROVIDERS: StageConfig = { ...EVERYTHING, secrets: ["identity-providers"] };
const whole = synthesize({ directory: "identity", stage: "prod", config: WITH_PROVIDERS, contract });

function functionOf(synthesis: Synthesis, stage: string, procedure: string): Resource {
  const name = `${service}-${stage}-${functionName(procedure)}`;
  return synthesis.all("AWS::Lambda::Function").find((found) => found.properties.FunctionName === name) ?? assert.fail(`there is no ${name}`);
}

function variablesOf(synthesis: Synthesis, stage: string, procedure: string): Record<string, string> {
  const handler = functionOf(synthesis, stage, procedure);
  return handler.template.resolve(handler.properties.Environment.Variables);
}

/** The keys of the routes that lead to a procedure, and for which paths its function may be invoked. */
function routesOf(synthesis: Synthesis, stage: string, procedure: string): { keys: string[]; paths: string[] } {
  const handler = functionOf(synthesis, stage, procedure);
  const { resources } = handler.template;
  const pointsTo = (value: Json): boolean => value["Fn::GetAtt"]?.[0] === handler.id;
  const integrations = resources.filter(({ type, properties }) => type === "AWS::ApiGatewayV2::Integration" && pointsTo(properties.IntegrationUri));
  const routes = resources.filter(
    ({ type, properties }) => type === "AWS::ApiGatewayV2::Route" && integrations.some(({ id }) => properties.Target["Fn::Join"][1][1].Ref === id),
  );
  const permissions = resources.filter(({ type, properties }) => type === "AWS::Lambda::Permission" && pointsTo(properties.FunctionName));
  return {
    keys: routes.map(({ properties }) => properties.RouteKey),
    paths: permissions.map(({ properties }) => handler.template.resolve(properties.SourceArn).replace(/^.*?\/\*\/\*/, "")),
  };
}

describe("a path of its own", () => {
  it("takes every method, as all routes do", () => {
    const expected = { "oauth.start": "/oauth/start", "oauth.token": "/oauth/token", "oauth.keys": "/.well-known/jwks.json", "orders.list": "/trpc/orders.list" };
    for (const [name, path] of Object.entries(expected)) {
      assert.deepEqual(routesOf(whole, "prod", name), { keys: [`ANY ${path}`], paths: [path] });
    }
  });

  it("may have a part that stands for any", () => {
    const found = routesOf(whole, "prod", "oauth.callback");
    assert.deepEqual(found, { keys: ["ANY /oauth/callback/{provider}"], paths: ["/oauth/callback/*"] });
  });

  it("that procedures share has a route for each; the one with GET answers other methods as well", () => {
    const path = "/oauth/authorize";
    assert.deepEqual(routesOf(whole, "prod", "grants.authorize"), { keys: [`ANY ${path}`], paths: [path] });
    assert.deepEqual(routesOf(whole, "prod", "grants.decide"), { keys: [`POST ${path}`], paths: [path] });
  });

  it("that procedures share without a GET: the first by its method does", () => {
    const others = [{ name: "shared.b", http: "PUT /shared/x" }, { name: "shared.c", http: "POST /shared/x" }];
    const synthesis = synthesize({ directory: "identity-shared", stage: "prod", config: EVERYTHING, contract: contractWith(...others) });
    assert.deepEqual(routesOf(synthesis, "prod", "shared.b").keys, ["PUT /shared/x"]);
    assert.deepEqual(routesOf(synthesis, "prod", "shared.c").keys, ["ANY /shared/x"]);
  });

  it("that another one fits as well takes its own methods and no other: the method decides, then the path", () => {
    const others = [
      { name: "shared.b", http: "GET /shared/{id}" },
      { name: "shared.c", http: "POST /shared/new" },
      { name: "shared.d", http: "GET /shared/first" },
    ];
    const synthesis = synthesize({ directory: "identity-covered", stage: "prod", config: EVERYTHING, contract: contractWith(...others) });
    assert.deepEqual(routesOf(synthesis, "prod", "shared.b").keys, ["ANY /shared/{id}"]);
    assert.deepEqual(routesOf(synthesis, "prod", "shared.c"), { keys: ["POST /shared/new"], paths: ["/shared/new"] });
    assert.deepEqual(routesOf(synthesis, "prod", "shared.d"), { keys: ["GET /shared/first", "HEAD /shared/first"], paths: ["/shared/first"] });
  });

  it("is told all methods of an address, also where routes overlap", () => {
    // The same routes and methods as in shared/local/src/front/routes.rs; shared/runtime/src/lambda.rs reads the text.
    const rest = { get: "GET /v1/notes/{id}", delete: "DELETE /v1/notes/{id}", touch: "POST /v1/notes/touch" };
    const more = { first: "GET /v1/notes/{id}/marks/first", mark: "GET /v1/notes/{id}/marks/{mark}", remark: "PATCH /v1/notes/touch/marks/{mark}" };
    const procedures = Object.entries({ ...rest, ...more }).map(([name, route]) => {
      const [method = "", path = ""] = route.split(" ");
      return { ...contract.procedures[0]!, name: `notes.${name}`, http: undefined, rest: { method, path } } as Procedure;
    });
    const told = Object.fromEntries([...routesOfAll(procedures)].flatMap(([name, { methods }]) => (methods === undefined ? [] : [[name, methods]])));
    assert.deepEqual(told, {
      "notes.get": "GET, HEAD, DELETE;/v1/notes/touch GET, HEAD, DELETE, POST",
      "notes.mark": "GET, HEAD;/v1/notes/touch/marks/{mark} GET, HEAD, PATCH;/v1/notes/{id}/marks/first GET, HEAD",
    });
  });

  it("takes six resources like every procedure", () => {
    for (const { resources } of whole.templates.filter(({ name }) => name.includes("Domain"))) {
      const functions = resources.filter(({ type }) => type === "AWS::Lambda::Function");
      assert.equal(resources.length, functions.length * 6);
    }
  });
});

describe("CloudFront", () => {
  const config = whole.only("AWS::CloudFront::Distribution").properties.DistributionConfig;
  const behaviors: Json[] = config.CacheBehaviors;
  const named = (path: string): Json => behaviors.find(({ PathPattern }) => PathPattern === path) ?? assert.fail(path);

  it("leads whole folders to the service, and what is kept before them", () => {
    assert.deepEqual(behaviors.map(({ PathPattern }) => PathPattern), ["/.well-known/jwks.json", "/.well-known/*", "/oauth/*", "/trpc/*"]);
  });

  it("keeps nothing there, and gives the function all that the caller sent", () => {
    const uncached = named("/trpc/*");
    for (const path of ["/.well-known/*", "/oauth/*"]) {
      assert.deepEqual({ ...named(path), PathPattern: "" }, { ...uncached, PathPattern: "" });
    }
    // AWS's policy `AllViewerExceptHostHeader`: headers, cookies and query string.
    assert.equal(uncached.OriginRequestPolicyId, "b689b0a8-53d0-40ab-baf2-68738e2966ac");
    assert.deepEqual(uncached.AllowedMethods.length, 7);
  });

  it("keeps what says so, by the address alone", () => {
    const kept = named("/.well-known/jwks.json");
    const policy = whole.all("AWS::CloudFront::CachePolicy").find(({ id }) => id === kept.CachePolicyId.Ref)!;
    assert.equal(policy.properties.CachePolicyConfig.Name, `${service}-prod-public-queries`);
    assert.equal(kept.TargetOriginId, named("/oauth/*").TargetOriginId);
  });

  it("says who calls wherever the service may ask, and lets nobody else say it where it does not", () => {
    const [writer] = whole.all("AWS::CloudFront::Function").filter(({ properties }) => properties.FunctionCode.includes("viewer.ip"));
    for (const path of ["/trpc/*", "/oauth/*", "/.well-known/*"]) {
      const { FunctionAssociations: [{ EventType, FunctionARN }] } = named(path);
      assert.deepEqual([EventType, FunctionARN["Fn::GetAtt"][0]], ["viewer-request", writer!.id]);
    }
    const kept = named("/.well-known/jwks.json");
    const sent = whole.all("AWS::CloudFront::OriginRequestPolicy").find(({ id }) => id === kept.OriginRequestPolicyId.Ref)!;
    assert.equal(kept.FunctionAssociations, undefined);
    assert.doesNotMatch(JSON.stringify(sent.properties), /x-viewer-address/);
    assert.equal(variablesOf(whole, "prod", "orders.list")["ONEFOLD_ADDRESS_HEADER"], "x-viewer-address");
  });

  it("overwrites no stricter word of a procedure about what is told to other sites", () => {
    for (const policy of whole.all("AWS::CloudFront::ResponseHeadersPolicy")) {
      assert.equal(policy.properties.ResponseHeadersPolicyConfig.SecurityHeadersConfig.ReferrerPolicy.Override, false);
    }
  });

  it("finds paths of their own at the first HTTP API, whatever their domain", () => {
    // Domains enough that those of the paths are behind another one.
    const more = Array.from({ length: 8 }, (_, at) => ({ name: `topic${at}.list`, kind: "query" as const }));
    const pinned = { ...EVERYTHING, layout: { apis: 2 } };
    const synthesis = synthesize({ directory: "identity-apis", stage: "prod", config: pinned, contract: contractWith(...more) });
    const distribution = synthesis.only("AWS::CloudFront::Distribution");
    const { CacheBehaviors, Origins } = distribution.properties.DistributionConfig;
    const hosts = new Map(Origins.map((origin: Json) => [origin.Id, distribution.template.resolve(origin.DomainName)]));
    const apis = new Set<string>();
    for (const route of synthesis.all("AWS::ApiGatewayV2::Route").filter(({ properties }) => properties.RouteKey !== "$default")) {
      const path = route.properties.RouteKey.split(" ")[1];
      const fits = ({ PathPattern }: Json): boolean => (PathPattern.endsWith("*") ? path.startsWith(PathPattern.slice(0, -1)) : path === PathPattern);
      const api = route.template.resolve(route.properties.ApiId);
      assert.ok(String(hosts.get(CacheBehaviors.find(fits).TargetOriginId)).startsWith(`${api}.execute-api.`), path);
      apis.add(api);
    }
    assert.equal(apis.size, 2);
  });
});

describe("where the service is", () => {
  const urlOf = (config: StageConfig, more: { url?: string } = {}, stage = "dev"): string | undefined => {
    const synthesis = synthesize({ directory: "identity-url", stage, config, contract, ...more });
    const urls = contract.procedures.map(({ name }) => variablesOf(synthesis, stage, name)["ONEFOLD_URL"]);
    const ground = synthesis.all("AWS::Lambda::Function").find(({ properties }) => properties.Code.ZipFile?.includes("NOT_FOUND"))!;
    urls.push(ground.template.resolve(ground.properties.Environment ?? { Variables: {} }).Variables["ONEFOLD_URL"]);
    assert.equal(new Set(urls).size, 1, "all functions are told the same");
    return urls[0];
  };

  it("says its first name", () => {
    const domain = { ...EVERYTHING.edge!.domain!, names: ["api.example.com", "b.example.com"] as const };
    assert.equal(urlOf({ ...EVERYTHING, edge: { domain } }), "https://api.example.com");
    assert.equal(urlOf({ ...EVERYTHING, edge: { domain } }, { url: "https://d1.cloudfront.net" }), "https://api.example.com");
    assert.equal(urlOf({ ...EVERYTHING, edge: { domain }, url: "https://b.example.com" }), "https://b.example.com");
  });

  it("without an edge it is the HTTP API's own address, unless the stage knows a better one", () => {
    assert.match(urlOf(BARE)!, /^https:\/\/\$\{[\w-]+-dev-service\/Api0Api\w+\}\.execute-api\.\$\{AWS::Region\}\.\$\{AWS::URLSuffix\}$/);
    assert.equal(urlOf({ ...BARE, url: "https://api.example.com" }), "https://api.example.com");
  });

  it("CloudFront's own name is known once there is a distribution", () => {
    assert.equal(urlOf({ ...BARE, edge: {} }), undefined);
    assert.equal(urlOf({ ...BARE, edge: {} }, { url: "https://d1.cloudfront.net" }), "https://d1.cloudfront.net");
    assert.equal(urlOf({ ...BARE, edge: {}, url: "https://api.example.com" }, { url: "https://d1.cloudfront.net" }), "https://api.example.com");
  });

  it("no front says who calls where there is none", () => {
    const bare = synthesize({ directory: "identity-bare", stage: "dev", config: BARE, contract });
    assert.equal(variablesOf(bare, "dev", "auth.login")["ONEFOLD_ADDRESS_HEADER"], undefined);
  });
});

describe("secrets", () => {
  const read = "secretsmanager:GetSecretValue";
  /** Which procedures may read a secret at a stage. */
  const readers = (synthesis: Synthesis, stage: string, secret: string): string[] => {
    const roles = rolesOf(synthesis);
    const may = (statements: readonly Statement[]): boolean => allows(statements, { action: read, resource: secretArn(secret), leadingKeys: [] });
    const names = contract.procedures.map(({ name }) => name);
    return names.filter((name) => may(roles.get(`${service}-${stage}-${functionName(name)}`)!));
  };
  const bare = synthesize({ directory: "identity-secrets", stage: "pr-7", config: BARE, contract });

  it("are read by the procedures that name them, and by no other", () => {
    assert.deepEqual(readers(whole, "prod", `${service}/prod/signing`), ["auth.login", "oauth.token"]);
    assert.deepEqual(readers(whole, "prod", `${service}/prod/identity-providers`), ["oauth.start", "oauth.token"]);
    assert.deepEqual(readers(whole, "prod", `${service}/dev/signing`), []);
    assert.equal(readers(whole, "prod", `${service}/prod`).length, contract.procedures.length);
  });

  it("are read where the stage has them; the one that signs is always there", () => {
    assert.deepEqual(readers(bare, "pr-7", `${service}/preview/signing`), ["auth.login", "oauth.token"]);
    assert.deepEqual(readers(bare, "pr-7", `${service}/preview/identity-providers`), []);
  });

  it("are found by variables, in which none of them stands", () => {
    const found = (synthesis: Synthesis, stage: string): Record<string, string> => {
      const all = Object.entries(variablesOf(synthesis, stage, "oauth.token"));
      return Object.fromEntries(all.filter(([name]) => name.startsWith("ONEFOLD_SECRET")));
    };
    assert.deepEqual(found(whole, "prod"), {
      ONEFOLD_SECRET: `${service}/prod`,
      ONEFOLD_SECRETS: "identity-providers,signing",
      ONEFOLD_SECRET_IDENTITY_PROVIDERS: `${service}/prod/identity-providers`,
      ONEFOLD_SECRET_SIGNING: `${service}/prod/signing`,
    });
    assert.deepEqual(found(bare, "pr-7"), {
      ONEFOLD_SECRET: `${service}/preview`,
      ONEFOLD_SECRETS: "signing",
      ONEFOLD_SECRET_SIGNING: `${service}/preview/signing`,
    });
  });

  it("that change make those start anew who read them, and nobody else", () => {
    const secretVersions = new Map([[`${service}/prod`, "v1"], [`${service}/prod/signing`, "k1"], [`${service}/prod/other`, "x"]]);
    const synthesis = synthesize({ directory: "identity-versions", stage: "prod", config: EVERYTHING, contract, secretVersions });
    const version = (name: string): string | undefined => variablesOf(synthesis, "prod", name)["ONEFOLD_SECRET_VERSION"];
    assert.deepEqual([version("auth.login"), version("orders.list")], ["v1,k1", "v1"]);
  });

  it("that the stage has and nothing reads are a mistake", () => {
    const config = { ...EVERYTHING, secrets: ["identity-provider"] };
    assert.throws(() => synthesize({ directory: "identity-mistake", stage: "prod", config, contract }), {
      name: "Problem",
      message: 'Stage prod in stages.ts has the secret "identity-provider", which no procedure reads: they read identity-providers.',
    });
  });
});

describe("mail", () => {
  const statements = rolesOf(whole).get(`${service}-prod-auth-register`)!;
  const may = (fromAddress: string, identity: string): boolean =>
    allows(statements, { action: "ses:SendEmail", resource: identityArn(identity), leadingKeys: [], fromAddress });

  it("is sent from the stage's address, which Amazon SES knows by itself or by its domain", () => {
    assert.ok(may("no-reply@example.com", "no-reply@example.com") && may("no-reply@example.com", "example.com"));
    assert.ok(!may("ceo@example.com", "example.com"));
    assert.ok(!may("no-reply@example.com", "sub.example.com"));
    assert.equal(variablesOf(whole, "prod", "auth.register")["ONEFOLD_MAIL_FROM"], "no-reply@example.com");
  });

  it("is sent by nobody who does not say so, and not from a preview without an address", () => {
    assert.equal(variablesOf(whole, "prod", "auth.login")["ONEFOLD_MAIL_FROM"], undefined);
    const bare = synthesize({ directory: "identity-mail", stage: "pr-7", config: BARE, contract });
    const sending = [...rolesOf(whole).values(), ...rolesOf(bare).values()].filter((role) => role.some(({ actions }) => actions.includes("ses:SendEmail")));
    assert.deepEqual(sending, [statements]);
    assert.equal(variablesOf(bare, "pr-7", "auth.register")["ONEFOLD_MAIL_FROM"], undefined);
  });

  it("may come with a name, which the right does not speak of", () => {
    const named = synthesize({ directory: "identity-named", stage: "prod", config: { ...EVERYTHING, mailFrom: "Our Office <no-reply@example.com>" }, contract });
    assert.equal(variablesOf(named, "prod", "auth.register")["ONEFOLD_MAIL_FROM"], "Our Office <no-reply@example.com>");
    assert.deepEqual(rolesOf(named).get(`${service}-prod-auth-register`), statements.filter(({ resources }) => !resources.some((arn) => arn.includes("identity-providers"))));
  });

  it("without an address is refused before a deployment, unless it is a preview's", () => {
    const check = (name: string, config: StageConfig, sending = contract) => () => checkMail(sending, { name, config });
    assert.throws(check("dev", BARE), (error: unknown) => error instanceof Problem && /^Stage dev in stages\.ts has no mailFrom, and there is mail to send \(auth\.register\)/.test(error.message));
    check("dev", EVERYTHING)();
    check("pr-7", BARE)();
    check("dev", BARE, { ...contract, procedures: contract.procedures.filter(({ sendsMail }) => !sendsMail) })();
  });
});
