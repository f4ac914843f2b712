/** One procedure: its function, role, log group, and the route to it. */
import { Duration, RemovalPolicy, Stack } from "aws-cdk-lib";
import { CfnIntegration, CfnRoute } from "aws-cdk-lib/aws-apigatewayv2";
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Architecture, CfnPermission, Code, Function, Runtime, Tracing } from "aws-cdk-lib/aws-lambda";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import { assetOf } from "./bootstraps.js";
import type { Procedure } from "./contract.js";
import { type EnvironmentSources, functionEnvironment } from "./environment.js";
import { dataStatements, type TableArns } from "./grants.js";
import { logGroupArn } from "./names.js";
import { pathOf, routeAuthorization, type ApiHandle } from "./routes.js";

/** The longest that an HTTP API waits for a function. */
const MAX_INTEGRATION_MS = 30_000;

/** What all procedures of a service share. */
export interface ProcedureSurroundings extends EnvironmentSources {
  readonly tableArns: TableArns;
  /** A folder with `<binary>/bootstrap` for each procedure. */
  readonly binaries: string;
  /** By name: see `routes.ts`. */
  readonly routeKeys: ReadonlyMap<string, string>;
}

/** Six resources; `layout.ts` counts on it. */
export class ProcedureFunction extends Construct {
  constructor(scope: Construct, procedure: Procedure, api: ApiHandle, shared: ProcedureSurroundings) {
    super(scope, procedure.name);
    const { names, config } = shared;
    const logGroup = new LogGroup(this, "Logs", {
      logGroupName: names.logGroup(procedure.name),
      retention: config.logRetentionDays,
      // Kept ones would stand in the way when the procedure comes back.
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const environment = functionEnvironment(this, procedure, shared);
    const statements = [
      ...dataStatements(procedure, shared.tableArns),
      ...environment.statements,
      ...runtimeStatements(this, names.logGroup(procedure.name), config.tracing),
    ];
    const role = new Role(this, "Role", {
      assumedBy: new ServicePrincipal("lambda.amazonaws.com"),
      description: `What the procedure ${procedure.name} may do`,
      inlinePolicies: { Grants: new PolicyDocument({ statements }) },
    });
    const handler = new Function(this, "Function", {
      functionName: names.function(procedure),
      description: `Procedure ${procedure.name}`,
      runtime: Runtime.PROVIDED_AL2023,
      architecture: config.architecture === "arm64" ? Architecture.ARM_64 : Architecture.X86_64,
      handler: "bootstrap",
      code: Code.fromAsset(assetOf(shared.binaries, procedure)),
      memorySize: procedure.memoryMb,
      timeout: lambdaTimeout(procedure),
      environment: environment.variables,
      // Nothing adds a right behind the contract's back.
      role: role.withoutPolicyUpdates(),
      logGroup,
      tracing: config.tracing ? Tracing.ACTIVE : Tracing.DISABLED,
      ...(procedure.reservedConcurrency === undefined
        ? {}
        : { reservedConcurrentExecutions: procedure.reservedConcurrency }),
    });
    this.#route(procedure, handler.functionArn, api, shared.routeKeys);
  }

  #route(procedure: Procedure, functionArn: string, api: ApiHandle, keys: ReadonlyMap<string, string>): void {
    const routeKey = keys.get(procedure.name);
    if (routeKey === undefined) {
      throw new RangeError(`${procedure.name} has no route`);
    }
    const integration = new CfnIntegration(this, "Integration", {
      apiId: api.apiId,
      integrationType: "AWS_PROXY",
      integrationUri: functionArn,
      payloadFormatVersion: "2.0",
      timeoutInMillis: Math.min(lambdaTimeout(procedure).toMilliseconds(), MAX_INTEGRATION_MS),
    });
    new CfnRoute(this, "Route", {
      apiId: api.apiId,
      routeKey,
      target: `integrations/${integration.ref}`,
      ...routeAuthorization(api),
    });
    new CfnPermission(this, "Permission", {
      action: "lambda:InvokeFunction",
      functionName: functionArn,
      principal: "apigateway.amazonaws.com",
      sourceArn: Stack.of(this).formatArn({
        service: "execute-api",
        resource: api.apiId,
        // A part that stands for any is asked for by its name or by what stands for it this time.
        resourceName: `*/*${pathOf(procedure).replaceAll(/\{\w+\}/g, "*")}`,
      }),
    });
  }
}

/** A second more than the procedure's own limit: the function then answers that it was too slow. */
function lambdaTimeout(procedure: Procedure): Duration {
  return Duration.seconds(Math.ceil(procedure.timeoutMs / 1000) + 1);
}

/** Rights to write the own log, and traces. X-Ray has no resources to name. */
export function runtimeStatements(scope: Construct, logGroupName: string, tracing: boolean): PolicyStatement[] {
  const logs = new PolicyStatement({
    actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
    resources: [logGroupArn(scope, logGroupName)],
  });
  const traces = new PolicyStatement({
    actions: ["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
    resources: ["*"],
  });
  return tracing ? [logs, traces] : [logs];
}
