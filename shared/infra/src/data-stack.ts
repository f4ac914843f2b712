/** The stack that outlives deployments: the table. */
import { RemovalPolicy, Stack, type StackProps } from "aws-cdk-lib";
import {
  AttributeType,
  BillingMode,
  ProjectionType,
  StreamViewType,
  Table,
  TableEncryption,
  type Attribute,
} from "aws-cdk-lib/aws-dynamodb";
import type { Construct } from "constructs";
import type { TableContract } from "./contract.js";
import type { StageConfig } from "./stage.js";

const text = (name: string): Attribute => ({ name, type: AttributeType.STRING });

/**
 * The table, as the contract defines it.
 *
 * It has no name of its own: a table with one can never be replaced by CloudFormation, not even on
 * purpose. DynamoDB makes or removes one index in an update; `safe-change.ts` tells before a deployment
 * whether it would ask for more.
 */
export class DataStack extends Stack {
  readonly table: Table;
  /** By name. */
  readonly indexArns: ReadonlyMap<string, string>;

  constructor(scope: Construct, id: string, contract: TableContract, config: StageConfig, props: StackProps) {
    super(scope, id, { ...props, terminationProtection: config.protectData });
    this.table = new Table(this, "Table", {
      partitionKey: text(contract.partitionKey),
      sortKey: text(contract.sortKey),
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      // The key is managed by AWS: its use is in the account's audit trail, and no role needs a right to it.
      encryption: TableEncryption.AWS_MANAGED,
      ...(contract.streamView === undefined ? {} : { stream: StreamViewType[contract.streamView] }),
      timeToLiveAttribute: contract.timeToLive,
      deletionProtection: config.protectData,
      removalPolicy: config.protectData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    for (const index of contract.indexes) {
      this.table.addGlobalSecondaryIndex({
        indexName: index.name,
        partitionKey: text(index.partitionKey),
        sortKey: text(index.sortKey),
        projectionType: ProjectionType.ALL,
      });
    }
    this.indexArns = new Map(contract.indexes.map(({ name }) => [name, `${this.table.tableArn}/index/${name}`]));
  }
}
