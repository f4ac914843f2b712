/** The settings of a stage, and their checks. */
import { SECRET_NAME } from "./contract.js";
import { Problem } from "./problem.js";
import { LEAST_LIMIT, MOST_LIMIT, RATE_LIMITS, type RateLimits } from "./rate-rules.js";

/** The stages of `stages.ts`. */
export interface Stages {
  readonly dev: StageConfig;
  /** The settings of every `pr-N`. */
  readonly preview: StageConfig;
  readonly prod: StageConfig;
}

export interface StageConfig {
  /** Whether the table is protected: by deletion protection, and by being retained when its stack is deleted. */
  readonly protectData: boolean;
  /** The processor that the functions are built for. */
  readonly architecture: Architecture;
  /** How many days logs are kept. */
  readonly logRetentionDays: RetentionDays;
  /** Whether X-Ray traces calls. */
  readonly tracing: boolean;
  /** The request rate of all callers together. */
  readonly throttle: { readonly ratePerSecond: number; readonly burst: number };
  /**
   * Origins whose pages may call, such as `https://app.example.com`; any when the list is empty. With a session's
   * cookie, only listed origins and the service's own may call.
   */
  readonly allowedOrigins: readonly string[];
  /**
   * The service's address, such as `https://api.example.com`, if it is neither AWS's own nor the first name of
   * `edge.domain`.
   */
  readonly url?: string;
  /** The address of the pages to which mails and sign-ins lead; the service's address if it is not stated. */
  readonly appUrl?: string;
  /** The sender of mails, perhaps with a name: `Example <no-reply@example.com>`. Amazon SES must know it, or its domain. */
  readonly mailFrom?: string;
  /** The existing secrets that people make and procedures read, such as `identity-providers`. */
  readonly secrets?: readonly string[];
  /** The configurations that procedures take (`Config<…>`), by name. They are checked with their types' JSON Schemas. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** The front: CloudFront with the frontend's bucket. Without it, callers use the HTTP API itself. */
  readonly edge?: EdgeConfig;
  /**
   * Whether the API's documents are public: `/docs`, OpenAPI, OpenRPC, WSDL, and GraphQL's schema. By default,
   * everywhere but in production.
   */
  readonly documents?: boolean;
  /** Who may register: everybody, nobody, or people with an address at one of these domains. Nobody, if it is not stated. */
  readonly registration?: "open" | "closed" | readonly string[];
  /**
   * Whether procedures with a `concurrency` reserve as many of the account's functions; by default they do. Lambda
   * refuses it if fewer than 100 remain for all others, as in a new account.
   */
  readonly reservedConcurrency?: boolean;
  /** The recipient of alarms. */
  readonly alarmEmail?: string;
  /** The monthly cost of the whole account, in US dollars, at which `alarmEmail` gets a mail. */
  readonly monthlyBudgetUsd?: number;
  /** The layout to keep; see `layout.ts`. */
  readonly layout?: LayoutPins;
}

export interface EdgeConfig {
  /** The host names of the service. */
  readonly domain?: {
    readonly names: readonly [string, ...string[]];
    /** A certificate in us-east-1, where CloudFront looks for it. */
    readonly certificateArn: string;
  };
  /** An existing web ACL of scope CLOUDFRONT, instead of a new one. */
  readonly webAclArn?: string;
  /** Other limits of the new web ACL for each address; no web ACL is made when it is `false`. */
  readonly rateLimits?: Partial<RateLimits> | false;
}

/** The numbers of parts. A number that is not stated is as small as the limits allow. */
export interface LayoutPins {
  readonly apis?: number;
  /** The number of nested stacks of each domain. */
  readonly stacks?: Readonly<Record<string, number>>;
}

/** The tags of every resource: its service and stage. */
export const SERVICE_TAG = "onefold:service";
export const STAGE_TAG = "onefold:stage";

const ARCHITECTURES = ["arm64", "x86_64"] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

/** The retention periods of CloudWatch Logs, up to two years. */
export type RetentionDays = 1 | 3 | 5 | 7 | 14 | 30 | 60 | 90 | 120 | 150 | 180 | 365 | 400 | 545 | 731;

/** A stage by name, with its configuration. */
export interface Stage {
  /** `dev`, `pr-7` or `prod`. */
  readonly name: string;
  readonly config: StageConfig;
}

