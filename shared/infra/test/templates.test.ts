/** What one synth of `prod`, with everything that a stage may have, gives to CloudFormation. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { takesCursor } from "../src/contract.js";
import { ALL_OF_OURS, BARE, functionName, PACKAGE, type Json, rawContract, type RawProcedure, type Resource, synthesize } from "./support.js";
import { synthetic } from "./synthetic.js";

const contract = rawContract();
const synthesis = synthesize({ directory: "everything", stage: "prod", config: ALL_OF_OURS });
const PREFIX = `${contract.service}-prod`;
const ROOM = `/${contract.service}/prod`;
const TABLE_NAME = `\${${PREFIX}-data/TableCD117FA1}`;
const TABLE = `\${${PREFIX}-data/TableCD117FA1.Arn}`;
const SECRETS = "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:";
const SECRET = `${SECRETS}${ROOM.slice(1)}-??????`;
const IDENTITIES = "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/";
const LOGS = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:";

/** By the names of their functions. */
const gateways = contract.gateways.map(({ name }) => ({ name: `gateway-${name}` }));

const functions = new Map(
  synthesis.all("AWS::Lambda::Function").map((resource) => [resource.properties.FunctionName as string, resource]),
);

type Named = Pick<RawProcedure, "name">;

function functionOf(named: Named): Resource {
  const name = `${PREFIX}-${functionName(named.name)}`;
  return functions.get(name) ?? assert.fail(`there is no function ${name}`);
}

function byReference(type: string, within: Resource, reference: Json): Resource {
  const id: string = reference["Fn::GetAtt"]?.[0] ?? reference.Ref;
  const found = within.template.resources.find((resource) => resource.id === id && resource.type === type);
  return found ?? assert.fail(`${within.id} names no ${type}`);
}

function roleOf(named: Named): Resource {
  const handler = functionOf(named);
  return byReference("AWS::IAM::Role", handler, handler.properties.Role);
}

interface Statement {
  readonly actions: string[];
  readonly resources: string[];
  readonly condition: Json;
}

const list = (value: Json): string[] => (Array.isArray(value) ? value : [value]);

function statementsOf(named: Named): Statement[] {
  const role = roleOf(named);
  const policies = role.properties.Policies;
  assert.equal(policies.length, 1, `${named.name} has one policy`);
  assert.equal(role.properties.ManagedPolicyArns, undefined);
  return policies[0].PolicyDocument.Statement.map((statement: Json) => {
    assert.equal(statement.Effect, "Allow");
    assert.deepEqual(
      Object.keys(statement).filter((member) => !["Action", "Effect", "Resource", "Condition"].includes(member)),
      [],
    );
    return {
      actions: list(statement.Action),
      resources: list(role.template.resolve(statement.Resource)),
      condition: statement.Condition,
    };
  });
}

/** Every single right, as `action on resource if condition`. */
function rights(statements: readonly Statement[]): string[] {
  const all = statements.flatMap(({ actions, resources, condition }) =>
    actions.flatMap((action) =>
      resources.map((resource) => `${action} on ${resource}${condition === undefined ? "" : ` if ${JSON.stringify(condition)}`}`),
    ),
  );
  return distinct(all);
}

/** Two capabilities may give the same right. */
function distinct(rights: readonly string[]): string[] {
  return [...new Set(rights)].sort();
}

/** All methods of a path, as `allow` has them. */
function allMethods(procedure: RawProcedure): string {
  const own = procedure.http ?? procedure.rest;
  const routes = contract.procedures.flatMap(({ http, rest }) => [http, rest].map((route) => route?.split(" ") ?? []));
  const methods = routes.filter(([, path]) => path === own?.split(" ")[1]).map(([method]) => method!);
  assert.ok(methods.length > 1 && (methods.includes("GET") ? own?.startsWith("GET ") : true), "the owner knows the others");
  return [...(methods.includes("GET") ? ["GET", "HEAD"] : []), ...methods.filter((method) => method !== "GET").sort()].join(", ");
}

