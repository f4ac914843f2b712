/** The edge: CloudFront with TLS, HTTP/3, compression, security headers, and the frontend's files. */
import { CfnOutput, CfnParameter, Duration, RemovalPolicy, Stack, type StackProps } from "aws-cdk-lib";
import { Certificate } from "aws-cdk-lib/aws-certificatemanager";
import * as cloudfront from "aws-cdk-lib/aws-cloudfront";
import { HttpOrigin, S3BucketOrigin } from "aws-cdk-lib/aws-cloudfront-origins";
import { BlockPublicAccess, Bucket, BucketEncryption, type IBucket } from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";
import { FRONT_HEADER } from "./front-check.js";
import { WEB_ACL_ARN } from "./firewall-stack.js";
import { MAX_CACHE_S, type Contract, type Procedure } from "./contract.js";
import { collectionOf, type Layout } from "./layout.js";
import type { Names } from "./names.js";
import { Problem } from "./problem.js";
import { pathOf } from "./routes.js";
import type { ServiceStack } from "./service-stack.js";
import { handlerSource } from "./small-function.js";
import { type EdgeConfig, rateLimitsOf, type StageConfig, statedUrl } from "./stage.js";

export interface EdgeStackProps extends StackProps {
  readonly names: Names;
  readonly config: StageConfig;
  readonly edge: EdgeConfig;
  readonly contract: Contract;
  readonly layout: Layout;
  readonly service: ServiceStack;
}

/** The statuses whose responses CloudFront would otherwise cache for ten seconds, for every caller alike. */
const KEPT_ERRORS = [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504];
const HSTS = Duration.days(730);
/**
 * CloudFront's quota of cache behaviors for a distribution
 * (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html, which said 25
 * for years). Whether the one for the pages counts is not said; here it does.
 */
const MAX_BEHAVIORS = 75;

export class EdgeStack extends Stack {
  readonly distribution: cloudfront.Distribution;

  constructor(scope: Construct, id: string, props: EdgeStackProps) {
    super(scope, id, props);
    const bucket = this.#frontend(props.config.protectData);
    const { domain } = props.edge;
    const webAcl = this.#webAcl(props);
    this.distribution = new cloudfront.Distribution(this, "Distribution", {
      comment: props.names.prefix,
      httpVersion: cloudfront.HttpVersion.HTTP2_AND_3,
      defaultRootObject: "index.html",
      defaultBehavior: this.#pages(bucket, props.names),
      additionalBehaviors: this.#api(props),
      errorResponses: KEPT_ERRORS.map((httpStatus) => ({ httpStatus, ttl: Duration.seconds(0) })),
      ...(webAcl === undefined ? {} : { webAclId: webAcl }),
      ...(domain === undefined
        ? {}
        : {
            domainNames: [...domain.names],
            // The TLS policy of CloudFront's own host name cannot be chosen.
            minimumProtocolVersion: cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
            certificate: Certificate.fromCertificateArn(this, "Certificate", domain.certificateArn),
          }),
    });
    const url = statedUrl(props.config) ?? `https://${this.distribution.distributionDomainName}`;
    new CfnOutput(this, "Url", { value: `${url}/trpc`, description: "What clients call" });
    new CfnOutput(this, "DistributionHost", { value: this.distribution.distributionDomainName, description: "Where own host names point to" });
    new CfnOutput(this, "DistributionId", { value: this.distribution.distributionId, description: "For invalidations" });
    new CfnOutput(this, "FrontendBucket", { value: bucket.bucketName, description: "Where the frontend's files go" });
  }

