//! Who may call each function and what it may do, in words: the list that is reviewed, as a difference, when a procedure's
//! signature or a role changes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::Path,
};

use protocol::contract::{AuthContract, Contract, GrantContract, ProcedureContract};
use runtime::Definition;

use crate::{File, HEADER};

pub fn render(contract: &Contract, definition: &Definition, bindings: &str) -> File {
    let mut text = format!(
        "<!-- {HEADER} -->\n\n# Who may call each function, and what it may do\n\nThe callers are those whom the procedure and \
         the roles admit. The rights are those of the function's own role, as the parameters of its procedure ask for \
         them. A change of a signature or of a role is a change of this list, to be reviewed as one. What every function \
         may do, such as write its log, is in the templates (`infra/`).\n"
    );
    for procedure in &contract.procedures {
        let _ = write!(text, "\n## `{}`\n\n", procedure.function);
        for line in std::iter::once(callers(&procedure.auth, definition)).chain(rights(procedure)) {
            let _ = writeln!(text, "- {line}");
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

/// `Called by: administrator, clerk (own items)`.
fn callers(auth: &AuthContract, definition: &Definition) -> String {
    let callers = match auth {
        AuthContract::Public => vec!["everyone".to_owned()],
        AuthContract::SignedIn => vec!["signed-in callers".to_owned()],
        AuthContract::Permission { permission, own } => {
            let own_items = format!("{permission}:own");
            let admits = |role: &&str| match (definition.permits)(role, permission) {
                true => Some((*role).to_owned()),
                false => (*own && (definition.permits)(role, &own_items)).then(|| format!("{role} (own items)")),
            };
            definition.roles.iter().filter_map(admits).collect()
        }
    };
    format!("Called by: {}", callers.join(", "))
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
    fn callers_are_those_whom_procedure_and_roles_admit() {
        let definition = Definition {
            roles: &["owner", "clerk", "visitor"],
            permits: |role, permission| match role {
                "owner" => true,
                "clerk" => permission == "orders:write:own",
                _ => false,
            },
            ..Definition::named("shop")
        };
        let asks = |own| AuthContract::Permission { permission: "orders:write".to_owned(), own };
        assert_eq!(callers(&asks(true), &definition), "Called by: owner, clerk (own items)");
        assert_eq!(callers(&asks(false), &definition), "Called by: owner");
        assert_eq!(callers(&AuthContract::SignedIn, &definition), "Called by: signed-in callers");
    }

    #[test]
    fn several_grants_to_the_same_items_are_one_line() {
        let read = grant(Access::Read, &["dynamodb:GetItem", "dynamodb:Query"], &["gsi1", "gsi2"]);
        let create = grant(Access::Create, &["dynamodb:PutItem"], &[]);
        assert_eq!(of_items("order#*", &[&read, &create]), "`order#*`: GetItem, PutItem; Query on gsi1, gsi2");
        assert_eq!(of_items("order#*", &[&create]), "`order#*`: PutItem");
    }
}
