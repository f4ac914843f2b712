//! Renders the page: every procedure, in plain HTML that is readable without scripts.

use std::collections::BTreeMap;

use protocol::{
    ErrorFormat,
    contract::{AuthContract, Contract, FailureContract, ProcedureContract},
    escape,
};
use serde_json::Value;

use super::types::{Types, inline, prose};
use crate::{
    names::Names,
    samples::{self, Sample},
};

/// The page of a service.
pub fn html(contract: &Contract, url: &str) -> String {
    let types = Types { contract, names: Names::of(contract) };
    let title = escape::html(&contract.service);
    let mut domains: BTreeMap<&str, Vec<&ProcedureContract>> = BTreeMap::new();
    for procedure in contract.in_styles().chain(contract.own_forms()) {
        domains.entry(procedure.name.split('.').next().unwrap_or_default()).or_default().push(procedure);
    }
    let navigation: String = domains.iter().map(|(domain, procedures)| links(domain, procedures)).collect();
    let sections: String = domains.iter().map(|(domain, procedures)| section(&types, domain, procedures)).collect();
    let shown_url = if url.is_empty() { "https://…" } else { url };
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title}: how to call it</title>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <link rel=\"icon\" href=\"docs/icon.svg\">\n<link rel=\"stylesheet\" href=\"docs/docs.css\">\n<script src=\"docs/docs.js\" defer></script>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#main\">To the procedures</a>\n\
         <header>\n<h1>{title}</h1>\n<div class=\"tools\" hidden>\n\
         <label for=\"search\">Search</label> <input id=\"search\" type=\"search\" autocomplete=\"off\" \
         placeholder=\"name, field, failure …\"> <output id=\"found\" for=\"search\"></output>\n\
         <button id=\"theme\" type=\"button\">Light or dark</button>\n</div>\n</header>\n\
         <nav aria-label=\"Procedures\">{navigation}<p><a href=\"#types\">Types</a></p></nav>\n<main id=\"main\">\n\
         {introduction}{sections}<section id=\"types\"><h2>Types</h2>{all_types}</section>\n</main>\n</body>\n</html>\n",
        introduction = introduction(&escape::html(shown_url)),
        all_types = named(&types),
    )
}

fn introduction(url: &str) -> String {
    format!(
        "<section><h2>In short</h2>\
         <p>Every procedure can be called in each of these styles, with the same input, checks, rights and failures.</p>\
         <table><thead><tr><th scope=\"col\">Style</th><th scope=\"col\">Where</th><th scope=\"col\">Description</th></tr>\
         </thead><tbody>\
         <tr><th scope=\"row\">REST</th><td>each procedure's own route</td>\
         <td><a href=\"openapi.json\">openapi.json</a></td></tr>\
         <tr><th scope=\"row\">tRPC</th><td><code>/trpc</code></td><td>the generated package</td></tr>\
         <tr><th scope=\"row\">GraphQL</th><td><code>/graphql</code></td><td><a href=\"schema.graphql\">schema.graphql</a></td></tr>\
         <tr><th scope=\"row\">JSON-RPC 2.0</th><td><code>/jsonrpc</code></td>\
         <td><a href=\"openrpc.json\">openrpc.json</a></td></tr>\
         <tr><th scope=\"row\">SOAP 1.1, 1.2</th><td><code>/soap</code></td>\
         <td><a href=\"soap?wsdl\">soap?wsdl</a></td></tr></tbody></table>\
         <p>In the examples for the shell, <code>URL={url}</code>, and <code>TOKEN</code> holds an access token. The values are \
         made up: they have the right form, and lead nowhere.</p></section>\n"
    )
}

fn links(domain: &str, procedures: &[&ProcedureContract]) -> String {
    let link = |procedure: &&ProcedureContract| {
        let name = escape::html(&procedure.name);
        format!("<li data-for=\"{name}\"><a href=\"#{name}\">{name}</a></li>")
    };
    let links: String = procedures.iter().map(link).collect();
    format!("<details open><summary>{}</summary><ul>{links}</ul></details>", escape::html(domain))
}

fn section(types: &Types<'_>, domain: &str, procedures: &[&ProcedureContract]) -> String {
    let articles: String = procedures.iter().map(|procedure| article(types, procedure)).collect();
    format!("<section class=\"domain\"><h2>{}</h2>{articles}</section>\n", escape::html(domain))
}

fn article(types: &Types<'_>, procedure: &ProcedureContract) -> String {
    let name = escape::html(&procedure.name);
    if let Some(route) = &procedure.http {
        return format!(
            "<article id=\"{name}\"><h3><a href=\"#{name}\">{name}</a></h3>{docs}<p><code>{route}</code></p>\
             <p class=\"who\">{who}</p><p>It takes and answers HTTP in a form of its own, and is in no style. A call that does \
             not succeed is answered with {errors}.</p></article>\n",
            docs = prose(&procedure.docs),
            route = escape::html(route),
            who = who(&procedure.auth),
            errors = match procedure.errors {
                Some(ErrorFormat::OAuth) => "an error of OAuth (RFC 6749)",
                Some(ErrorFormat::Problem) | None => "a problem (RFC 9457)",
            },
        );
    }
    let kind = if procedure.kind == protocol::Kind::Query { "query" } else { "mutation" };
    let route = procedure.rest.as_deref().map(|route| format!("<p><code>{}</code></p>", escape::html(route)));
    let input = procedure.input.as_ref().map(|input| types.contract.resolve(input));
    let input = input.map_or_else(|| "<p>None.</p>".to_owned(), |input| types.whole(input, &procedure.input_fields));
    let output = match &procedure.output {
        None => "<p>None.</p>".to_owned(),
        Some(output) if output.get("$ref").is_some() => format!("<p><code>{}</code></p>", types.line(output)),
        Some(output) => types.whole(output, &[]),
    };
    let calls: String = samples::of(types.contract, procedure).iter().map(sample).collect();
    format!(
        "<article id=\"{name}\"><h3><a href=\"#{name}\">{name}</a> <span class=\"kind\">{kind}</span></h3>\
         {docs}{route}<p class=\"who\">{who}</p><h4>Input</h4>{input}<h4>Output</h4>{output}{failures}\
         <h4>Calls</h4>{calls}</article>\n",
        docs = prose(&procedure.docs),
        route = route.unwrap_or_default(),
        who = who(&procedure.auth),
        failures = failures(types, procedure),
    )
}

