/** One HTTP API: its stage, access log, throttling, and the answer to unknown routes. */
import { RemovalPolicy, Stack } from "aws-cdk-lib";
import { CfnApi, CfnAuthorizer, CfnIntegration, CfnRoute, CfnStage } from "aws-cdk-lib/aws-apigatewayv2";
import { CfnPermission, type IFunction } from "aws-cdk-lib/aws-lambda";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import { FRONT_HEADER, type FrontCheck } from "./front-check.js";
import { logGroupArn, type Names } from "./names.js";
import { routeAuthorization, type ApiHandle } from "./routes.js";
import type { StageConfig } from "./stage.js";

/** How long, in seconds, API Gateway caches the authorizer's answer for one header value: the longest there is. */
const AUTHORIZER_CACHE_S = 3600;

/**
 * The fields of the access log. A query's input is in its address, so the log has neither the address nor a header; the
 * route names the procedure.
 */
const ACCESS_LOG = JSON.stringify({
  requestId: "$context.requestId",
  // Lambda's id of the call, which the caller gets as `x-request-id`.
  functionRequestId: "$context.integration.requestId",
  time: "$context.requestTimeEpoch",
  route: "$context.routeKey",
  method: "$context.httpMethod",
  status: "$context.status",
  responseBytes: "$context.responseLength",
  responseMs: "$context.responseLatency",
  functionMs: "$context.integration.latency",
  functionStatus: "$context.integration.status",
  error: "$context.error.responseType",
  integrationError: "$context.integration.error",
  authorizerError: "$context.authorizer.error",
});

export interface HttpFrontProps {
  readonly names: Names;
  readonly config: StageConfig;
  readonly frontCheck: FrontCheck | undefined;
  readonly unknownRoute: IFunction;
}

export class HttpFront extends Construct {
  readonly handle: ApiHandle;
  readonly #apiId: string;
  /** The host name of the API at AWS. */
  readonly host: string;

  constructor(scope: Construct, at: number, props: HttpFrontProps) {
    super(scope, `Api${at}`);
    const { names, config } = props;
    const api = new CfnApi(this, "Api", { name: `${names.prefix}-${at}`, protocolType: "HTTP" });
    this.#apiId = api.ref;
    this.host = `${api.ref}.execute-api.${Stack.of(this).region}.${Stack.of(this).urlSuffix}`;
    // Log groups with this prefix need no statement each in the account's one policy for log delivery.
    const logGroupName = `/aws/vendedlogs${names.logGroup(`access-${at}`)}`;
    const logGroup = new LogGroup(this, "AccessLog", {
      logGroupName,
      retention: config.logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const stage = new CfnStage(this, "Stage", {
      apiId: api.ref,
      stageName: "$default",
      autoDeploy: true,
      accessLogSettings: { destinationArn: logGroupArn(this, logGroupName), format: ACCESS_LOG },
      defaultRouteSettings: {
        throttlingRateLimit: config.throttle.ratePerSecond,
        throttlingBurstLimit: config.throttle.burst,
      },
    });
    stage.node.addDependency(logGroup);
    this.handle = { apiId: api.ref, authorizerId: this.#authorizer(props.frontCheck) };
    this.#unknownRoutes(props.unknownRoute);
  }

  #authorizer(frontCheck: FrontCheck | undefined): string | undefined {
    if (frontCheck === undefined) {
      return undefined;
    }
    this.#permit("AuthorizerPermission", frontCheck.function, "authorizers/*");
    return new CfnAuthorizer(this, "Authorizer", {
      apiId: this.#apiId,
      name: "from-front",
      authorizerType: "REQUEST",
      authorizerPayloadFormatVersion: "2.0",
      enableSimpleResponses: true,
      authorizerUri: frontCheck.invocationUri,
      // A request without the header is refused before any function runs.
      identitySource: [`$request.header.${FRONT_HEADER}`],
      authorizerResultTtlInSeconds: AUTHORIZER_CACHE_S,
    }).ref;
  }

  #unknownRoutes(handler: IFunction): void {
    const integration = new CfnIntegration(this, "UnknownIntegration", {
      apiId: this.#apiId,
      integrationType: "AWS_PROXY",
      integrationUri: handler.functionArn,
      payloadFormatVersion: "2.0",
    });
    new CfnRoute(this, "UnknownRoute", {
      apiId: this.#apiId,
      routeKey: "$default",
      target: `integrations/${integration.ref}`,
      ...routeAuthorization(this.handle),
    });
    this.#permit("UnknownPermission", handler, "*/$default");
  }

  #permit(id: string, handler: IFunction, what: string): void {
    new CfnPermission(this, id, {
      action: "lambda:InvokeFunction",
      functionName: handler.functionArn,
      principal: "apigateway.amazonaws.com",
      sourceArn: Stack.of(this).formatArn({ service: "execute-api", resource: this.#apiId, resourceName: what }),
    });
  }
}