/** The rights that a procedure should have, from the contract's JSON alone. */
function expectedRights(procedure: RawProcedure): string[] {
  const logs = `${LOGS}${ROOM}/${procedure.name}:*`;
  const data = procedure.grants.flatMap((grant) =>
    grant.actions.flatMap((action) => {
      const indexes = grant.indexes.map((index) => `${TABLE}/index/${index}`);
      const resources = action === "dynamodb:Query" ? indexes : [TABLE];
      const condition = `{"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["${grant.leadingKeys}"]},"Null":{"dynamodb:LeadingKeys":"false"}}`;
      return resources.map((resource) => `${action} on ${resource} if ${condition}`);
    }),
  );
  const from = '{"StringEquals":{"ses:FromAddress":"no-reply@example.com"}}';
  const identities = procedure.mail ? ["no-reply@example.com", "example.com"] : [];
  return distinct([
    ...data,
    `secretsmanager:GetSecretValue on ${SECRET}`,
    ...(takesCursor(contract, procedure.input) ? [`secretsmanager:GetSecretValue on ${SECRETS}${ROOM.slice(1)}/cursors-??????`] : []),
    ...procedure.secrets.map((name) => `secretsmanager:GetSecretValue on ${SECRETS}${ROOM.slice(1)}/${name}-??????`),
    ...identities.map((identity) => `ses:SendEmail on ${IDENTITIES}${identity} if ${from}`),
    `logs:CreateLogStream on ${logs}`,
    `logs:PutLogEvents on ${logs}`,
    "xray:PutTelemetryRecords on *",
    "xray:PutTraceSegments on *",
  ]);
}

