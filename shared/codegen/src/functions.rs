//! The one-line binaries, one for each procedure.

use protocol::contract::{Contract, ProcedureContract};
use runtime::service::has_item;

use crate::{File, HEADER};

pub fn render(contract: &Contract) -> Vec<File> {
    let routes = || contract.procedures.iter().filter_map(|procedure| procedure.rest.as_deref());
    let binary = |ProcedureContract { name, rest, .. }: &ProcedureContract| {
        let function = name.replace('.', "-");
        let module = name.replace('.', "::");
        let item = if rest.as_deref().is_some_and(|route| has_item(route, routes())) { ".with_item()" } else { "" };
        File {
            path: format!("functions/src/bin/{function}.rs").into(),
            text: format!(
                "//! {HEADER}\n\nfn main() -> std::process::ExitCode {{\n    runtime::lambda(runtime::Entry::of::<functions::{module}::Procedure>(){item})\n}}\n"
            ),
        }
    };
    contract.procedures.iter().map(binary).collect()
}