  /** An existing web ACL, or the stage's own, which `deploy` has made before. */
  #webAcl({ config, edge }: EdgeStackProps): string | undefined {
    if (rateLimitsOf(config) === undefined) {
      return edge.webAclArn;
    }
    // CloudFront would take an empty value as no web ACL.
    const allowedPattern = "^arn:aws:wafv2:us-east-1:\\d{12}:global/webacl/.+$";
    return new CfnParameter(this, WEB_ACL_ARN, { allowedPattern, description: "The web ACL of the firewall's stack, in us-east-1" }).valueAsString;
  }

  #frontend(keep: boolean): IBucket {
    const bucket = new Bucket(this, "Frontend", {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      versioned: true,
      lifecycleRules: [{ noncurrentVersionExpiration: Duration.days(30), abortIncompleteMultipartUploadAfter: Duration.days(1) }],
      removalPolicy: keep ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    // The library's declarations differ in optional members, which only a strict compiler sees.
    return bucket as IBucket;
  }

  #pages(bucket: IBucket, names: Names): cloudfront.BehaviorOptions {
    return {
      origin: S3BucketOrigin.withOriginAccessControl(bucket),
      viewerProtocolPolicy: cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
      compress: true,
      cachePolicy: cloudfront.CachePolicy.CACHING_OPTIMIZED,
      responseHeadersPolicy: new cloudfront.ResponseHeadersPolicy(this, "PageHeaders", {
        responseHeadersPolicyName: `${names.prefix}-pages`,
        securityHeadersBehavior: {
          ...COMMON_HEADERS,
          contentSecurityPolicy: {
            contentSecurityPolicy:
              "default-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'",
            override: false,
          },
        },
      }),
      functionAssociations: [this.#onRequest("SinglePage", "single-page", names)],
    };
  }

  /** The function that sees each request first; a behavior has one at most. */
  #onRequest(id: string, source: string, names: Names): cloudfront.FunctionAssociation {
    const handler = new cloudfront.Function(this, id, {
      functionName: `${names.prefix}-${source}`,
      code: cloudfront.FunctionCode.fromInline(handlerSource(source)),
      runtime: cloudfront.FunctionRuntime.JS_2_0,
    });
    return { eventType: cloudfront.FunctionEventType.VIEWER_REQUEST, function: handler };
  }

  /**
   * CloudFront takes the first behavior whose path matches: first the cached queries, then the paths at other APIs than
   * the first one, the folders of HTTP paths, then all the rest.
   */
  #api(props: EdgeStackProps): Record<string, cloudfront.BehaviorOptions> {
    const { names, service, layout, contract } = props;
    const shared = {
      // Clients must not use plain http: the request would already have shown its token.
      viewerProtocolPolicy: cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
      allowedMethods: cloudfront.AllowedMethods.ALLOW_ALL,
      compress: true,
      responseHeadersPolicy: new cloudfront.ResponseHeadersPolicy(this, "ApiHeaders", {
        responseHeadersPolicyName: `${names.prefix}-api`,
        securityHeadersBehavior: COMMON_HEADERS,
      }),
    };
    const origins = service.fronts.map((front) => this.#origin(front.host, service));
    const behaviorOf = (api: number, policies: Policies): cloudfront.BehaviorOptions => {
      const origin = origins[api];
      if (origin === undefined) {
        throw new RangeError(`there is no HTTP API ${api}`);
      }
      return { ...shared, ...policies, origin };
    };
    const uncached = this.#uncached(names);
    // CloudFront makes an ETag weak when it compresses. REST ETags are versions, which a client sends back in
    // `If-Match`, and there a weak one never matches (RFC 9110 sections 8.8.1 and 13.1.1).
    const withVersions = { ...uncached, compress: false };
    const isOfRest = (pattern: string): boolean =>
      contract.procedures.some(({ rest }) => rest !== undefined && rest.path.startsWith(pattern.replace(/\*$/, "")));
    const kept = contract.procedures.filter((procedure) => procedure.cacheSeconds !== undefined);
    // Without a cached query there is no policy for it: an account has twenty.
    const cached = kept.length === 0 ? uncached : this.#publicQueries(names);
    const elsewhere = new Map(contract.procedures.flatMap((p) => (layout.apiOf(p) === 0 ? [] : [[p.domain, layout.apiOf(p)] as const])));
    const collections = collectionsElsewhere(contract.procedures, layout);
    const folders = foldersOf(contract);
    const behaviors = [
      ...kept.map((procedure) => [pathOf(procedure), behaviorOf(layout.apiOf(procedure), cached)] as const),
      ...[...elsewhere].sort().map(([domain, api]) => [`/trpc/${domain}.*`, behaviorOf(api, uncached)] as const),
      ...collections.map(([collection, api]) => [`${collection}*`, behaviorOf(api, withVersions)] as const),
      ...[...folders, "/trpc/*"].map((path) => [path, behaviorOf(0, isOfRest(path) ? withVersions : uncached)] as const),
    ];
    const needed = behaviors.length + 1;
    if (needed > MAX_BEHAVIORS) {
      throw new Problem(
        `${needed} cache behaviors are needed, and CloudFront takes ${MAX_BEHAVIORS} for a distribution: ${kept.length} for ` +
          `queries with \`cache_s\`, ${elsewhere.size + collections.length} for domains of further HTTP APIs, ${folders.length} for other paths, 2 for the rest. ` +
          "State `cache_s` only for the queries that are called most.",
      );
    }
    return Object.fromEntries(behaviors);
  }

  #origin(host: string, service: ServiceStack): HttpOrigin {
    if (service.frontCheck === undefined) {
      throw new Error("a stage with an edge has a front check");
    }
    return new HttpOrigin(host, {
      protocolPolicy: cloudfront.OriginProtocolPolicy.HTTPS_ONLY,
      originSslProtocols: [cloudfront.OriginSslPolicy.TLS_V1_2],
      // The value is a reference, which CloudFormation resolves when it deploys.
      customHeaders: { [FRONT_HEADER]: service.frontCheck.secretValue.unsafeUnwrap() },
    });
  }

  /**
   * Caches nothing: functions answer `no-store`, and a response without a lifetime has a lifetime of zero. The longest
   * lifetime is a second and not zero only because CloudFront compresses nothing under a policy that could never cache.
   * A response that is cached by mistake goes to the same caller only, whose token and cookies are in the key. The key
   * also decides which requests may share a response while they wait for it.
   */
  #uncached(names: Names): Policies {
    return {
      functionAssociations: [this.#onRequest("ViewerAddress", "viewer-address", names)],
      originRequestPolicy: cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
      cachePolicy: new cloudfront.CachePolicy(this, "Uncached", {
        cachePolicyName: `${names.prefix}-uncached`,
        minTtl: Duration.seconds(0),
        defaultTtl: Duration.seconds(0),
        maxTtl: Duration.seconds(1),
        headerBehavior: cloudfront.CacheHeaderBehavior.allowList("accept", "authorization", "origin"),
        cookieBehavior: cloudfront.CacheCookieBehavior.all(),
        queryStringBehavior: cloudfront.CacheQueryStringBehavior.all(),
        enableAcceptEncodingGzip: true,
        enableAcceptEncodingBrotli: true,
      }),
    };
  }

  /**
   * Caches the responses that functions permit, for as long as they say: one policy for all such queries.
   *
   * Every fact that a cached response could depend on must be part of its key, or must not reach the function. For a
   * GET these are the query string, the origin, and whether a batch of one is to come as lines. Besides them, only the
   * headers for CORS and for a POST are passed on, which no GET reads: no managed policy passes on so little and yet
   * `content-type`. CloudFront removes `authorization` and cookies from a GET if neither policy names them.
   */
  #publicQueries(names: Names): Policies {
    return {
      originRequestPolicy: new cloudfront.OriginRequestPolicy(this, "PublicRequests", {
        originRequestPolicyName: `${names.prefix}-public-queries`,
        headerBehavior: cloudfront.OriginRequestHeaderBehavior.allowList(
          "access-control-request-headers",
          "access-control-request-method",
          "content-type",
        ),
        cookieBehavior: cloudfront.OriginRequestCookieBehavior.none(),
        // The cache key contains the query string, and CloudFront sends what is in the key.
        queryStringBehavior: cloudfront.OriginRequestQueryStringBehavior.none(),
      }),
      cachePolicy: new cloudfront.CachePolicy(this, "PublicQueries", {
        cachePolicyName: `${names.prefix}-public-queries`,
        minTtl: Duration.seconds(0),
        defaultTtl: Duration.seconds(0),
        maxTtl: Duration.seconds(MAX_CACHE_S),
        headerBehavior: cloudfront.CacheHeaderBehavior.allowList("origin", "trpc-accept"),
        cookieBehavior: cloudfront.CacheCookieBehavior.none(),
        queryStringBehavior: cloudfront.CacheQueryStringBehavior.all(),
        enableAcceptEncodingGzip: true,
        enableAcceptEncodingBrotli: true,
      }),
    };
  }
}