describe("every procedure", () => {
  for (const procedure of contract.procedures) {
    it(`${procedure.name} has a function as the contract says`, () => {
      const { properties } = functionOf(procedure);
      assert.deepEqual(properties.Architectures, ["arm64"]);
      assert.equal(properties.Runtime, "provided.al2023");
      assert.equal(properties.Handler, "bootstrap");
      assert.equal(properties.MemorySize, procedure.memoryMb);
      assert.equal(properties.ReservedConcurrentExecutions, procedure.reservedConcurrency ?? undefined);
      assert.ok(properties.Timeout * 1000 > procedure.timeoutMs, "the function can say that it was too slow");
      assert.equal(properties.TracingConfig.Mode, "Active");
    });

    it(`${procedure.name} finds what it needs in its environment, and no secret`, () => {
      const handler = functionOf(procedure);
      const variables = handler.template.resolve(handler.properties.Environment.Variables);
      const variableOf = (secret: string): string => `ONEFOLD_SECRET_${secret.toUpperCase().replaceAll("-", "_")}`;
      assert.deepEqual(variables, {
        ONEFOLD_STAGE: "prod",
        ONEFOLD_URL: "https://app.example.com",
        ONEFOLD_APP_URL: "https://app.example.com/in",
        ONEFOLD_SECRET: `${ROOM.slice(1)}${takesCursor(contract, procedure.input) ? `,${ROOM.slice(1)}/cursors` : ""}`,
        ONEFOLD_REGISTRATION: "example.com,example.org",
        ONEFOLD_ALLOWED_ORIGINS: "https://app.example.com",
        ONEFOLD_ADDRESS_HEADER: "x-viewer-address",
        ...(procedure.secrets.length > 0 ? { ONEFOLD_SECRETS: procedure.secrets.join(",") } : {}),
        ...Object.fromEntries(procedure.secrets.map((secret) => [variableOf(secret), `${ROOM.slice(1)}/${secret}`])),
        // Those of the testbed may be left out.
        ...Object.fromEntries(procedure.configs.map((config) => [`ONEFOLD_CONFIG_${config.toUpperCase()}`, "{}"])),
        ...(procedure.mail ? { ONEFOLD_MAIL_FROM: "no-reply@example.com" } : {}),
        ...(procedure.grants.length > 0 ? { ONEFOLD_TABLE: TABLE_NAME } : {}),
        ...(variables["ONEFOLD_METHODS"] === undefined ? {} : { ONEFOLD_METHODS: allMethods(procedure) }),
      });
    });

    it(`${procedure.name} has the rights of its signature, and no other`, () => {
      assert.deepEqual(rights(statementsOf(procedure)), expectedRights(procedure));
    });

    it(`${procedure.name} has a log group of its own, with an end`, () => {
      const handler = functionOf(procedure);
      const logs = byReference("AWS::Logs::LogGroup", handler, handler.properties.LoggingConfig.LogGroup);
      assert.equal(logs.properties.LogGroupName, `${ROOM}/${procedure.name}`);
      assert.equal(logs.properties.RetentionInDays, 90);
    });

    it(`${procedure.name} has its routes, which lead to it and which only its API may use`, () => {
      const handler = functionOf(procedure);
      const called = procedure.http?.split(" ")[1] ?? `/trpc/${procedure.name}`;
      const rest = procedure.rest?.split(" ")[1];
      const paths = [called, ...(rest === undefined ? [] : [rest])];
      // A path that procedures share has a route for each of them, one of which takes the other methods as well.
      const keys = [...paths.map((path) => `ANY ${path}`), procedure.http, procedure.rest];
      const leadsTo = (route: Resource): boolean => {
        const integration = byReference("AWS::ApiGatewayV2::Integration", route, route.properties.Target["Fn::Join"][1][1]);
        return integration.properties.IntegrationUri["Fn::GetAtt"][0] === handler.id;
      };
      const routes = handler.template.resources.filter((resource) => resource.type === "AWS::ApiGatewayV2::Route" && leadsTo(resource));
      assert.deepEqual(routes.filter((route) => !keys.includes(route.properties.RouteKey)), []);
      assert.deepEqual(routes.map((route) => route.properties.RouteKey.split(" ")[1]).sort(), paths.sort());
      const integrations = new Set(routes.map((route) => byReference("AWS::ApiGatewayV2::Integration", route, route.properties.Target["Fn::Join"][1][1])));
      assert.equal(integrations.size, 1, "its routes share one: an API has three hundred");
      const [integration] = integrations;
      assert.equal(byReference("AWS::Lambda::Function", integration!, integration!.properties.IntegrationUri), handler);
      assert.ok(integration!.properties.TimeoutInMillis >= procedure.timeoutMs);
      const [api] = routes.map((route) => route.template.resolve(route.properties.ApiId));
      assert.equal(handler.template.resolve(integration!.properties.ApiId), api);
      const permissions = handler.template.resources.filter(
        (resource) => resource.type === "AWS::Lambda::Permission" && resource.properties.FunctionName["Fn::GetAtt"][0] === handler.id,
      );
      assert.deepEqual(
        permissions.map((permission) => permission.template.resolve(permission.properties.SourceArn)).sort(),
        paths.map((path) => "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:" + `${api}/*/*${path.replaceAll(/\{\w+\}/g, "*")}`).sort(),
      );
    });
  }

  it("leaves others what Lambda keeps for them: all that is reserved fits into an account's usual quota", () => {
    const reserved = contract.procedures.reduce((sum, procedure) => sum + (procedure.reservedConcurrency ?? 0), 0);
    assert.ok(reserved <= 1000 / 2, `${reserved} of 1,000, of which 100 must stay`);
  });

  it("is what there is, beside the gateways: no other function has a name", () => {
    const named = [...functions.keys()].filter((name) => name !== undefined).sort();
    const procedures = contract.procedures.map((p) => `${PREFIX}-${functionName(p.name)}`);
    assert.deepEqual(named, [...procedures, ...contract.gateways.map(({ name }) => `${PREFIX}-gateway-${name}`)].sort());
  });
});

