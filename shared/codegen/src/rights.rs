//! What each function may do, in words: the list that is reviewed, as a difference, when a procedure's signature changes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::Path,
};

use protocol::contract::{Contract, GrantContract, ProcedureContract};

use crate::{File, HEADER};

pub fn render(contract: &Contract, bindings: &str) -> File {
    let mut text = format!(
        "<!-- {HEADER} -->\n\n# What each function may do\n\nThe rights of each function's own role, as the parameters of its \
         procedure ask for them: a change of a signature is a change of this list, to be reviewed as one. What every function \
         may do, such as write its log, is in the templates (`infra/`).\n"
    );
    for procedure in &contract.procedures {
        let _ = write!(text, "\n## `{}`\n\n", procedure.function);
        let lines = rights(procedure);
        for line in &lines {
            let _ = writeln!(text, "- {line}");
        }
        if lines.is_empty() {
            text.push_str("Nothing more.\n");
        }
    }
    for gateway in contract.gateways.iter().filter(|gateway| gateway.calls) {
        let _ = write!(text, "\n## `gateway-{}`\n\n- Invokes", gateway.name);
        let invoked = gateway.invokes.iter().filter_map(|name| contract.procedure(name));
        let names: Vec<_> = invoked.map(|procedure| format!("`{}`", procedure.function)).collect();
        let _ = writeln!(text, ": {}", names.join(", "));
    }
    File { path: Path::new(bindings).join("rights.md"), text }
}

/// One line for each kind of item, then what else the function reaches.
fn rights(procedure: &ProcedureContract) -> Vec<String> {
    let mut items: BTreeMap<&str, Vec<&GrantContract>> = BTreeMap::new();
    for grant in &procedure.grants {
        items.entry(&grant.leading_keys).or_default().push(grant);
    }
    let mut lines: Vec<String> = items.into_iter().map(|(keys, grants)| of_items(keys, &grants)).collect();
    lines.extend(procedure.secrets.iter().map(|secret| format!("Reads the secret `{secret}`")));
    lines.extend(procedure.outbound.iter().map(|host| format!("Calls {host}")));
    lines.extend(procedure.mail.then(|| "Sends mail".to_owned()));
    lines
}

/// `` `order#*`: GetItem; Query on gsi1 ``.
fn of_items(keys: &str, grants: &[&GrantContract]) -> String {
    let all = |of: fn(&GrantContract) -> &Vec<String>| -> BTreeSet<&str> {
        grants.iter().flat_map(|grant| of(grant)).map(String::as_str).collect()
    };
    let actions = all(|grant| &grant.actions);
    let (queries, table): (Vec<_>, Vec<_>) = actions
        .into_iter()
        .map(|action| action.strip_prefix("dynamodb:").unwrap_or(action))
        .partition(|action| *action == "Query");
    let mut parts = Vec::new();
    if !table.is_empty() {
        parts.push(table.join(", "));
    }
    if !queries.is_empty() {
        let indexes: Vec<_> = all(|grant| &grant.indexes).into_iter().collect();
        parts.push(format!("Query on {}", indexes.join(", ")));
    }
    format!("`{keys}`: {}", parts.join("; "))
}

#[cfg(test)]
mod tests {
    use protocol::Access;

    use super::*;

    fn grant(access: Access, actions: &[&str], indexes: &[&str]) -> GrantContract {
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        GrantContract {
            entity: "Order".to_owned(),
            prefix: "order".to_owned(),
            access,
            actions: owned(actions),
            indexes: owned(indexes),
            leading_keys: "order#*".to_owned(),
        }
    }

    #[test]
    fn several_grants_to_the_same_items_are_one_line() {
        let read = grant(Access::Read, &["dynamodb:GetItem", "dynamodb:Query"], &["gsi1", "gsi2"]);
        let create = grant(Access::Create, &["dynamodb:PutItem"], &[]);
        assert_eq!(of_items("order#*", &[&read, &create]), "`order#*`: GetItem, PutItem; Query on gsi1, gsi2");
        assert_eq!(of_items("order#*", &[&create]), "`order#*`: PutItem");
    }
}
