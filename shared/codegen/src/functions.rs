//! Renders the programs of the Lambda functions: one line for each procedure and each gateway.

use std::{collections::BTreeMap, path::Path};

use protocol::{Layout, Packages, contract::Contract};
use runtime::{Registered, Service};

use crate::{File, HEADER, contract_path};

/// The folder of a package's programs. It holds nothing else.
pub const PROGRAMS: &str = "src/bin";

/// The line that names the index in a gateway's program.
fn of_index(index: &str) -> String {
    format!("whose index is `{index}`")
}

/// Whether a generated program belongs to the service with this index.
pub fn is_of(index: &str, program: &str) -> bool {
    program.contains(&format!("({index}::entries::")) || program.contains(&of_index(index))
}

/// The name of a gateway's function.
fn gateway_name(spec: &gateways::GatewaySpec) -> String {
    format!("gateway-{}", spec.name)
}

/// Functions with the same name: `markPaid.due` and `mark.paidDue` are both `mark-paid-due`. Procedures with the same
/// name are reported by the builder of the contract.
pub fn faults(contract: &Contract) -> Vec<String> {
    let gateways = gateways::SPECS.iter().map(|spec| (gateway_name(spec), format!("the gateway {}", spec.name)));
    let mut owners: BTreeMap<String, String> = gateways.collect();
    let mut faults = Vec::new();
    for procedure in &contract.procedures {
        let (name, function) = (&procedure.name, &procedure.function);
        match owners.get(function) {
            Some(other) if other != name => {
                faults.push(format!("{other} and {name} would both be the function {function}: rename one of them"));
            }
            _ => drop(owners.insert(function.clone(), name.clone())),
        }
    }
    let packages = contract.layout.as_ref().and_then(|layout| layout.packages.as_ref());
    if let Some(prefix) = packages.and_then(|packages| packages.prefix.as_deref())
        && !is_prefix(prefix)
    {
        faults.push(format!(
            "{prefix:?} is no prefix of programs: it has small letters, digits and hyphens, such as `shop-`, with a letter \
             first and a hyphen last"
        ));
    }
    faults
}

/// Whether the names of programs can begin so: what Cargo, Lambda and file systems take.
fn is_prefix(text: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_lowercase();
    text.len() <= 33
        && text.ends_with('-')
        && text.starts_with(is_letter)
        && text.chars().all(|c| is_letter(c) || c.is_ascii_digit() || c == '-')
}

pub fn render(service: &Service, layout: &Layout, packages: &Packages) -> Vec<File> {
    let index = service.index;
    let named = |function: &str| format!("{}{function}", packages.prefix.unwrap_or_default());
    let procedure = |Registered { entry, path, .. }: &Registered| {
        program(packages.functions.folder, &named(&entry.function()), "", &format!("onefold::lambda({index}::{path})"))
    };
    // The relative path from the program up to the workspace, and down to the contract.
    let up = Path::new(packages.gateways.folder).join(PROGRAMS).components().map(|_| "../").collect::<String>();
    let at = format!("{up}{}", contract_path(layout).display());
    let gateway = |spec: &&gateways::GatewaySpec| {
        let main = format!("onefold_gateways::function::{}(include_str!({at:?}))", spec.name);
        let docs = format!("//!\n//! The gateway `{}` of the service {}.\n", spec.name, of_index(index));
        program(packages.gateways.folder, &named(&gateway_name(spec)), &docs, &main)
    };
    service.procedures.iter().map(procedure).chain(gateways::SPECS.iter().map(gateway)).collect()
}

fn program(package: &str, name: &str, docs: &str, main: &str) -> File {
    File {
        path: Path::new(package).join(PROGRAMS).join(format!("{name}.rs")),
        text: format!("//! {HEADER}\n{docs}\nfn main() -> std::process::ExitCode {{\n    {main}\n}}\n"),
    }
}
