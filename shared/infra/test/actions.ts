/**
 * Every action of DynamoDB, on data and on tables: Service Authorization Reference, "Actions, resources,
 * and condition keys for Amazon DynamoDB". An action that is missing here and granted fails the tests.
 */
export const DYNAMODB_ACTIONS: readonly string[] = [
  "AssociateTableReplica", "BatchGetItem", "BatchWriteItem", "ConditionCheckItem", "CreateBackup", "CreateGlobalTable",
  "CreateGlobalTableWitness", "CreateTable", "CreateTableReplica", "DeleteBackup", "DeleteGlobalTableWitness", "DeleteItem",
  "DeleteResourcePolicy", "DeleteTable", "DeleteTableReplica", "DescribeBackup", "DescribeContinuousBackups",
  "DescribeContributorInsights", "DescribeEndpoints", "DescribeExport", "DescribeGlobalTable", "DescribeGlobalTableSettings",
  "DescribeImport", "DescribeKinesisStreamingDestination", "DescribeLimits", "DescribeReservedCapacity",
  "DescribeReservedCapacityOfferings", "DescribeStream", "DescribeTable", "DescribeTableReplicaAutoScaling", "DescribeTimeToLive",
  "DisableKinesisStreamingDestination", "EnableKinesisStreamingDestination", "ExportTableToPointInTime", "GetAbacStatus", "GetItem",
  "GetRecords", "GetResourcePolicy", "GetShardIterator", "ImportTable", "InjectError", "ListBackups", "ListContributorInsights",
  "ListExports", "ListGlobalTables", "ListImports", "ListStreams", "ListTables", "ListTagsOfResource", "PartiQLDelete",
  "PartiQLInsert", "PartiQLSelect", "PartiQLUpdate", "PurchaseReservedCapacityOfferings", "PutItem", "PutResourcePolicy", "Query",
  "ReadDataForReplication", "ReplicateSettings", "RestoreTableFromAwsBackup", "RestoreTableFromBackup", "RestoreTableToPointInTime",
  "Scan", "StartAwsBackupJob", "TagResource", "UntagResource", "UpdateAbacStatus", "UpdateContinuousBackups",
  "UpdateContributorInsights", "UpdateGlobalTable", "UpdateGlobalTableSettings", "UpdateGlobalTableVersion", "UpdateItem",
  "UpdateKinesisStreamingDestination", "UpdateTable", "UpdateTableReplicaAutoScaling", "UpdateTimeToLive",
  "WriteDataForReplication",
].map((name) => `dynamodb:${name}`);
