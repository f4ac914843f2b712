//! The one-line binaries, one for each procedure.

use protocol::contract::{Contract, ProcedureContract};

use crate::{File, HEADER};

pub fn render(contract: &Contract) -> Vec<File> {
    let binary = |ProcedureContract { name, .. }: &ProcedureContract| {
        let function = name.replace('.', "-");
        let module = name.replace('.', "::");
        File {
            path: format!("functions/src/bin/{function}.rs").into(),
            text: format!(
                "//! {HEADER}\n\nfn main() -> std::process::ExitCode {{\n    runtime::lambda(runtime::Entry::of::<functions::{module}::Procedure>())\n}}\n"
            ),
        }
    };
    contract.procedures.iter().map(binary).collect()
}
