//! The permissions of a service's roles as a table.

use std::fmt::Write as _;

use protocol::Auth;
use runtime::{Definition, Service, principal::OWN};

/// Renders a line for each procedure and a column for each role.
///
/// `yes`: allowed; `own`: for the caller's own items only; `-`: not allowed.
pub fn matrix(service: &Service) -> String {
    let Definition { roles, .. } = service.definition;
    let mut lines = vec![heading(roles)];
    let mut procedures: Vec<_> = service.procedures.iter().map(|procedure| procedure.entry).collect();
    procedures.sort_by_key(|entry| entry.name);
    for entry in procedures {
        let auth = entry.spec.auth;
        let needs = match auth {
            Auth::Public => "nothing".to_owned(),
            Auth::SignedIn => "to be signed in".to_owned(),
            Auth::Permission { name, .. } => name.to_owned(),
        };
        let needs = match (entry.spec.fresh_s, entry.spec.looks_at_session()) {
            (Some(fresh_s), _) if entry.spec.fresh_if => format!("{needs} (fresh for some inputs: {fresh_s} s)"),
            (Some(fresh_s), _) => format!("{needs} (fresh: {fresh_s} s)"),
            (None, true) => format!("{needs} (sensitive)"),
            (None, false) => needs,
        };
        let nobody = if auth == Auth::Public { "yes" } else { "-" };
        let cells = roles.iter().map(|role| may(service.definition, auth, role).to_owned());
        lines.push([entry.name.to_owned(), needs, nobody.to_owned()].into_iter().chain(cells).collect());
    }
    render(&lines)
}

fn heading(roles: &[&str]) -> Vec<String> {
    ["procedure", "needs", "nobody"].iter().chain(roles).map(|&text| text.to_owned()).collect()
}

fn may(definition: &Definition, auth: Auth, role: &str) -> &'static str {
    match auth {
        Auth::Public | Auth::SignedIn => "yes",
        Auth::Permission { name, .. } if (definition.permits)(role, name) => "yes",
        Auth::Permission { name, own: true } if (definition.permits)(role, &format!("{name}{OWN}")) => "own",
        Auth::Permission { .. } => "-",
    }
}

fn render(lines: &[Vec<String>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| lines.iter().filter_map(|line| line.get(column)).map(String::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for line in lines {
        let cells: Vec<String> = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}", cells.join("  ").trim_end());
    }
    text
}