describe("REST", () => {
  it("has one route for each path that takes what nobody else there takes", () => {
    const keys = synthesis.all("AWS::ApiGatewayV2::Route").map((route) => route.properties.RouteKey as string);
    const rest = contract.procedures.flatMap((procedure) => (procedure.rest === null ? [] : [procedure.rest]));
    assert.notEqual(rest.length, 0);
    for (const path of new Set(rest.map((route) => route.split(" ")[1]!))) {
      assert.equal(keys.filter((key) => key === `ANY ${path}`).length, 1, path);
    }
  });

  it("is told, where a path is shared, which methods there are", () => {
    const methods = (name: string): string | undefined =>
      functionOf(contract.procedures.find((procedure) => procedure.name === name)!).properties.Environment.Variables["ONEFOLD_METHODS"];
    assert.equal(methods("sessions.list"), "GET, HEAD, DELETE");
    assert.equal(methods("grants.clientsList"), "GET, HEAD, POST");
    assert.equal(methods("grants.authorize"), "GET, HEAD, POST", "in a form of its own as well");
    assert.deepEqual([methods("grants.decide"), methods("grants.token")], [undefined, undefined]);
    const others = ["sessions.revokeOthers", "grants.clientsCreate", "oauth.unlink", "auth.me"];
    assert.deepEqual(others.map(methods), others.map(() => undefined));
  });

  it("is told so by the one for GET, however many share the path", () => {
    const { procedures, ...others } = synthetic({ orders: 3 });
    const methods = ["PATCH", "GET", "DELETE"] as const;
    const sharing = procedures.map((procedure, at) => ({ ...procedure, rest: { method: methods[at]!, path: "/v1/orders/{id}" } }));
    const shared = synthesize({ directory: "shared-path", stage: "dev", config: BARE, contract: { ...others, procedures: sharing } });
    const told = sharing.map(({ function: name }) => {
      const handler = shared.all("AWS::Lambda::Function").find(({ properties }) => properties.FunctionName === `${contract.service}-dev-${name}`);
      return handler!.properties.Environment.Variables["ONEFOLD_METHODS"];
    });
    assert.deepEqual(told, [undefined, "GET, HEAD, DELETE, PATCH", undefined]);
  });
});

describe("rights", () => {
  it("let no query write anything but the count of what it reads", () => {
    const queries = contract.procedures.filter((procedure) => procedure.kind === "query");
    assert.notEqual(queries.length, 0);
    const writing = queries.flatMap((query) => rights(statementsOf(query)).filter((right) => /^dynamodb:(?!(Batch)?GetItem |Query )/.test(right)));
    const counting = /^dynamodb:UpdateItem on \$\{[\w-]+\/Table\w+\.Arn\} if \{"ForAllValues:StringLike":\{"dynamodb:LeadingKeys":\["meter#\*"\]\},"Null":\{"dynamodb:LeadingKeys":"false"\}\}$/;
    assert.deepEqual(writing.filter((right) => !counting.test(right)), []);
  });

  it("are in no policy but that of a function's own role", () => {
    for (const type of ["AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy", "AWS::IAM::User"]) {
      assert.deepEqual(synthesis.all(type), []);
    }
    const roles = synthesis.all("AWS::IAM::Role").map((role) => `${role.template.name}/${role.id}`);
    const used = synthesis.all("AWS::Lambda::Function").map((handler) => `${handler.template.name}/${handler.properties.Role["Fn::GetAtt"][0]}`);
    assert.deepEqual(used.sort(), roles.sort(), "each function has its own role");
  });

  it("name no action and no table by a wildcard", () => {
    for (const role of synthesis.all("AWS::IAM::Role")) {
      for (const statement of role.properties.Policies[0].PolicyDocument.Statement) {
        assert.ok(list(statement.Action).every((action) => !action.includes("*")));
        for (const resource of list(role.template.resolve(statement.Resource))) {
          // All streams of one log group, and X-Ray, which has no resources.
          const may = /^[^*]+:log-group:[^*]+:\*$/.test(resource) || list(statement.Action).every((action) => action.startsWith("xray:"));
          assert.ok(!resource.includes("*") || may, resource);
        }
      }
    }
  });
});

describe("the table", () => {
  const table = synthesis.only("AWS::DynamoDB::Table");
  const { properties } = table;

  it("has the keys, indexes, expiry and stream of the contract", () => {
    const keys = (partition: string, sort: string): Json => [
      { AttributeName: partition, KeyType: "HASH" },
      { AttributeName: sort, KeyType: "RANGE" },
    ];
    assert.deepEqual(properties.KeySchema, keys(contract.table.partitionKey, contract.table.sortKey));
    assert.deepEqual(
      properties.GlobalSecondaryIndexes,
      contract.table.indexes.map((index) => ({
        IndexName: index.name,
        KeySchema: keys(index.partitionKey, index.sortKey),
        Projection: { ProjectionType: "ALL" },
      })),
    );
    assert.deepEqual(properties.TimeToLiveSpecification, { AttributeName: contract.table.timeToLive, Enabled: true });
    const { streamView } = contract.table;
    assert.deepEqual(properties.StreamSpecification, streamView === null ? undefined : { StreamViewType: streamView });
  });

  it("is on demand, encrypted, and can be restored to any second", () => {
    assert.equal(properties.BillingMode, "PAY_PER_REQUEST");
    assert.deepEqual(properties.SSESpecification, { SSEEnabled: true });
    assert.deepEqual(properties.PointInTimeRecoverySpecification, { PointInTimeRecoveryEnabled: true });
  });

  it("outlives mistakes in production", () => {
    assert.equal(table.template.name, `${PREFIX}-data`);
    assert.equal(properties.DeletionProtectionEnabled, true);
    assert.equal(table.deletionPolicy, "Retain");
    const manifest = JSON.parse(readFileSync(join(PACKAGE, "build/assemblies/everything/assembly/manifest.json"), "utf8"));
    assert.equal(manifest.artifacts[`${PREFIX}-data`].properties.terminationProtection, true);
  });
});

