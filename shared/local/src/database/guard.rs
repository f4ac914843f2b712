//! The database's access control: the part that IAM plays in the cloud.
//!
//! The rules are those of a policy with `dynamodb:LeadingKeys` under `ForAllValues:StringLike "<prefix>#*"`: a rule
//! must allow the action on every partition key that a request names, on the table or on the queried index. The guard
//! refuses what it cannot read.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use super::record::Record;
use super::request::{self, Access, AccessError};
use crate::loopback::access_key_id;

/// The rights of a principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Policy {
    /// Everything, tables and scans included.
    Administrator,
    /// What the rules of one procedure cover, and nothing else.
    Procedure {
        /// The procedure's name, for messages: `orders.get`.
        name: String,
        /// Its grants.
        rules: Vec<Rule>,
    },
}

/// One grant: these actions on the items whose partition key has this prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The permitted actions on the table, by IAM's names: `dynamodb:GetItem`. A transaction needs the action of each
    /// of its elements.
    pub table_actions: Vec<String>,
    /// The permitted actions on the indexes.
    pub index_actions: Vec<String>,
    /// The names of these indexes.
    pub indexes: Vec<String>,
    /// A partition key is covered if and only if it starts with this and a `#`. For a query on an
    /// index, the partition key is the index's.
    pub leading_keys: String,
}

impl Rule {
    fn allows(&self, action: &str, index: Option<&String>) -> bool {
        let actions = match index {
            None => &self.table_actions,
            Some(index) if self.indexes.contains(index) => &self.index_actions,
            Some(_) => return false,
        };
        actions.iter().any(|allowed| allowed == action)
    }

    fn covers(&self, partition_key: &str) -> bool {
        partition_key.strip_prefix(self.leading_keys.as_str()).is_some_and(|rest| rest.starts_with('#'))
    }
}

/// Why a request is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No principal has this access key id, or there was none.
    UnknownPrincipal,
    /// The body is no JSON object of the operation's shape.
    Malformed,
    /// The policy does not cover it.
    Denied(Denial),
}

/// A request that a policy does not cover.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Denial {
    pub(super) principal: String,
    /// `dynamodb:PutItem`
    pub(super) action: String,
    /// `post#…`: the key up to its first `#`, because what follows may be an e-mail address.
    pub(super) key: Option<String>,
    /// What is missing, for the caller: the second half of a sentence.
    pub(super) because: String,
    /// What would help, for the log: the second half of a sentence.
    pub(super) remedy: String,
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.key.as_deref().unwrap_or("*");
        write!(
            f,
            "User: {} is not authorized to perform: {} on resource: table/*/{key} because {}",
            self.principal, self.action, self.because
        )
    }
}

/// The principals and their policies.
#[derive(Debug, Default)]
pub(super) struct Guard {
    policies: RwLock<HashMap<String, Arc<Policy>>>,
    record: OnceLock<Record>,
}

impl Guard {
    pub(super) fn admit(&self, access_key_id: String, policy: Policy) {
        // A panic elsewhere cannot leave the map half written: each change is one insertion.
        let mut policies = self.policies.write().unwrap_or_else(PoisonError::into_inner);
        policies.insert(access_key_id, Arc::new(policy));
    }

    /// Records from now on what procedures ask for, allowed or not.
    pub(super) fn record(&self, record: Record) -> io::Result<()> {
        self.record.set(record).map_err(|_| io::Error::from(io::ErrorKind::AlreadyExists))
    }

    /// Decides on one request from its `Authorization` header, its operation and its body.
    pub(super) fn decide(&self, authorization: Option<&str>, operation: &str, body: &[u8]) -> Result<(), Refusal> {
        let policy = authorization
            .and_then(access_key_id)
            .and_then(|id| self.policies.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned())
            .ok_or(Refusal::UnknownPrincipal)?;
        match policy.as_ref() {
            Policy::Administrator => request::check_json(body).map_err(|_| Refusal::Malformed),
            Policy::Procedure { name, rules } => decide_procedure(name, rules, operation, body, self.record.get()),
        }
    }
}

