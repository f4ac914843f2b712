//! What a procedure needs from outside, and may do to what is stored.

use std::any::TypeId;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{
    Entity,
    entity::{INDEX_NAMES, expect_sound},
};

/// The right to one entity, as one capability in a procedure's signature gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Grant {
    /// The entity's name, such as `User`.
    pub entity: &'static str,
    /// What the entity's partition keys begin with, before a `#`.
    pub prefix: &'static str,
    /// The type that is kept under it: no other one may be.
    pub kept: TypeId,
    /// Which right.
    pub access: Access,
    /// The procedure that fetches many of the entity by id.
    pub loader: Option<&'static str>,
    /// The table's indexes that the right reaches: those in which the entity stands.
    pub indexes: &'static [&'static str],
}

impl Grant {
    /// The right to an entity.
    ///
    /// # Panics
    /// When the entity's prefix or indexes cannot be, such as more indexes than the table has; in a constant, this does
    /// not compile.
    #[must_use]
    pub const fn of<T: Entity>(access: Access) -> Self {
        expect_sound::<T>();
        let (own, _) = INDEX_NAMES.split_at(T::INDEXES.len());
        let indexes = if access.index_actions().is_empty() { &[] } else { own };
        Self { entity: T::NAME, prefix: T::PREFIX, kept: TypeId::of::<T>(), access, loader: T::LOADER, indexes }
    }
}

/// What a procedure needs from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Rights to what is stored.
    pub grants: Vec<Grant>,
    /// Secrets, by name.
    pub secrets: Vec<&'static str>,
    /// What is called outside the service, in words.
    pub outbound: Vec<&'static str>,
    /// Whether mail is sent.
    pub mail: bool,
}

/// What may be done to an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Access {
    /// Fetch and list: what `Read<T>` can do.
    Read,
    /// Fetch one by id, create, replace, delete: what `Write<T>` can do.
    Write,
    /// Fetch one by id: what knowing a caller by a session takes.
    Get,
    /// Create, and never change: what `Append<T>` can do.
    Append,
    /// Count up: what `Limits` can do.
    Count,
}

impl Access {
    /// The IAM actions on the table. With [`Access::index_actions`], this is the only list of what the
    /// right consists of: the template, the local guard and the contract take it from here. It is what
    /// the store sends, and nothing else.
    pub const fn table_actions(self) -> &'static [&'static str] {
        match self {
            Self::Read => &["dynamodb:BatchGetItem", "dynamodb:GetItem"],
            Self::Write => &["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"],
            Self::Get => &["dynamodb:GetItem"],
            Self::Append => &["dynamodb:PutItem"],
            Self::Count => &["dynamodb:UpdateItem"],
        }
    }

    /// Whether it changes nothing.
    pub const fn reads_only(self) -> bool {
        matches!(self, Self::Read | Self::Get)
    }

    /// The IAM actions on indexes. Lists are read from indexes, never from the table.
    pub const fn index_actions(self) -> &'static [&'static str] {
        match self {
            Self::Read => &["dynamodb:Query"],
            Self::Write | Self::Get | Self::Append | Self::Count => &[],
        }
    }
}