describe("the HTTP API", () => {
  it("logs into a group of its own", () => {
    const { DestinationArn } = synthesis.only("AWS::ApiGatewayV2::Stage").properties.AccessLogSettings;
    const name = synthesis.all("AWS::Logs::LogGroup").map((group) => group.properties.LogGroupName).find((found) => found.includes("/access-"));
    assert.equal(synthesis.template(`${PREFIX}-service`).resolve(DestinationArn), `${LOGS}${name}:*`);
  });

  it("logs no address, no header and no body", () => {
    const format = synthesis.only("AWS::ApiGatewayV2::Stage").properties.AccessLogSettings.Format as string;
    const told = [...format.matchAll(/\$context\.([\w.]+)/g)].map((match) => match[1]);
    assert.deepEqual(told, [
      "requestId",
      "integration.requestId",
      "requestTimeEpoch",
      "routeKey",
      "httpMethod",
      "status",
      "responseLength",
      "responseLatency",
      "integration.latency",
      "integration.status",
      "error.responseType",
      "integration.error",
      "authorizer.error",
    ]);
    assert.doesNotThrow(() => JSON.parse(format));
  });

  it("is throttled", () => {
    const settings = synthesis.only("AWS::ApiGatewayV2::Stage").properties.DefaultRouteSettings;
    assert.deepEqual(settings, { ThrottlingBurstLimit: 4000, ThrottlingRateLimit: 2000 });
  });

  it("answers unknown routes by a function that speaks tRPC", () => {
    const route = synthesis.all("AWS::ApiGatewayV2::Route").find((found) => found.properties.RouteKey === "$default");
    assert.ok(route);
    const integration = byReference("AWS::ApiGatewayV2::Integration", route, route.properties.Target["Fn::Join"][1][1]);
    const handler = byReference("AWS::Lambda::Function", integration, integration.properties.IntegrationUri);
    assert.match(handler.properties.Code.ZipFile, /NOT_FOUND/);
  });

  it("takes no request that went round the front", () => {
    const authorizer = synthesis.only("AWS::ApiGatewayV2::Authorizer");
    assert.deepEqual(authorizer.properties.IdentitySource, ["$request.header.x-origin-secret"]);
    for (const route of synthesis.all("AWS::ApiGatewayV2::Route")) {
      assert.equal(route.properties.AuthorizationType, "CUSTOM");
      assert.equal(route.template.resolve(route.properties.AuthorizerId), `\${${PREFIX}-service/${authorizer.id}}`);
    }
  });
});

