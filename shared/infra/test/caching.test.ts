/** Which answers CloudFront keeps: those of public queries that say so, for everybody alike. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Contract, parseContract } from "../src/contract.js";
import { EVERYTHING, functionName, type Json, plainProcedure, rawContract, type RawProcedure, synthesize, type Synthesis } from "./support.js";

/** Public queries that may be kept, beside others. */
function withKept(names: readonly string[], others: readonly RawProcedure[]): Contract {
  const raw = { ...rawContract(), gateways: [] };
  const mold = { ...plainProcedure(), kind: "query", auth: { type: "public" }, http: null, rest: null };
  return parseContract({ ...raw, procedures: [...others, ...names.map((name) => ({ ...mold, name, function: functionName(name), cacheSeconds: 60 }))] });
}

/** The project's own procedures that nobody keeps and that have no path of their own. */
const usual = rawContract()
  .procedures.filter(({ cacheSeconds, http }) => cacheSeconds === null && http === null)
  .map((procedure) => ({ ...procedure, rest: null }));

const domainsOf = (contract: Contract): string[] => [...new Set(contract.procedures.map((procedure) => procedure.domain))];

describe("a query whose answers may be kept", () => {
  // Two HTTP APIs, so that paths have to lead to the right one; and queries in domains of both.
  const kept = ["prices.list", "prices.today", ...Array.from({ length: 6 }, (_, at) => `topic${at}.latest`)];
  const contract = withKept(kept, usual);
  const config = { ...EVERYTHING, layout: { apis: 2 } };
  const synthesis = synthesize({ directory: "caching", stage: "prod", config, contract });
  const distribution = synthesis.only("AWS::CloudFront::Distribution").properties.DistributionConfig;
  const behaviors: Json[] = distribution.CacheBehaviors;
  const exact = behaviors.filter((behavior) => !behavior.PathPattern.endsWith("*"));
  const others = behaviors.filter((behavior) => behavior.PathPattern.endsWith("*"));
  const policy = (type: string, id: Json): Json =>
    synthesis.all(type).find((resource) => resource.id === id.Ref)?.properties ?? assert.fail(`there is no ${type} ${JSON.stringify(id)}`);

  it("has a behavior of its own, which stands before those with a wildcard", () => {
    assert.deepEqual(exact.map((behavior) => behavior.PathPattern), kept.map((name) => `/trpc/${name}`));
    assert.deepEqual(behaviors.slice(0, exact.length), exact);
    assert.equal(behaviors.at(-1).PathPattern, "/trpc/*");
  });

  it("is found at its own HTTP API, as every other procedure is", () => {
    const hosts = hostsOf(synthesis);
    const apis = new Set<string>();
    for (const { name } of contract.procedures) {
      const path = `/trpc/${name}`;
      const route = synthesis.all("AWS::ApiGatewayV2::Route").find((found) => found.properties.RouteKey === `ANY ${path}`)!;
      const api = route.template.resolve(route.properties.ApiId);
      const behavior = behaviors.find(({ PathPattern: pattern }) => (pattern.endsWith("*") ? path.startsWith(pattern.slice(0, -1)) : path === pattern));
      assert.ok(String(hosts.get(behavior.TargetOriginId)).startsWith(`${api}.execute-api.`), path);
      apis.add(kept.includes(name) ? api : "");
    }
    assert.equal(apis.size, 3, `the queries of ${domainsOf(contract)} are behind both`);
  });

  it("is kept as long as the function says, by its address, origin and form, whoever asks", () => {
    const [first] = exact;
    const { CachePolicyConfig } = policy("AWS::CloudFront::CachePolicy", first.CachePolicyId);
    const { DefaultTTL, MinTTL, MaxTTL, ParametersInCacheKeyAndForwardedToOrigin: key } = CachePolicyConfig;
    assert.deepEqual({ DefaultTTL, MinTTL, MaxTTL }, { DefaultTTL: 0, MinTTL: 0, MaxTTL: 86_400 });
    assert.deepEqual(key, {
      CookiesConfig: { CookieBehavior: "none" },
      EnableAcceptEncodingBrotli: true,
      EnableAcceptEncodingGzip: true,
      HeadersConfig: { HeaderBehavior: "whitelist", Headers: ["origin", "trpc-accept"] },
      QueryStringsConfig: { QueryStringBehavior: "all" },
    });
  });

  it("learns nothing of who asks", () => {
    const [first] = exact;
    const { OriginRequestPolicyConfig: sent } = policy("AWS::CloudFront::OriginRequestPolicy", first.OriginRequestPolicyId);
    assert.deepEqual(sent.CookiesConfig, { CookieBehavior: "none" });
    assert.deepEqual(sent.HeadersConfig, {
      HeaderBehavior: "whitelist",
      // A preflight's, and what a POST must say: none of them is read when an answer is kept.
      Headers: ["access-control-request-headers", "access-control-request-method", "content-type"],
    });
  });

  it("takes preflights and POST as well, which are not kept", () => {
    for (const behavior of exact) {
      assert.ok(["OPTIONS", "POST"].every((method) => behavior.AllowedMethods.includes(method)));
      assert.deepEqual(behavior.CachedMethods ?? ["GET", "HEAD"], ["GET", "HEAD"]);
      assert.equal(behavior.ViewerProtocolPolicy, "https-only");
      assert.equal(behavior.Compress, true);
    }
  });

  it("shares its policies with all such queries: an account has twenty of each", () => {
    assert.equal(synthesis.all("AWS::CloudFront::CachePolicy").length, 2);
    assert.equal(synthesis.all("AWS::CloudFront::OriginRequestPolicy").length, 1);
    for (const member of ["CachePolicyId", "OriginRequestPolicyId", "ResponseHeadersPolicyId"]) {
      assert.equal(new Set(exact.map((behavior) => JSON.stringify(behavior[member]))).size, 1, member);
    }
  });

  it("changes nothing for the others, nor for failures", () => {
    assert.ok(others.length > 1);
    for (const behavior of others) {
      const { CachePolicyConfig } = policy("AWS::CloudFront::CachePolicy", behavior.CachePolicyId);
      assert.equal(CachePolicyConfig.MaxTTL, 1, behavior.PathPattern);
      assert.ok(CachePolicyConfig.ParametersInCacheKeyAndForwardedToOrigin.HeadersConfig.Headers.includes("authorization"));
      assert.equal(CachePolicyConfig.ParametersInCacheKeyAndForwardedToOrigin.CookiesConfig.CookieBehavior, "all");
      assert.equal(typeof behavior.OriginRequestPolicyId, "string", "AWS's own policy: all that the caller sent");
    }
    assert.notEqual(distribution.CustomErrorResponses.length, 0);
    assert.deepEqual(distribution.CustomErrorResponses.filter((kept: Json) => kept.ErrorCachingMinTTL !== 0), []);
  });
});

describe("more of them than a distribution has behaviors for", () => {
  const some = (count: number): Contract => withKept(Array.from({ length: count }, (_, at) => `prices.number${at}`), []);
  const wishes = { directory: "behaviors", stage: "prod", config: EVERYTHING };

  it("are refused before anything is deployed", () => {
    assert.throws(() => synthesize({ ...wishes, contract: some(74) }), {
      name: "Problem",
      message:
        "76 cache behaviors are needed, and CloudFront takes 75 for a distribution: 74 for queries with `cache_s`, " +
        "0 for domains of further HTTP APIs, 0 for other paths, 2 for the rest. State `cache_s` only for the queries that are called most.",
    });
  });

  it("as many as fit are taken", () => {
    const { CacheBehaviors } = synthesize({ ...wishes, contract: some(73) }).only("AWS::CloudFront::Distribution").properties.DistributionConfig;
    assert.equal(CacheBehaviors.length + 1, 75);
  });
});

function hostsOf(synthesis: Synthesis): Map<string, string> {
  const distribution = synthesis.only("AWS::CloudFront::Distribution");
  const { Origins } = distribution.properties.DistributionConfig;
  return new Map(Origins.map((origin: Json) => [origin.Id, distribution.template.resolve(origin.DomainName)]));
}
