//! What a procedure may do to what is stored.

use serde::{Deserialize, Serialize};

/// The right to one entity, as one capability in a procedure's signature gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Grant {
    /// The entity's name, such as `User`.
    pub entity: &'static str,
    /// What the entity's partition keys begin with, before a `#`.
    pub prefix: &'static str,
    /// Which right.
    pub access: Access,
}

/// What may be done to an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Access {
    /// Fetch and list: what `Read<T>` can do.
    Read,
    /// Fetch one by id, create, replace, delete: what `Write<T>` can do.
    Write,
}

impl Access {
    /// The IAM actions that the right consists of. This is the only list of them: the template, the
    /// local guard and the contract take it from here.
    pub const fn actions(self) -> &'static [&'static str] {
        match self {
            Self::Read => &["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"],
            Self::Write => &[
                "dynamodb:ConditionCheckItem",
                "dynamodb:DeleteItem",
                "dynamodb:GetItem",
                "dynamodb:PutItem",
                "dynamodb:UpdateItem",
            ],
        }
    }
}