describe("the edge", () => {
  const config = synthesis.only("AWS::CloudFront::Distribution").properties.DistributionConfig;

  it("speaks HTTP/3 and TLS 1.2 or newer under its own name, behind the web ACL", () => {
    assert.equal(config.HttpVersion, "http2and3");
    assert.equal(config.ViewerCertificate.MinimumProtocolVersion, "TLSv1.2_2021");
    assert.deepEqual(config.Aliases, ["app.example.com"]);
    assert.deepEqual(config.WebACLId, { Ref: "WebAclArn" }, "which `deploy` has made in another region");
  });

  it("redirects pages to HTTPS, and refuses calls without it: a call that was sent in the clear has shown its token", () => {
    assert.equal(config.DefaultCacheBehavior.ViewerProtocolPolicy, "redirect-to-https");
    assert.ok(config.CacheBehaviors.length > 0);
    for (const { PathPattern, ViewerProtocolPolicy } of config.CacheBehaviors) {
      assert.equal(ViewerProtocolPolicy, "https-only", PathPattern);
    }
  });

  it("leaves a service's own pages to the frontend, and sends everything else that it has to the API", () => {
    const patterns: string[] = config.CacheBehaviors.map(({ PathPattern }: Json) => PathPattern);
    const reaches = (path: string): boolean =>
      patterns.some((pattern) => (pattern.endsWith("*") ? path.startsWith(pattern.slice(0, -1)) : path === pattern));
    for (const path of ["/", "/index.html", "/favicon.ico", "/verify-email", "/reset-password", "/sign-in", "/robots.txt"]) {
      assert.equal(reaches(path), false, path);
    }
    for (const path of ["/graphql", "/jsonrpc", "/soap", "/docs", "/docs/icon.svg", "/openapi.json", "/oauth/start", "/v1/x", "/.well-known/jwks.json"]) {
      assert.equal(reaches(path), true, path);
    }
    const others = contract.procedures.filter(({ kind }) => kind !== "query").flatMap(({ http }) => http?.split(" ")[1] ?? []);
    assert.deepEqual(others.filter((path) => !reaches(path)), []);
  });

  it("compresses answers, but for those whose ETag a client sends back: CloudFront makes it a weak one", () => {
    const versioned = contract.procedures.flatMap(({ kind, rest }) => {
      const path = rest?.split(" ")[1];
      const [, folder, below] = path?.split("/") ?? [];
      // A query in no folder is a page of the frontend.
      return path === undefined || (below === undefined && kind === "query") ? [] : [below === undefined ? path : `/${folder}/*`];
    });
    const uncompressed = config.CacheBehaviors.filter(({ Compress }: Json) => !Compress).map(({ PathPattern }: Json) => PathPattern);
    assert.notEqual(versioned.length, 0);
    assert.deepEqual(uncompressed.sort(), [...new Set(versioned)].sort());
    assert.equal(config.DefaultCacheBehavior.Compress, true);
  });

  it("keeps no answer of a procedure, and no failure for the next caller", () => {
    const uncached = config.CacheBehaviors.filter((behavior: Json) => behavior.PathPattern.endsWith("*"));
    assert.equal(uncached.at(-1).PathPattern, "/trpc/*");
    const policy = synthesis.all("AWS::CloudFront::CachePolicy").find((found) => found.properties.CachePolicyConfig.Name === `${PREFIX}-uncached`)!;
    for (const behavior of uncached) {
      assert.equal(behavior.CachePolicyId.Ref, policy.id);
      assert.equal(typeof behavior.OriginRequestPolicyId, "string", "AWS's own policy: all that the caller sent");
    }
    const { DefaultTTL, MinTTL, MaxTTL, ParametersInCacheKeyAndForwardedToOrigin: key } = policy.properties.CachePolicyConfig;
    assert.deepEqual({ DefaultTTL, MinTTL, MaxTTL }, { DefaultTTL: 0, MinTTL: 0, MaxTTL: 1 });
    assert.ok(key.HeadersConfig.Headers.includes("authorization"), "never another caller's");
    assert.ok(key.HeadersConfig.Headers.includes("accept"), "nor in a form that somebody else asked for");
    assert.deepEqual(key.CookiesConfig, { CookieBehavior: "all" }, "nor another session's");
    assert.deepEqual(
      config.CustomErrorResponses.filter((kept: Json) => kept.ErrorCachingMinTTL !== 0 || kept.ResponsePagePath !== undefined),
      [],
    );
    const statuses = config.CustomErrorResponses.map((kept: Json) => kept.ErrorCode);
    assert.deepEqual(statuses, [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504]);
  });

  it("shows the API a secret that is in no template", () => {
    const origin = config.Origins.find((found: Json) => found.CustomOriginConfig !== undefined);
    const [header] = origin.OriginCustomHeaders;
    assert.equal(header.HeaderName, "x-origin-secret");
    const template = synthesis.template(`${PREFIX}-edge`);
    const secret = synthesis.only("AWS::SecretsManager::Secret").id;
    assert.equal(template.resolve(header.HeaderValue), `{{resolve:secretsmanager:\${${PREFIX}-service/${secret}}:SecretString:::}}`);
  });

  it("alone reads the frontend's files, and sends security headers with all", () => {
    const bucket = synthesis.only("AWS::S3::Bucket");
    assert.deepEqual(new Set(Object.values(bucket.properties.PublicAccessBlockConfiguration)), new Set([true]));
    const allowed = synthesis.only("AWS::S3::BucketPolicy").properties.PolicyDocument.Statement.filter((s: Json) => s.Effect === "Allow");
    assert.equal(allowed.length, 1);
    assert.deepEqual(allowed[0].Principal, { Service: "cloudfront.amazonaws.com" });
    assert.equal(allowed[0].Action, "s3:GetObject");
    assert.ok(allowed[0].Condition.StringEquals["AWS:SourceArn"]);
    const policies = synthesis.all("AWS::CloudFront::ResponseHeadersPolicy").map((policy) => policy.id).sort();
    const used = [config.DefaultCacheBehavior, ...config.CacheBehaviors].map((behavior) => behavior.ResponseHeadersPolicyId.Ref);
    assert.deepEqual([...new Set(used)].sort(), policies);
    for (const policy of synthesis.all("AWS::CloudFront::ResponseHeadersPolicy")) {
      const headers = policy.properties.ResponseHeadersPolicyConfig.SecurityHeadersConfig;
      assert.ok(headers.StrictTransportSecurity && headers.ContentTypeOptions && headers.FrameOptions && headers.ReferrerPolicy);
    }
  });
});

