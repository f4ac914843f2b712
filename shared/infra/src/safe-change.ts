/**
 * Finds changes that would harm stored data: a table deleted or replaced, or changed in a way that DynamoDB does not
 * support in one update: several of its indexes, or its stream from one view to another.
 */

/** The parts of a template that are compared. */
interface Template {
  readonly Resources?: Readonly<Record<string, { readonly Type?: string; readonly Properties?: TableProperties }>>;
}

interface TableProperties {
  readonly TableName?: unknown;
  readonly KeySchema?: unknown;
  readonly AttributeDefinitions?: readonly { readonly AttributeName: string; readonly AttributeType: string }[];
  readonly StreamSpecification?: { readonly StreamViewType?: string };
  readonly GlobalSecondaryIndexes?: readonly { readonly IndexName: string; readonly [member: string]: unknown }[];
}

const TABLE = "AWS::DynamoDB::Table";

/**
 * The reasons why the next template must not be deployed over the deployed one; empty when it may be.
 *
 * An index whose keys or projection change counts twice: it is deleted and created again.
 */
export function refusals(deployed: Template, next: Template): string[] {
  return Object.entries(deployed.Resources ?? {})
    .filter(([, resource]) => resource.Type === TABLE)
    .flatMap(([id, resource]) => {
      const now = next.Resources?.[id];
      return now?.Type === TABLE
        ? refusalsOfTable(id, resource.Properties ?? {}, now.Properties ?? {})
        : [`Table ${id} is not in the template any more: it would be deleted, with all that is stored.`];
    });
}

function refusalsOfTable(id: string, before: TableProperties, after: TableProperties): string[] {
  const refused: string[] = [];
  if (!same(before.TableName, after.TableName) || !same(keys(before), keys(after))) {
    refused.push(`Table ${id} would have another name or other keys: it would be replaced by an empty one.`);
  }
  const changes = indexChanges(before, after);
  if (changes.length > 1) {
    refused.push(
      `Table ${id} would have ${changes.length} changes of indexes (${changes.join(", ")}), and one is possible in a deployment: deploy them one by one.`,
    );
  }
  const [view, next] = [before, after].map((table) => table.StreamSpecification?.StreamViewType);
  if (view !== undefined && next !== undefined && view !== next) {
    refused.push(
      `Table ${id} would have a stream of ${next} instead of ${view}, and DynamoDB does not change one that is on: deploy once without a stream.`,
    );
  }
  return refused;
}

function keys(table: TableProperties): unknown {
  const schema = (table.KeySchema ?? []) as readonly { readonly AttributeName: string }[];
  const types = new Map(table.AttributeDefinitions?.map((attribute) => [attribute.AttributeName, attribute.AttributeType]));
  return schema.map((key) => [key, types.get(key.AttributeName)]);
}

function indexChanges(before: TableProperties, after: TableProperties): string[] {
  const old = new Map(before.GlobalSecondaryIndexes?.map((index) => [index.IndexName, index]));
  const young = new Map(after.GlobalSecondaryIndexes?.map((index) => [index.IndexName, index]));
  const gone = [...old.keys()].filter((name) => !young.has(name) || !same(old.get(name), young.get(name)));
  const made = [...young.keys()].filter((name) => !old.has(name) || !same(old.get(name), young.get(name)));
  return [...gone.map((name) => `delete ${name}`), ...made.map((name) => `create ${name}`)];
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