fn decide_procedure(
    name: &str,
    rules: &[Rule],
    operation: &str,
    body: &[u8],
    record: Option<&Record>,
) -> Result<(), Refusal> {
    let denied = |action: String, because: String, remedy: String| {
        Refusal::Denied(Denial { principal: name.to_owned(), action, key: None, because, remedy })
    };
    let accesses = request::accesses(operation, body).map_err(|access_error| match access_error {
        AccessError::Malformed => Refusal::Malformed,
        AccessError::Administrative => denied(
            format!("dynamodb:{operation}"),
            "no procedure may do that".to_owned(),
            "no parameter grants it: read by key or query an index instead".to_owned(),
        ),
        AccessError::Shape(reason) => denied(
            format!("dynamodb:{operation}"),
            format!("the guard could not tell which partition keys it touches: {reason}"),
            "no parameter helps: the request has to name its partition keys plainly".to_owned(),
        ),
    })?;
    if let Some(record) = record {
        record.add(name, &accesses);
    }
    for access in &accesses {
        let granted = rules
            .iter()
            .any(|rule| rule.allows(access.action, access.index.as_ref()) && rule.covers(&access.partition_key));
        if !granted {
            return Err(Refusal::Denied(denial(name, access)));
        }
    }
    Ok(())
}

fn denial(name: &str, access: &Access) -> Denial {
    let prefix = access.prefix();
    let place = match &access.index {
        None if access.action == "dynamodb:Query" => " in the table itself".to_owned(),
        None => String::new(),
        Some(index) => format!(" in the index `{index}`"),
    };
    let doing = if is_read(access.action) { "reading" } else { "writing" };
    let capability = match access.action {
        "dynamodb:PutItem" => "`Create<…>` or `Update<…>`",
        "dynamodb:DeleteItem" => "`Delete<…>`",
        action if is_read(action) => "`Read<…>`",
        _ => "`Write<…>`",
    };
    let remedy = match &access.index {
        None if access.action == "dynamodb:Query" => "no parameter grants it: lists are read from an index".to_owned(),
        None => format!("a parameter {capability} with the entity of prefix `{prefix}` would grant it"),
        Some(_) => format!("a parameter `Read<…>` with the entity of prefix `{prefix}` grants the indexes it states"),
    };
    Denial {
        principal: name.to_owned(),
        action: access.action.to_owned(),
        key: Some(format!("{prefix}#…")),
        because: format!("no capability of {name} names `{prefix}` for {doing}{place}"),
        remedy,
    }
}

fn is_read(action: &str) -> bool {
    matches!(action, "dynamodb:GetItem" | "dynamodb:BatchGetItem" | "dynamodb:Query" | "dynamodb:ConditionCheckItem")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule() -> Rule {
        Rule {
            table_actions: vec!["dynamodb:GetItem".to_owned()],
            index_actions: vec!["dynamodb:Query".to_owned()],
            indexes: vec!["gsi1".to_owned()],
            leading_keys: "user".to_owned(),
        }
    }

    #[test]
    fn an_action_is_allowed_where_the_rule_says_and_nowhere_else() {
        let allows = |action: &str, index: Option<&str>| rule().allows(action, index.map(str::to_owned).as_ref());
        assert!(allows("dynamodb:GetItem", None));
        assert!(!allows("dynamodb:PutItem", None));
        assert!(!allows("dynamodb:Query", None));
        assert!(allows("dynamodb:Query", Some("gsi1")));
        assert!(!allows("dynamodb:Query", Some("gsi2")));
        assert!(!allows("dynamodb:GetItem", Some("gsi1")));
    }

    #[test]
    fn a_prefix_covers_its_own_keys_and_not_those_of_a_longer_name() {
        let rule = rule();
        assert!(rule.covers("user#1"));
        assert!(!rule.covers("user"));
        assert!(!rule.covers("users#1"));
        assert!(!rule.covers("username#1"));
        assert!(!rule.covers("post#user#1"));
    }
}
