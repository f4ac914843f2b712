//! Checks the routes of procedures: REST routes, and the paths of `http`.

use std::collections::{BTreeMap, BTreeSet};

use protocol::{
    PathPattern,
    contract::{Contract, ProcedureContract},
};
use serde_json::Value;

use crate::is_write_only;

/// The methods of routes.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// The paths that every service has, in addition to its gateways': tRPC, and the pages of the local service.
const OF_EVERY_SERVICE: [(&str, &str); 2] = [("/trpc", "tRPC"), ("/_local/{proxy+}", "the local service's own pages")];

/// Files that browsers and crawlers request by themselves, and that are not JSON: procedures with `http` may serve
/// them.
const OF_BROWSERS: [&str; 2] = ["/favicon.ico", "/robots.txt"];

/// The faults of all routes.
pub fn faults(contract: &Contract) -> Vec<String> {
    let mut faults = Vec::new();
    let mut taken: BTreeMap<String, &str> = BTreeMap::new();
    let mut shapes: BTreeMap<String, (&str, &str, bool)> = BTreeMap::new();
    let routes = contract.procedures.iter().flat_map(|procedure| {
        let routes = [(false, procedure.http.as_deref()), (true, procedure.rest.as_deref())];
        routes.into_iter().filter_map(move |(is_rest, route)| Some((procedure, is_rest, route?)))
    });
    for (procedure, is_rest, route) in routes {
        let name = &procedure.name;
        let Some((method, path)) = route.split_once(' ').filter(|(method, path)| is_route(method, path)) else {
            faults.push(format!("{name}: {route:?} is no route, such as `GET /v1/orders/{{id}}`"));
            continue;
        };
        // Routes that differ only in the names of parameters are the same.
        if let Some(other) = taken.insert(format!("{method} {}", PathPattern(path).shape()), name) {
            faults.push(format!("{name}: {other} has the route {route} already"));
        } else if let Some((known, other, _)) =
            shapes.get(&PathPattern(path).shape()).filter(|(known, ..)| *known != path)
        {
            faults.push(format!("{name}: {path} is {known} of {other} with other names: give parameters the same"));
        } else if let Some((_, other, _)) =
            shapes.get(&PathPattern(path).shape()).filter(|(.., known)| *known != is_rest)
        {
            let message = "a path answers in the form of REST or in another one, whatever the method";
            faults.push(format!("{name}: {path} is stated as `rest` and, by {other}, as `http`: {message}"));
        }
        shapes.entry(PathPattern(path).shape()).or_insert((path, name, is_rest));
        if let Some((own, whose)) = own_path(path, is_rest) {
            faults.push(format!(
                "{name}: {route} would take calls from {own} of {whose}: give it another path, such as one in /v1/"
            ));
        }
        if !is_rest {
            continue;
        }
        faults.extend(parameters(contract, procedure, path).into_iter().map(|fault| format!("{name}: {fault}")));
        let in_address = matches!(method, "GET" | "DELETE");
        if in_address
            && procedure.input.as_ref().is_some_and(|input| holds_secret(contract, input, &mut BTreeSet::new()))
        {
            faults.push(format!(
                "{name}: a secret of the input would stand in the address of {method}, and so in logs: use POST"
            ));
        }
    }
    faults.extend(overlaps(contract));
    faults
}

/// Pairs of ambiguous paths. If one path is more specific than the other, the request's method and then the more
/// specific path decide, as in `Routes` of the local front and in the routes of the templates.
fn overlaps(contract: &Contract) -> Vec<String> {
    let routes = contract.procedures.iter().flat_map(|procedure| {
        let routes = [procedure.http.as_deref(), procedure.rest.as_deref()].into_iter().flatten();
        routes.filter_map(|route| Some((route.split_once(' ')?.1, procedure.name.as_str())))
    });
    // By path, so that one fault is reported once.
    let paths: BTreeMap<&str, &str> = routes.collect();
    let mut faults = Vec::new();
    for (at, (path, name)) in paths.iter().enumerate() {
        for (other, other_name) in paths.iter().skip(at + 1) {
            if PathPattern(path).crosses(PathPattern(other)) {
                let message = "cross: some addresses fit both, and neither is the more specific";
                faults.push(format!("{name}: {path}, and {other} of {other_name}, {message}"));
            }
        }
    }
    faults
}