fn who(auth: &AuthContract) -> String {
    match auth {
        AuthContract::Public => "For everybody.".to_owned(),
        AuthContract::SignedIn => "For everybody who is signed in.".to_owned(),
        AuthContract::Permission { permission, own } => {
            let own =
                if *own { inline(&format!(", or `{permission}:own` for what is their own")) } else { String::new() };
            format!("For callers with the permission <code>{}</code>{own}.", escape::html(permission))
        }
    }
}

/// The failures, with the anchors that problems' `type` refers to: `#orders.get:missing`.
fn failures(types: &Types<'_>, procedure: &ProcedureContract) -> String {
    if procedure.failures.is_empty() {
        return String::new();
    }
    let failure = |failure: &FailureContract| {
        let anchor = escape::html(&format!("{}:{}", procedure.name, failure.kind));
        let (code, status) = (failure.code.key(), failure.code.http_status());
        format!(
            "<dt id=\"{anchor}\"><a href=\"#{anchor}\"><code>{}</code></a> {code}, {status}</dt><dd>{}<code>{}</code></dd>",
            escape::html(&failure.kind),
            prose(&failure.docs),
            types.line(&failure.schema),
        )
    };
    let all: String = procedure.failures.iter().map(failure).collect();
    format!("<h4>Failures</h4><dl>{all}</dl>")
}

fn sample(sample: &Sample) -> String {
    let open = if sample.style == "REST" { " open" } else { "" };
    format!(
        "<details{open}><summary>{}</summary><pre tabindex=\"0\"><code>{}</code></pre></details>",
        sample.style,
        escape::html(&sample.text)
    )
}

/// Every named type.
fn named(types: &Types<'_>) -> String {
    let groups = [("#/outputTypes/", &types.contract.output_types), ("#/inputTypes/", &types.contract.input_types)];
    let all = groups.into_iter().flat_map(|(at, group)| group.iter().map(move |(name, schema)| (at, name, schema)));
    let named: BTreeMap<&str, &Value> =
        all.filter_map(|(at, name, schema)| Some((types.names.get(&format!("{at}{name}"))?, schema))).collect();
    let article = |(name, schema): (&str, &Value)| {
        let name = escape::html(name);
        let docs = schema.get("description").and_then(Value::as_str).map(prose).unwrap_or_default();
        let whole = types.whole(schema, &[]);
        format!("<article id=\"type-{name}\"><h3><a href=\"#type-{name}\">{name}</a></h3>{docs}{whole}</article>\n")
    };
    named.into_iter().map(article).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::stub::contract_of;

    /// What authors write is text, wherever it stands.
    #[test]
    fn nothing_that_is_told_becomes_markup() {
        let hostile = "<script>alert(1)</script> & \"`<b>`\"";
        let contract = json!({
            "service": hostile,
            "procedures": [{
                "name": "things.<i>", "function": "things-i", "kind": "query", "docs": hostile, "rest": null, "http": null, "timeoutMs": 1,
                "auth": {"type": "permission", "permission": hostile, "own": true},
                "inputFields": [hostile], "inputOptional": false, "output": {"enum": [hostile]},
                "input": {
                    "type": "object", "required": [hostile],
                    "properties": {hostile: {"type": "string", "description": hostile, "format": hostile}},
                },
                "failures": [{"type": hostile, "code": "NOT_FOUND", "docs": hostile, "schema": {"const": hostile}}],
            }],
            "outputTypes": {hostile: {"type": "string", "description": hostile}},
            "inputTypes": {},
        });
        let page = html(&contract_of(contract), hostile);
        for markup in ["<script>", "<b>", "<i>"] {
            assert!(!page.contains(markup), "{markup}");
        }
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;<code>&lt;b&gt;</code>&quot;"));
    }

    #[test]
    fn a_failure_can_be_linked_to() {
        let contract = json!({
            "service": "s",
            "procedures": [{
                "name": "orders.get", "function": "orders-get", "kind": "query", "docs": "Fetch.", "rest": "GET /v1/orders/{id}", "http": null,
                "timeoutMs": 1, "auth": {"type": "public"}, "inputFields": ["id", "also"], "inputOptional": false,
                "output": null,
                "input": {
                    "type": "object", "required": ["also", "id"],
                    "properties": {"also": {"type": "boolean"}, "id": {"type": "string"}},
                },
                "failures": [{
                    "type": "missing", "code": "NOT_FOUND", "docs": "None.",
                    "schema": {"type": "object", "properties": {"type": {"const": "missing"}}},
                }],
            }],
            "outputTypes": {},
            "inputTypes": {},
        });
        let page = html(&contract_of(contract), "");
        assert!(page.contains("<dt id=\"orders.get:missing\">"));
        let place = |name: &str| page.find(&format!("<th scope=\"row\"><code>{name}</code>")).unwrap();
        assert!(place("id") < place("also"), "fields come as they are declared");
    }
}
