/** Alarms, a budget and a dashboard. */
import { Duration, Stack, type StackProps } from "aws-cdk-lib";
import { CfnBudget } from "aws-cdk-lib/aws-budgets";
import {
  Alarm,
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  MathExpression,
  Metric,
  TreatMissingData,
  type IMetric,
} from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import type { Table } from "aws-cdk-lib/aws-dynamodb";
import { Topic } from "aws-cdk-lib/aws-sns";
import { EmailSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import type { Construct } from "constructs";
import type { HttpFront } from "./http-front.js";
import type { Names } from "./names.js";
import type { StageConfig } from "./stage.js";

const PERIOD = Duration.minutes(5);
/** The percentage of the budget at which it warns; it also warns when the forecast exceeds it. */
const BUDGET_WARNING_PERCENT = 80;

export interface OperationsStackProps extends StackProps {
  readonly names: Names;
  readonly config: StageConfig;
  readonly table: Table;
  /** The names of its indexes. */
  readonly indexes: readonly string[];
  readonly fronts: readonly HttpFront[];
}

/**
 * Alarms are few, and each sums up many functions: an alarm costs the same for any number of them.
 *
 * Lambda's errors and throttles are those of the account in this region, since no metric sums up the
 * functions of one service; an account for each stage makes that exact.
 */
export class OperationsStack extends Stack {
  constructor(scope: Construct, id: string, props: OperationsStackProps) {
    super(scope, id, props);
    const { names, config, table, indexes, fronts } = props;
    const topic = new Topic(this, "Alarms", { displayName: `${names.prefix} alarms`, enforceSSL: true });
    if (config.alarmEmail !== undefined) {
      topic.addSubscription(new EmailSubscription(config.alarmEmail));
    }
    const watched: Record<string, IMetric> = {
      "function-errors": lambda("Errors"),
      "function-throttles": lambda("Throttles"),
      "api-5xx": sum("5xx of all APIs", fronts.map((front) => api(front, "5xx"))),
      "table-read-throttles": sum("Reads throttled, of the table and its indexes", throttles(table, indexes, "Read")),
      "table-write-throttles": sum("Writes throttled, of the table and its indexes", throttles(table, indexes, "Write")),
    };
    for (const [name, metric] of Object.entries(watched)) {
      new Alarm(this, name, {
        alarmName: `${names.prefix}-${name}`,
        metric,
        threshold: 1,
        evaluationPeriods: 1,
        comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treatMissingData: TreatMissingData.NOT_BREACHING,
      }).addAlarmAction(new SnsAction(topic));
    }
    this.#dashboard(names, table, indexes, fronts);
    this.#budget(names, config);
  }

  #dashboard(names: Names, table: Table, indexes: readonly string[], fronts: readonly HttpFront[]): void {
    const functions = (title: string, metric: string, statistic: string): GraphWidget =>
      new GraphWidget({ title, width: 12, left: [search(names, metric, statistic)] });
    new Dashboard(this, "Dashboard", {
      dashboardName: names.prefix,
      widgets: [
        [
          new GraphWidget({ title: "Requests", width: 12, left: fronts.map((front) => api(front, "Count")) }),
          new GraphWidget({
            title: "Refused and failed",
            width: 12,
            left: fronts.flatMap((front) => [api(front, "4xx"), api(front, "5xx")]),
          }),
        ],
        [functions("Errors by procedure", "Errors", "Sum"), functions("Throttles by procedure", "Throttles", "Sum")],
        [functions("Duration by procedure, p99", "Duration", "p99"), functions("Running at once", "ConcurrentExecutions", "Maximum")],
        [
          new GraphWidget({
            title: "Table: consumed capacity",
            width: 12,
            left: [dynamodb(table, "ConsumedReadCapacityUnits"), dynamodb(table, "ConsumedWriteCapacityUnits")],
          }),
          new GraphWidget({
            title: "Table and indexes: throttled",
            width: 12,
            left: [...throttles(table, indexes, "Read"), ...throttles(table, indexes, "Write")],
          }),
        ],
      ],
    });
  }

  #budget(names: Names, config: StageConfig): void {
    const { monthlyBudgetUsd, alarmEmail } = config;
    if (monthlyBudgetUsd === undefined || alarmEmail === undefined) {
      return;
    }
    const tell = (notificationType: string, threshold: number): CfnBudget.NotificationWithSubscribersProperty => ({
      notification: { comparisonOperator: "GREATER_THAN", notificationType, threshold, thresholdType: "PERCENTAGE" },
      subscribers: [{ subscriptionType: "EMAIL", address: alarmEmail }],
    });
    new CfnBudget(this, "Budget", {
      budget: {
        budgetName: names.prefix,
        budgetType: "COST",
        timeUnit: "MONTHLY",
        budgetLimit: { amount: monthlyBudgetUsd, unit: "USD" },
      },
      notificationsWithSubscribers: [tell("ACTUAL", BUDGET_WARNING_PERCENT), tell("FORECASTED", 100)],
    });
  }
}

function lambda(metricName: string): Metric {
  return new Metric({ namespace: "AWS/Lambda", metricName, statistic: "Sum", period: PERIOD });
}

function api(front: HttpFront, metricName: string): Metric {
  const dimensionsMap = { ApiId: front.handle.apiId };
  return new Metric({ namespace: "AWS/ApiGateway", metricName, dimensionsMap, statistic: "Sum", period: PERIOD });
}

function dynamodb(table: Table, metricName: string, index?: string): Metric {
  const dimensionsMap = { TableName: table.tableName, ...(index === undefined ? {} : { GlobalSecondaryIndexName: index }) };
  return new Metric({ namespace: "AWS/DynamoDB", metricName, dimensionsMap, statistic: "Sum", period: PERIOD });
}

/** The throttle metrics of a table: the table's own leaves out its indexes, from which lists are read. */
function throttles(table: Table, indexes: readonly string[], what: "Read" | "Write"): Metric[] {
  return [undefined, ...indexes].map((index) => dynamodb(table, `${what}ThrottleEvents`, index));
}

/** A search, which finds later functions as well; alarms cannot search, dashboards can. */
function search(names: Names, metric: string, statistic: string): MathExpression {
  const expression = `SEARCH('{AWS/Lambda,FunctionName} MetricName="${metric}" "${names.prefix}-"', '${statistic}')`;
  return new MathExpression({ expression, usingMetrics: {}, label: "", period: PERIOD });
}

/** A sum in which missing data counts as zero: a metric without data would make the sum vanish. */
function sum(label: string, metrics: readonly Metric[]): IMetric {
  const [first, ...others] = metrics;
  if (first !== undefined && others.length === 0) {
    return first;
  }
  const usingMetrics = Object.fromEntries(metrics.map((metric, at) => [`m${at}`, metric]));
  const expression = Object.keys(usingMetrics).map((name) => `FILL(${name}, 0)`).join(" + ");
  return new MathExpression({ expression, usingMetrics, label, period: PERIOD });
}