/// A path of the service itself that overlaps a procedure's path. Methods do not matter: that path answers all of
/// them, those too that it does not support.
fn own_path(path: &str, is_rest: bool) -> Option<(&'static str, String)> {
    let gateways = gateways::SPECS
        .iter()
        .flat_map(|spec| spec.paths.iter().map(|own| (*own, format!("the gateway `{}`", spec.name))));
    let of_every_service = OF_EVERY_SERVICE.iter().map(|(own, whose)| (*own, (*whose).to_owned()));
    let of_browsers =
        OF_BROWSERS.iter().filter(|_| is_rest).map(|own| (*own, "browsers, which take no JSON".to_owned()));
    of_every_service.chain(gateways).chain(of_browsers).find(|(own, _)| PathPattern(own).meets(PathPattern(path)))
}

fn is_route(method: &str, path: &str) -> bool {
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
    let fits = |segment: &str| match segment.strip_prefix('{') {
        Some(rest) => rest.strip_suffix('}').is_some_and(|name| !name.is_empty() && plain(name)),
        // Clients resolve dots as the current and the parent folder (RFC 3986 section 5.2.4).
        None => !segment.is_empty() && plain(segment) && segment != "." && segment != "..",
    };
    METHODS.contains(&method) && path.strip_prefix('/').is_some_and(|path| path.split('/').all(fits))
}

/// Faults of a path's parameters: each must be a required field of the input, with a single value.
fn parameters(contract: &Contract, procedure: &ProcedureContract, path: &str) -> Vec<String> {
    let input = procedure.input.as_ref().map(|input| contract.resolve(input));
    let mut faults = Vec::new();
    let mut seen = Vec::new();
    for name in PathPattern(path).names() {
        if seen.contains(&name) {
            faults.push(format!("the route names {{{name}}} twice"));
        }
        seen.push(name);
        let field = input.and_then(|input| input.get("properties")?.get(name));
        let required = input.and_then(|input| input.get("required")?.as_array());
        match field {
            None => faults.push(format!("the route's {{{name}}} is no field of the input")),
            Some(_) if !required.is_some_and(|required| required.iter().any(|known| known == name)) => {
                faults.push(format!("the route's {{{name}}} has to be a required field of the input"));
            }
            Some(field) if !is_scalar(contract, field) => {
                faults.push(format!("the route's {{{name}}} has to be one text, number or boolean"));
            }
            Some(_) => {}
        }
    }
    faults
}

fn is_scalar(contract: &Contract, schema: &Value) -> bool {
    let schema = contract.resolve(schema);
    if let Some(branches) = ["oneOf", "anyOf"].iter().find_map(|key| schema.get(key)?.as_array()) {
        return branches.iter().all(|branch| is_scalar(contract, branch));
    }
    let kind = schema.get("type").and_then(Value::as_str);
    matches!(kind, Some("string" | "integer" | "number" | "boolean"))
        || (kind.is_none() && (schema.get("const").is_some() || schema.get("enum").is_some()))
}

/// Whether a schema or one that it refers to contains a secret.
fn holds_secret<'a>(contract: &'a Contract, schema: &'a Value, seen: &mut BTreeSet<&'a str>) -> bool {
    is_write_only(schema)
        || references(schema).into_iter().any(|reference| {
            let name = reference.rsplit('/').next().unwrap_or_default();
            seen.insert(name) && contract.input_types.get(name).is_some_and(|t| holds_secret(contract, t, seen))
        })
}

/// All references in a schema.
fn references(schema: &Value) -> Vec<&str> {
    match schema {
        Value::Object(members) => {
            let own = members.get("$ref").and_then(Value::as_str);
            own.into_iter().chain(members.values().flat_map(references)).collect()
        }
        Value::Array(members) => members.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}
