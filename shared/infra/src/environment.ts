/** A function's environment, and the rights that it needs for it. */
import { ArnFormat, Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { Construct } from "constructs";
import type { Gateway, Procedure } from "./contract.js";
import type { Names } from "./names.js";
import { configsOf, CURSORS, secretsOf } from "./needs.js";
import type { ProcedureRoutes } from "./routes.js";
import { mailAddress, type StageConfig, tellsDocuments } from "./stage.js";

/** The header in which CloudFront passes on the caller's address: `handlers/viewer-address.js` writes it. */
export const ADDRESS_HEADER = "x-viewer-address";

/** The sources of the environments of a stage's functions. */
export interface EnvironmentSources {
  readonly names: Names;
  readonly config: StageConfig;
  readonly tableName: string;
  /** The service's address, if it is known. */
  readonly url: string | undefined;
  /** The versions of the secrets, by their names at AWS, if they are known. */
  readonly secretVersions: ReadonlyMap<string, string>;
}

export interface FunctionEnvironment {
  readonly variables: Record<string, string>;
  readonly statements: readonly PolicyStatement[];
}

/**
 * The counterpart of `shared/runtime/src/environment.rs`: only this module knows the variables.
 *
 * Secrets and rotating values are given by reference: a variable names a secret in Secrets Manager, which was created
 * before, and each instance of the function reads it once. No template and no function's configuration contains a
 * secret, since more people can read these.
 */
export function functionEnvironment(
  scope: Construct,
  procedure: Procedure,
  sources: EnvironmentSources,
  { methods }: Pick<ProcedureRoutes, "methods">,
): FunctionEnvironment {
  const { names, config } = sources;
  const variables: Record<string, string> = {
    ONEFOLD_STAGE: names.stage,
    ...callers(config, sources.url),
    ...registration(config),
    ...secretVariables(procedure, sources),
    ...Object.fromEntries([...configsOf(procedure, config)].map(([name, json]) => [variableOf("ONEFOLD_CONFIG_", name), json])),
    ...(methods === undefined ? {} : { ONEFOLD_METHODS: methods }),
    ...(procedure.grants.length > 0 ? { ONEFOLD_TABLE: sources.tableName } : {}),
  };
  const { general, named } = secretsAt(procedure, sources);
  const readable = [...general, ...named.map((name) => names.secretNamed(name))];
  const statements = [
    new PolicyStatement({ actions: ["secretsmanager:GetSecretValue"], resources: readable.map((name) => secretArn(scope, name)) }),
  ];
  if (procedure.sendsMail && config.mailFrom !== undefined) {
    variables["ONEFOLD_MAIL_FROM"] = config.mailFrom;
    statements.push(mailStatement(scope, config.mailFrom));
  }
  return { variables, statements };
}

/** A gateway gets the functions' names, and no secret: it passes on the callers' credentials. */
export function gatewayEnvironment({ invokes }: Gateway, { names, config, url }: Pick<EnvironmentSources, "names" | "config" | "url">): Record<string, string> {
  return {
    ...callers(config, url),
    ...(invokes.length === 0 ? {} : { ONEFOLD_FUNCTIONS: `${names.prefix}-{}` }),
    ...(tellsDocuments({ name: names.stage, config }) ? {} : { ONEFOLD_DOCUMENTS: "off" }),
  };
}

/** The facts about callers that every function gets. `handlers/unknown-route.js` reads them as well. */
export function callers(config: StageConfig, url: string | undefined): Record<string, string> {
  return { ...addresses(config, url), ...(config.edge === undefined ? {} : { ONEFOLD_ADDRESS_HEADER: ADDRESS_HEADER }) };
}

/** The addresses of the service and its pages, and the origins that may call. */
function addresses({ appUrl, allowedOrigins }: StageConfig, url: string | undefined): Record<string, string> {
  return {
    ...(url === undefined ? {} : { ONEFOLD_URL: url }),
    ...(appUrl === undefined ? {} : { ONEFOLD_APP_URL: appUrl }),
    ...(allowedOrigins.length === 0 ? {} : { ONEFOLD_ALLOWED_ORIGINS: allowedOrigins.join(",") }),
  };
}

function registration({ registration: who }: StageConfig): Record<string, string> {
  return who === undefined ? {} : { ONEFOLD_REGISTRATION: typeof who === "string" ? who : who.join(",") };
}

/** The names at AWS of the stage's secrets, and of those that the signature names. */
function secretsAt(procedure: Procedure, { names, config }: EnvironmentSources): { general: string[]; named: string[] } {
  return {
    general: [names.secret, ...(procedure.takesCursor ? [names.secretNamed(CURSORS)] : [])],
    named: secretsOf(procedure, { name: names.stage, config }),
  };
}

function secretVariables(procedure: Procedure, sources: EnvironmentSources): Record<string, string> {
  const { names, secretVersions } = sources;
  const { general, named: own } = secretsAt(procedure, sources);
  const all = [...general, ...own.map((name) => names.secretNamed(name))];
  const versions = all.map((name) => secretVersions.get(name)).filter((version) => version !== undefined);
  return {
    ONEFOLD_SECRET: general.join(","),
    // Nothing reads this variable: a change of it starts instances anew, which then read the current secrets.
    ...(versions.length === 0 ? {} : { ONEFOLD_SECRET_VERSION: versions.join(",") }),
    ...(own.length === 0 ? {} : { ONEFOLD_SECRETS: own.join(",") }),
    ...Object.fromEntries(own.map((name) => [variableOf("ONEFOLD_SECRET_", name), names.secretNamed(name)])),
  };
}

/** `ONEFOLD_SECRET_IDENTITY_PROVIDERS` for `identity-providers`. */
function variableOf(before: string, name: string): string {
  return before + name.toUpperCase().replaceAll("-", "_");
}

/** Secrets Manager adds a hyphen and six characters to the name, which are not known before it is created. */
function secretArn(scope: Construct, name: string): string {
  return Stack.of(scope).formatArn({
    service: "secretsmanager",
    resource: "secret",
    resourceName: `${name}-??????`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}

/** The right to send from one address and no other. Amazon SES knows either the address itself or its whole domain. */
function mailStatement(scope: Construct, mailFrom: string): PolicyStatement {
  const from = mailAddress(mailFrom) ?? mailFrom;
  const identity = (resourceName: string): string => Stack.of(scope).formatArn({ service: "ses", resource: "identity", resourceName });
  return new PolicyStatement({
    actions: ["ses:SendEmail"],
    resources: [from, from.slice(from.indexOf("@") + 1)].map(identity),
    conditions: { StringEquals: { "ses:FromAddress": from } },
  });
}