/**
 * The folders with paths other than `/trpc/`, such as `/oauth/*` and `/v1/*`: as a whole, so that the service answers a
 * wrong path there, and not the frontend's page. And single paths, such as `/graphql`.
 *
 * A query in no folder, such as `GET /welcome`, is a page that the service shows if there is no frontend. A stage with
 * an edge has one, so the address is left to it.
 */
function foldersOf({ procedures, gateways }: Contract): string[] {
  const isPage = (path: string, kind: string): boolean => kind === "query" && !path.includes("/", 1);
  const own = procedures.flatMap(({ kind, http, rest }) =>
    [http, rest].flatMap((route) => (route === undefined || isPage(route.path, kind) ? [] : [route.path])),
  );
  const paths = [...own, ...gateways.flatMap((gateway) => gateway.paths)].filter((path) => !path.startsWith("/trpc/"));
  const folders = paths.map((path) => (path.includes("/", 1) ? `${path.slice(0, path.indexOf("/", 1))}/*` : path));
  return [...new Set(folders)].sort();
}

/**
 * The REST collections at other APIs than the first one, and those at the first one that would match their patterns: a
 * pattern matches all paths that begin with it, so the longer ones come first.
 */
function collectionsElsewhere(procedures: readonly Procedure[], layout: Layout): [collection: string, api: number][] {
  const all = new Map(procedures.flatMap((procedure) => (procedure.rest === undefined ? [] : [[collectionOf(procedure.rest.path), layout.apiOfRest(procedure)]])));
  const elsewhere = [...all].filter(([, api]) => api !== 0).map(([collection]) => collection);
  const needed = [...all].filter(([collection, api]) => api !== 0 || elsewhere.some((other) => collection.startsWith(other)));
  return needed.sort(([one], [other]) => other.length - one.length || (one < other ? -1 : 1));
}

/** The cache key, and the headers that the function gets. */
type Policies = Required<Pick<cloudfront.BehaviorOptions, "cachePolicy" | "originRequestPolicy">> &
  Pick<cloudfront.BehaviorOptions, "compress" | "functionAssociations">;

const COMMON_HEADERS: cloudfront.ResponseSecurityHeadersBehavior = {
  strictTransportSecurity: { accessControlMaxAge: HSTS, includeSubdomains: true, override: true },
  contentTypeOptions: { override: true },
  frameOptions: { frameOption: cloudfront.HeadersFrameOption.DENY, override: true },
  // A procedure's page may send a stricter policy.
  referrerPolicy: { referrerPolicy: cloudfront.HeadersReferrerPolicy.STRICT_ORIGIN_WHEN_CROSS_ORIGIN, override: false },
};