/** IAM compares addresses letter by letter, so only small letters are valid. */
const MAIL_ADDRESS = /^[a-z0-9._%+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+$/;
const DOMAIN = /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/;
const NAMED_ADDRESS = /^[A-Za-z0-9 ._-]+ <([^<>]+)>$/;
const PREVIEW = /^pr-[1-9][0-9]{0,5}$/;
const CERTIFICATE = /^arn:aws:acm:us-east-1:\d{12}:certificate\/[\w-]+$/;
const WEB_ACL = /^arn:aws:wafv2:us-east-1:\d{12}:global\/webacl\/[\w-]+\/[\w-]+$/;

/** Whether a stage is the preview of a pull request. */
export function isPreview(name: string): boolean {
  return PREVIEW.test(name);
}

/**
 * Finds and checks a stage.
 *
 * @param name the requested stage
 * @param architecture the value of `-c architecture=`: a rehearsal runs on another processor
 * @throws Problem with a list of all mistakes.
 */
export function chooseStage(stages: Stages, name: unknown, architecture?: unknown): Stage {
  if (typeof name !== "string" || !(name === "dev" || name === "prod" || isPreview(name))) {
    const given = name === undefined ? "No stage is given" : `There is no stage ${JSON.stringify(name)}`;
    throw new Problem(`${given}: stages are dev, prod, and pr-7 or another number.`);
  }
  const stated = name === "dev" || name === "prod" ? stages[name] : stages.preview;
  const built = architecture === undefined ? stated.architecture : architecture;
  const config: StageConfig = { ...stated, architecture: built as Architecture };
  const faults = faultsOf(name, config);
  if (faults.length > 0) {
    throw new Problem(`Stage ${name} in stages.ts:\n${faults.map((fault) => `  - ${fault}`).join("\n")}`);
  }
  return { name, config };
}

/** The limits of the stage's own web ACL; none if it has no such web ACL. */
export function rateLimitsOf({ edge }: StageConfig): RateLimits | undefined {
  return edge === undefined || edge.webAclArn !== undefined || edge.rateLimits === false ? undefined : { ...RATE_LIMITS, ...edge.rateLimits };
}

/** Whether the documents are public. */
export function tellsDocuments({ name, config }: Stage): boolean {
  return config.documents ?? name !== "prod";
}

/** The address part of a sender, perhaps with a name; none if it is invalid. */
export function mailAddress(from: string): string | undefined {
  const address = NAMED_ADDRESS.exec(from)?.[1] ?? from;
  return MAIL_ADDRESS.test(address) ? address : undefined;
}

/** The service's address, if the stage states it. */
export function statedUrl({ url, edge }: StageConfig): string | undefined {
  return url ?? (edge?.domain === undefined ? undefined : `https://${edge.domain.names[0]}`);
}

function faultsOf(name: string, config: StageConfig): string[] {
  const faults: string[] = [];
  const expect = (holds: boolean, fault: string): void => {
    if (!holds) {
      faults.push(fault);
    }
  };
  const { throttle, edge, layout } = config;
  expect(ARCHITECTURES.includes(config.architecture), `architecture is none of ${ARCHITECTURES.join(", ")}`);
  expect(name !== "prod" || config.protectData, "protectData must be true: a deployment could delete the data");
  expect(!isPreview(name) || !config.protectData, "protectData must be false: a preview could not be removed");
  expect(isCount(throttle.ratePerSecond), "throttle.ratePerSecond is no whole number from 1");
  expect(isCount(throttle.burst), "throttle.burst is no whole number from 1");
  for (const origin of config.allowedOrigins) {
    expect(isOrigin(origin), `allowedOrigins: ${JSON.stringify(origin)} is no origin such as https://app.example.com`);
  }
  expectAddresses(name, config, expect);
  expect(config.mailFrom === undefined || mailAddress(config.mailFrom) !== undefined, "mailFrom is no address in small letters such as no-reply@example.com");
  for (const secret of config.secrets ?? []) {
    expect(SECRET_NAME.test(secret), `secrets: ${JSON.stringify(secret)} is no name such as identity-providers`);
  }
  if (edge?.domain !== undefined) {
    expect(CERTIFICATE.test(edge.domain.certificateArn), "edge.domain.certificateArn is no ACM certificate in us-east-1");
  }
  if (edge?.webAclArn !== undefined) {
    expect(WEB_ACL.test(edge.webAclArn), "edge.webAclArn is no WAFv2 web ACL of scope CLOUDFRONT");
  }
  expectLimits(edge, expect);
  expectRegistration(config.registration, expect);
  if (config.monthlyBudgetUsd !== undefined) {
    expect(config.monthlyBudgetUsd > 0, "monthlyBudgetUsd is not above zero");
    expect(config.alarmEmail !== undefined, "monthlyBudgetUsd needs alarmEmail: nobody would be told");
  }
  expect(layout?.apis === undefined || isCount(layout.apis), "layout.apis is no whole number from 1");
  for (const [domain, count] of Object.entries(layout?.stacks ?? {})) {
    expect(isCount(count), `layout.stacks.${domain} is no whole number from 1`);
  }
  return faults;
}

function expectAddresses(name: string, { url, appUrl, edge }: StageConfig, expect: (holds: boolean, fault: string) => void): void {
  if (url !== undefined) {
    expect(!isPreview(name), "url must not be stated: each preview has its own address");
    expect(isOrigin(url) && url.startsWith("https://"), "url is no address such as https://api.example.com");
    const named = edge?.domain?.names.some((host) => url === `https://${host}`);
    expect(named !== false, "url is none of edge.domain.names");
  }
  if (appUrl !== undefined) {
    const page = URL.canParse(appUrl) ? new URL(appUrl) : undefined;
    const isLocal = page?.protocol === "http:" && page.hostname === "localhost" && name !== "prod";
    // The form that browsers write, to which a path can be appended: links in mails begin with it.
    const isPlain = page !== undefined && [appUrl, `${appUrl}/`].includes(`${page.origin}${page.pathname}`);
    expect(isPlain && (page.protocol === "https:" || isLocal), "appUrl is no address such as https://app.example.com");
  }
}

function expectLimits(edge: EdgeConfig | undefined, expect: (holds: boolean, fault: string) => void): void {
  const { webAclArn, rateLimits } = edge ?? {};
  expect(webAclArn === undefined || rateLimits === undefined, "edge has both webAclArn and rateLimits, which are those of a web ACL that is made");
  for (const [name, limit] of Object.entries(rateLimits || {})) {
    expect(isCount(limit) && limit >= LEAST_LIMIT && limit <= MOST_LIMIT, `edge.rateLimits.${name} is no whole number from ${LEAST_LIMIT} to ${MOST_LIMIT}`);
  }
}

function expectRegistration(registration: StageConfig["registration"], expect: (holds: boolean, fault: string) => void): void {
  const domains = typeof registration === "object" ? registration : [];
  expect(typeof registration !== "object" || domains.length > 0, 'registration is an empty list: state "closed"');
  for (const domain of domains) {
    expect(DOMAIN.test(domain), `registration: ${JSON.stringify(domain)} is no domain in small letters such as example.com`);
  }
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}
