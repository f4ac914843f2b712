/** A service of five hundred procedures stays under the limits of AWS. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { EVERYTHING, type Json, synthesize, type Resource } from "./support.js";
import { synthetic } from "./synthetic.js";

/** CloudFormation's limits for one template; bytes for one that is uploaded. */
const MAX = { resources: 500, bytes: 1_000_000, parameters: 200, outputs: 200 };
/** API Gateway's limits for one HTTP API. */
const MAX_ROUTES = 300;
/** CloudFront's limit for one distribution. */
const MAX_BEHAVIORS = 75;

// One domain that must be split, and many of the usual size.
const domains = { huge: 200, ...Object.fromEntries(Array.from({ length: 25 }, (_, at) => [`domain${at}`, 12])) };
const contract = synthetic(domains, { rest: true, gateways: true });
const before = process.cpuUsage();
const synthesis = synthesize({ directory: "scale", stage: "prod", config: EVERYTHING, contract });
const used = process.cpuUsage(before);

it("the service has five hundred procedures, each with its function, role, log group and routes", (test) => {
  test.diagnostic(`synthesis took ${((used.user + used.system) / 1e6).toFixed(1)} s of CPU`);
  assert.equal(contract.procedures.length, 500);
  const names = new Set(synthesis.all("AWS::Lambda::Function").map((handler) => handler.properties.FunctionName).filter(Boolean));
  assert.equal(names.size, 503, "three are gateways");
  const routes = new Set(synthesis.all("AWS::ApiGatewayV2::Route").map((route) => route.properties.RouteKey));
  const groups = new Set(synthesis.all("AWS::Logs::LogGroup").map((group) => group.properties.LogGroupName));
  for (const procedure of contract.procedures) {
    assert.ok(routes.has(`ANY /trpc/${procedure.name}`), procedure.name);
    assert.ok(procedure.rest !== undefined && (routes.has(`ANY ${procedure.rest.path}`) || routes.has(`${procedure.rest.method} ${procedure.rest.path}`)), procedure.name);
    assert.ok(groups.has(`/${contract.service}/prod/${procedure.name}`), procedure.name);
  }
  // Two are the infrastructure's own: the one for unknown routes and the one that knows the front.
  assert.equal(synthesis.all("AWS::IAM::Role").length, 505);
});

it("every template stays under CloudFormation's limits", (test) => {
  for (const { name, resources, bytes, json } of synthesis.templates) {
    assert.ok(resources.length <= MAX.resources, `${name} has ${resources.length} resources`);
    assert.ok(bytes <= MAX.bytes, `${name} has ${bytes} bytes`);
    assert.ok(Object.keys(json.Parameters ?? {}).length <= MAX.parameters, `${name} has too many parameters`);
    assert.ok(Object.keys(json.Outputs ?? {}).length <= MAX.outputs, `${name} has too many outputs`);
  }
  const most = Math.max(...synthesis.templates.map((template) => template.resources.length));
  const largest = Math.max(...synthesis.templates.map((template) => template.bytes));
  test.diagnostic(`${synthesis.templates.length} templates; at most ${most} resources and ${Math.round(largest / 1000)} kB`);
});

it("every HTTP API stays under API Gateway's limits, and holds whole domains", (test) => {
  const byApi = (type: string): Map<string, Resource[]> =>
    groupBy(synthesis.all(type), (resource) => resource.template.resolve(resource.properties.ApiId));
  const routes = byApi("AWS::ApiGatewayV2::Route");
  const integrations = byApi("AWS::ApiGatewayV2::Integration");
  assert.ok(routes.size > 1);
  for (const found of [...routes.values(), ...integrations.values()]) {
    assert.ok(found.length <= MAX_ROUTES, `${found.length} for one API`);
  }
  test.diagnostic(`${routes.size} HTTP APIs with ${[...routes.values()].map((found) => found.length).join(" and ")} routes`);
});

it("one alarm sums up all HTTP APIs", () => {
  const alarms = synthesis.all("AWS::CloudWatch::Alarm").filter((found) => found.properties.AlarmName.endsWith("-api-5xx"));
  const [alarm] = alarms;
  assert.equal(alarms.length, 1);
  const metrics = alarm!.template.resolve(alarm!.properties.Metrics);
  const watched = metrics.flatMap((metric: Json) => metric.MetricStat?.Metric.Dimensions.map((found: Json) => found.Value) ?? []);
  assert.deepEqual(watched.sort(), synthesis.all("AWS::ApiGatewayV2::Api").map((api) => `\${${api.template.name}/${api.id}}`).sort());
  const [sum] = metrics.filter((metric: Json) => metric.Expression !== undefined);
  assert.equal(sum.Expression, watched.map((_: string, at: number) => `FILL(m${at}, 0)`).join(" + "));
});

it("CloudFront finds the API of every procedure by its path", () => {
  const { CacheBehaviors, Origins } = synthesis.only("AWS::CloudFront::Distribution").properties.DistributionConfig;
  assert.ok(CacheBehaviors.length < MAX_BEHAVIORS, `${CacheBehaviors.length} behaviors`);
  const edge = synthesis.template(`${contract.service}-prod-edge`);
  const hosts = new Map(Origins.map((origin: { Id: string; DomainName: unknown }) => [origin.Id, edge.resolve(origin.DomainName)]));
  for (const route of synthesis.all("AWS::ApiGatewayV2::Route").filter((found) => !["$default", "ANY /trpc/{proxy+}"].includes(found.properties.RouteKey))) {
    const path = route.properties.RouteKey.split(" ")[1];
    const behavior = CacheBehaviors.find(({ PathPattern }: { PathPattern: string }) => {
      return PathPattern.endsWith("*") ? path.startsWith(PathPattern.slice(0, -1)) : path === PathPattern;
    });
    const api = route.template.resolve(route.properties.ApiId);
    assert.ok(String(hosts.get(behavior.TargetOriginId)).startsWith(`${api}.execute-api.`), path);
  }
});

function groupBy<T>(values: readonly T[], key: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    groups.set(key(value), [...(groups.get(key(value)) ?? []), value]);
  }
  return groups;
}
