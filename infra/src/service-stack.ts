/** The HTTP APIs and, in nested stacks, the procedures behind them. */
import { CfnOutput, Stack, type StackProps } from "aws-cdk-lib";
import type { Construct } from "constructs";
import { FrontCheck } from "./front-check.js";
import { HttpFront } from "./http-front.js";
import type { DataStack } from "./data-stack.js";
import { DomainStack } from "./domain-stack.js";
import type { Layout } from "./layout.js";
import type { Names } from "./names.js";
import { Problem } from "./problem.js";
import { SmallFunction } from "./small-function.js";
import type { StageConfig } from "./stage.js";

export interface ServiceStackProps extends StackProps {
  readonly names: Names;
  readonly config: StageConfig;
  readonly layout: Layout;
  readonly data: DataStack;
  readonly binaries: string;
  readonly secretVersion: string | undefined;
}

export class ServiceStack extends Stack {
  /** In the layout's order. */
  readonly fronts: readonly HttpFront[];
  /** None where callers use the HTTP API itself. */
  readonly frontCheck: FrontCheck | undefined;

  /** @throws Problem when callers would need several addresses. */
  constructor(scope: Construct, id: string, props: ServiceStackProps) {
    super(scope, id, props);
    const { names, config, layout, data } = props;
    if (layout.apis > 1 && config.edge === undefined) {
      throw new Problem(`${layout.apis} HTTP APIs are needed; give the stage an \`edge\`, so that callers have one address.`);
    }
    this.frontCheck = config.edge === undefined ? undefined : new FrontCheck(this, "FrontCheck", names, config);
    const unknownRoute = new SmallFunction(this, "UnknownRoute", {
      source: "unknown-route",
      names,
      config,
      environment: config.allowedOrigins.length > 0 ? { ONEFOLD_ALLOWED_ORIGINS: config.allowedOrigins.join(",") } : {},
      statements: [],
    });
    this.fronts = Array.from(
      { length: layout.apis },
      (_, at) => new HttpFront(this, at, { names, config, frontCheck: this.frontCheck, unknownRoute: unknownRoute.function }),
    );
    const shared = {
      names,
      config,
      tableName: data.table.tableName,
      tableArns: { table: data.table.tableArn, indexes: data.indexArns },
      binaries: props.binaries,
      secretVersion: props.secretVersion,
    };
    for (const shard of layout.shards) {
      new DomainStack(this, shard, this.front(layout.apiOf(shard.domain)).handle, shared);
    }
    if (config.edge === undefined) {
      new CfnOutput(this, "Url", { value: `https://${this.front(0).host}/trpc`, description: "What clients call" });
    }
  }

  front(at: number): HttpFront {
    const front = this.fronts[at];
    if (front === undefined) {
      throw new RangeError(`there is no HTTP API ${at}`);
    }
    return front;
  }
}
