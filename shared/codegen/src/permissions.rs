//! Renders the purposes of permissions: the summaries of the procedures that need them. The consent page of the
//! authorization server shows them.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use protocol::{
    Packages,
    contract::{AuthContract, Contract},
};
use runtime::Definition;

use crate::{File, HEADER};

pub fn render(contract: &Contract, packages: &Packages) -> File {
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for procedure in &contract.procedures {
        let AuthContract::Permission { permission, own } = &procedure.auth else { continue };
        let sentence = first_sentence(&procedure.docs);
        if *own {
            texts.entry(format!("{permission}:own")).or_default().push(sentence.clone());
        }
        texts.entry(permission.clone()).or_default().push(sentence);
    }
    let mut text = format!(
        "//! {HEADER}\n//!\n//! What each permission is for, in the words of the procedures that need it.\n\n\
         /// By permission. With `:own` behind it, it is limited to the own items of whoever has it.\n\
         #[rustfmt::skip]\npub const TEXTS: &[(&str, &[&str])] = &[\n"
    );
    for (permission, sentences) in texts {
        let _ = writeln!(text, "    ({permission:?}, &{sentences:?}),");
    }
    text.push_str("];\n");
    File { path: Path::new(packages.functions.folder).join("src/permissions.rs"), text }
}

/// Permissions that no role has: probably new ones that are not assigned yet, or typing errors. A service without
/// roles decides permissions in another way.
pub fn faults(contract: &Contract, definition: &Definition) -> Vec<String> {
    let is_assigned = |permission: &str| definition.roles.iter().any(|role| (definition.permits)(role, permission));
    let mut faults = Vec::new();
    for procedure in contract.procedures.iter().filter(|_| !definition.roles.is_empty()) {
        let AuthContract::Permission { permission, own } = &procedure.auth else { continue };
        let is_used = is_assigned(permission) || (*own && is_assigned(&format!("{permission}:own")));
        if !is_used {
            faults.push(format!(
                "{}: no role has the permission `{permission}`, so that everybody would be refused: give it to a role, \
                 where the service says what its roles may do (`Definition::permits`), or ask for one that a role has",
                procedure.name
            ));
        }
    }
    faults
}

/// The first sentence of a doc comment, in one line and without its full stop.
fn first_sentence(docs: &str) -> String {
    let paragraph = docs.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    let sentence = paragraph.split(". ").next().unwrap_or_default().trim();
    sentence.strip_suffix('.').unwrap_or(sentence).to_owned()
}

#[cfg(test)]
mod tests {
    use super::first_sentence;

    #[test]
    fn the_first_sentence_says_what_a_procedure_does() {
        assert_eq!(first_sentence("Write a post. The caller is its author."), "Write a post");
        assert_eq!(first_sentence("Fetch one post"), "Fetch one post");
        assert_eq!(first_sentence("List posts,\npage by page.\n\nBy time."), "List posts, page by page");
        assert_eq!(first_sentence(""), "");
    }
}
