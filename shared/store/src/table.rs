//! The table's definition: the local service creates the table from it, and the contract carries it to the template
//! for the cloud.

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    operation::create_table::builders::CreateTableFluentBuilder,
    types::{
        AttributeDefinition, BillingMode, CreateGlobalSecondaryIndexAction, GlobalSecondaryIndex,
        GlobalSecondaryIndexUpdate, KeySchemaElement, KeyType, Projection, ProjectionType, ScalarAttributeType,
        StreamSpecification, StreamViewType, TableDescription, TableStatus, TimeToLiveSpecification,
    },
};
use protocol::{Table, TableIndex, entity::INDEX_NAMES};
use tokio::time::{Duration, Instant, sleep};

use crate::{
    Store, StoreError,
    retry::{AttemptError, persist},
    sdk_error::classify,
};

/// The timeout for a new table to become usable.
const CREATION_TIMEOUT: Duration = Duration::from_secs(60);
/// The pause between two checks of whether it is usable.
const CREATION_POLL: Duration = Duration::from_millis(500);

/// The definition of the one table that every service has.
pub const TABLE: Table = Table {
    partition_key: "pk",
    sort_key: "sk",
    indexes: [
        TableIndex { name: INDEX_NAMES[0], partition_key: "gsi1pk", sort_key: "gsi1sk" },
        TableIndex { name: INDEX_NAMES[1], partition_key: "gsi2pk", sort_key: "gsi2sk" },
        TableIndex { name: INDEX_NAMES[2], partition_key: "gsi3pk", sort_key: "gsi3sk" },
        TableIndex { name: INDEX_NAMES[3], partition_key: "gsi4pk", sort_key: "gsi4sk" },
        TableIndex { name: INDEX_NAMES[4], partition_key: "gsi5pk", sort_key: "gsi5sk" },
    ],
    time_to_live: "ttl",
    stream_view: None,
};

impl Store {
    /// Makes the table usable: creates it when it is missing, adds indexes that an older definition lacks, waits
    /// until it is active, and enables expiry. For the local service and for tests; in the cloud the template creates
    /// the table.
    ///
    /// # Errors
    /// [`StoreError::Broken`] when the table cannot be created or changed; [`StoreError::Unavailable`] and
    /// [`StoreError::Denied`] as for every operation.
    #[inline(never)]
    pub async fn create_table_if_missing(&self) -> Result<(), StoreError> {
        let until = Instant::now() + CREATION_TIMEOUT;
        let mut created = false;
        loop {
            match self.describe_table().await? {
                Some(table) if table.table_status() == Some(&TableStatus::Active) => match missing(&table) {
                    Some(index) => self.add_index(index).await?,
                    None => break,
                },
                Some(_) => {}
                None if created => {}
                None => {
                    self.create_table().await?;
                    created = true;
                    continue;
                }
            }
            if Instant::now() >= until {
                return Err(StoreError::unavailable("the table did not become active in time"));
            }
            sleep(CREATION_POLL).await;
        }
        self.switch_expiry_on().await
    }

    async fn describe_table(&self) -> Result<Option<TableDescription>, StoreError> {
        let request = self.client.describe_table().table_name(&*self.table);
        persist(self, self.deadline(), |_| {
            let sent = Box::pin(request.clone().send());
            async move {
                match sent.await {
                    Ok(answer) => Ok(answer.table),
                    Err(error) if has_code(&error, "ResourceNotFoundException") => Ok(None),
                    Err(error) => Err(classify(error)),
                }
            }
        })
        .await
    }

    async fn create_table(&self) -> Result<(), StoreError> {
        let request = definition(self.client.create_table().table_name(&*self.table))?;
        persist(self, self.deadline(), |_| {
            let sent = Box::pin(request.clone().send());
            async move {
                match sent.await {
                    Ok(_) => Ok(()),
                    // Another process created it first, or the answer to our own attempt was lost.
                    Err(error) if has_code(&error, "ResourceInUseException") => Ok(()),
                    Err(error) => Err(classify(error)),
                }
            }
        })
        .await
    }

