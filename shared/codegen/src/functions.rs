//! The one-line binaries, one for each procedure.

use runtime::{Registered, Service};

use crate::{File, HEADER};

pub fn render(service: &Service) -> Vec<File> {
    let binary = |Registered { entry, path, .. }: &Registered| {
        let function = entry.name.replace('.', "-");
        File {
            path: format!("functions/src/bin/{function}.rs").into(),
            text: format!(
                "//! {HEADER}\n\nfn main() -> std::process::ExitCode {{\n    runtime::lambda(functions::{path})\n}}\n"
            ),
        }
    };
    service.procedures.iter().map(binary).collect()
}
