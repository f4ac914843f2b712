//! The one-line binaries, one for each procedure.

use runtime::{Registered, Service, service::has_item};

use crate::{File, HEADER};

pub fn render(service: &Service) -> Vec<File> {
    let routes = || service.procedures.iter().filter_map(|procedure| procedure.entry.spec.rest);
    let binary = |Registered { entry, path, .. }: &Registered| {
        let function = entry.name.replace('.', "-");
        let item = if entry.spec.rest.is_some_and(|route| has_item(route, routes())) { ".with_item()" } else { "" };
        File {
            path: format!("functions/src/bin/{function}.rs").into(),
            text: format!(
                "//! {HEADER}\n\nfn main() -> std::process::ExitCode {{\n    runtime::lambda(functions::{path}{item})\n}}\n"
            ),
        }
    };
    service.procedures.iter().map(binary).collect()
}