    /// An item appears in the new index once its entity is written again, which sets the index's attributes.
    async fn add_index(&self, index: &TableIndex) -> Result<(), StoreError> {
        let create = CreateGlobalSecondaryIndexAction::builder()
            .index_name(index.name)
            .set_key_schema(Some(key_schema(index.partition_key, index.sort_key)?))
            .projection(Projection::builder().projection_type(ProjectionType::All).build())
            .build()
            .map_err(StoreError::broken)?;
        let request = self
            .client
            .update_table()
            .table_name(&*self.table)
            .attribute_definitions(text_attribute(index.partition_key)?)
            .attribute_definitions(text_attribute(index.sort_key)?)
            .global_secondary_index_updates(GlobalSecondaryIndexUpdate::builder().create(create).build());
        persist(self, self.deadline(), |_| {
            let sent = Box::pin(request.clone().send());
            async move { sent.await.map(drop).map_err(classify) }
        })
        .await
    }

    async fn switch_expiry_on(&self) -> Result<(), StoreError> {
        let expiry = TimeToLiveSpecification::builder().attribute_name(TABLE.time_to_live).enabled(true).build();
        let expiry = expiry.map_err(StoreError::broken)?;
        let request = self.client.update_time_to_live().table_name(&*self.table).time_to_live_specification(expiry);
        persist(self, self.deadline(), |_| {
            let sent = Box::pin(request.clone().send());
            async move {
                match sent.await {
                    Ok(_) => Ok(()),
                    Err(error) if is_on_already(&error) => Ok(()),
                    Err(error) => Err::<(), AttemptError>(classify(error)),
                }
            }
        })
        .await
    }
}

fn has_code<E: ProvideErrorMetadata>(error: &SdkError<E>, code: &str) -> bool {
    error.as_service_error().and_then(|refusal| refusal.code()) == Some(code)
}

/// "TimeToLive is already enabled" has no code of its own.
fn is_on_already<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    let message = error.as_service_error().and_then(|refusal| refusal.message());
    has_code(error, "ValidationException") && message.is_some_and(|message| message.contains("already enabled"))
}

/// The first index that the table lacks, because an older definition created it.
fn missing(table: &TableDescription) -> Option<&'static TableIndex> {
    const INDEXES: &[TableIndex] = &TABLE.indexes;
    let present = |name: &str| table.global_secondary_indexes().iter().any(|index| index.index_name() == Some(name));
    INDEXES.iter().find(|index| !present(index.name))
}

fn definition(request: CreateTableFluentBuilder) -> Result<CreateTableFluentBuilder, StoreError> {
    let stream = TABLE.stream_view.map(|view| {
        StreamSpecification::builder().stream_enabled(true).stream_view_type(StreamViewType::from(view)).build()
    });
    let stream = stream.transpose().map_err(StoreError::broken)?;
    let mut request = request
        .billing_mode(BillingMode::PayPerRequest)
        .set_stream_specification(stream)
        .set_key_schema(Some(key_schema(TABLE.partition_key, TABLE.sort_key)?))
        .attribute_definitions(text_attribute(TABLE.partition_key)?)
        .attribute_definitions(text_attribute(TABLE.sort_key)?);
    for index in TABLE.indexes {
        let secondary = GlobalSecondaryIndex::builder()
            .index_name(index.name)
            .set_key_schema(Some(key_schema(index.partition_key, index.sort_key)?))
            .projection(Projection::builder().projection_type(ProjectionType::All).build())
            .build()
            .map_err(StoreError::broken)?;
        request = request
            .global_secondary_indexes(secondary)
            .attribute_definitions(text_attribute(index.partition_key)?)
            .attribute_definitions(text_attribute(index.sort_key)?);
    }
    Ok(request)
}

fn key_schema(partition_key: &str, sort_key: &str) -> Result<Vec<KeySchemaElement>, StoreError> {
    [(partition_key, KeyType::Hash), (sort_key, KeyType::Range)]
        .into_iter()
        .map(|(name, kind)| KeySchemaElement::builder().attribute_name(name).key_type(kind).build())
        .collect::<Result<_, _>>()
        .map_err(StoreError::broken)
}

fn text_attribute(name: &str) -> Result<AttributeDefinition, StoreError> {
    AttributeDefinition::builder()
        .attribute_name(name)
        .attribute_type(ScalarAttributeType::S)
        .build()
        .map_err(StoreError::broken)
}