describe("operations", () => {
  it("have few alarms, and each tells somebody", () => {
    const alarms = synthesis.all("AWS::CloudWatch::Alarm");
    assert.deepEqual(alarms.map((alarm) => alarm.properties.AlarmName).sort(), [
      `${PREFIX}-api-5xx`,
      `${PREFIX}-function-errors`,
      `${PREFIX}-function-throttles`,
      `${PREFIX}-table-read-throttles`,
      `${PREFIX}-table-write-throttles`,
    ]);
    const topic = synthesis.only("AWS::SNS::Topic");
    for (const alarm of alarms) {
      assert.deepEqual(alarm.properties.AlarmActions, [{ Ref: topic.id }]);
    }
    assert.equal(synthesis.only("AWS::SNS::Subscription").properties.Endpoint, "operations@example.com");
  });

  it("watch what there is: the table and the API of this service", () => {
    const alarms = synthesis.all("AWS::CloudWatch::Alarm");
    const metricsOf = (name: string): string => {
      const alarm = alarms.find((found) => found.properties.AlarmName.endsWith(name));
      return JSON.stringify(alarm?.template.resolve(alarm.properties));
    };
    for (const [alarm, metric] of [["table-read-throttles", "ReadThrottleEvents"], ["table-write-throttles", "WriteThrottleEvents"]] as const) {
      const looked = metricsOf(alarm);
      // The table itself, and each index, which the table's metric leaves out.
      const indexes = rawContract().table.indexes.map(({ name }) => name);
      assert.deepEqual([...looked.matchAll(/"Name":"GlobalSecondaryIndexName","Value":"(\w+)"/g)].map((match) => match[1]), indexes);
      assert.equal(looked.split(`"MetricName":"${metric}"`).length - 1, indexes.length + 1);
      assert.equal(looked.split(TABLE_NAME).length - 1, indexes.length + 1);
    }
    assert.match(metricsOf("api-5xx"), /-service\/Api0.*"MetricName":"5xx"/);
    assert.match(metricsOf("function-errors"), /"MetricName":"Errors"/);
    assert.match(metricsOf("function-throttles"), /"MetricName":"Throttles"/);
    assert.equal(synthesis.all("AWS::CloudWatch::Dashboard").length, 1);
  });

  it("have a budget when one is stated", () => {
    const { Budget, NotificationsWithSubscribers } = synthesis.only("AWS::Budgets::Budget").properties;
    assert.deepEqual(Budget.BudgetLimit, { Amount: 100, Unit: "USD" });
    assert.equal(NotificationsWithSubscribers.length, 2);
  });

  it("keep no log for ever", () => {
    const logs = synthesis.all("AWS::Logs::LogGroup");
    assert.equal(logs.length, contract.procedures.length + gateways.length + 3);
    assert.deepEqual(logs.filter((group) => group.properties.RetentionInDays !== 90), []);
  });
});
