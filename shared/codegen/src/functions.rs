//! The programs of the Lambda functions: one for each procedure, of one line, and one for each gateway.

use std::{collections::BTreeMap, path::Path};

use protocol::{Layout, Packages, contract::Contract};
use runtime::{Registered, Service};

use crate::{File, HEADER, contract_path};

/// Where a package has its programs. Nothing else is there.
pub const PROGRAMS: &str = "src/bin";

/// How a gateway's program says whose it is.
fn of_index(index: &str) -> String {
    format!("whose index is `{index}`")
}

/// Whether a generated program is one of the service with this index.
pub fn is_of(index: &str, program: &str) -> bool {
    program.contains(&format!("({index}::entries::")) || program.contains(&of_index(index))
}

/// What a gateway's function is called.
fn gateway_name(spec: &gateways::GatewaySpec) -> String {
    format!("gateway-{}", spec.name)
}

/// Functions that two would be: `markPaid.due` and `mark.paidDue` are both `mark-paid-due`. That two procedures have one
/// name is said elsewhere.
pub fn faults(contract: &Contract) -> Vec<String> {
    let gateways = gateways::FACTS.iter().map(|spec| (gateway_name(spec), format!("the gateway {}", spec.name)));
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
    faults
}

pub fn render(service: &Service, layout: &Layout, packages: &Packages) -> Vec<File> {
    let index = service.index;
    let procedure = |Registered { entry, path, .. }: &Registered| {
        program(packages.functions.folder, &entry.function(), "", &format!("onefold::lambda({index}::{path})"))
    };
    // From the program up to the workspace, and down to the contract.
    let up = Path::new(packages.gateways.folder).join(PROGRAMS).components().map(|_| "../").collect::<String>();
    let at = format!("{up}{}", contract_path(layout).display());
    let gateway = |spec: &&gateways::GatewaySpec| {
        let main = format!("onefold_gateways::function::{}(include_str!({at:?}))", spec.name);
        let docs = format!("//!\n//! The gateway `{}` of the service {}.\n", spec.name, of_index(index));
        program(packages.gateways.folder, &gateway_name(spec), &docs, &main)
    };
    service.procedures.iter().map(procedure).chain(gateways::FACTS.iter().map(gateway)).collect()
}

fn program(package: &str, name: &str, docs: &str, main: &str) -> File {
    File {
        path: Path::new(package).join(PROGRAMS).join(name).with_extension("rs"),
        text: format!("//! {HEADER}\n{docs}\nfn main() -> std::process::ExitCode {{\n    {main}\n}}\n"),
    }
}
