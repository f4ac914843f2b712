//! The macros: `#[procedure]`, `#[wire]`, `#[derive(Failure)]` and `#[derive(Capability)]`.
//!
//! They only write what a person would write by hand, the same way each time; everything that can
//! be an ordinary function is one in `protocol` and `runtime`.

mod capability;
mod failure;
mod procedure;
mod wire;

use proc_macro::TokenStream;

/// Makes a function a procedure. See the README, "Add a procedure in five minutes".
///
/// `#[procedure(query | mutation, auth = public | signed_in | permission("…"), rest = "GET /…",
/// timeout_ms = 10000, memory_mb = 256, concurrency = 20, cache_s = 60, sensitive, session = "…", fresh = 300,
/// fresh_if = Input::gives_rights, http = "POST /…")]`; `auth` is required, and so is a doc comment,
/// whose first sentence is what the documents and the page of consent show. Each is stated once.
///
/// `timeout_ms`: how long a call may take, from 1 to 29000 (10000 if left out): the HTTP API in front gives up after 30 s.
/// `memory_mb`: the function's memory, from 128 to 10240 MiB (256 if left out).
///
/// `permission("notes:write", own)` lets those through as well who have `notes:write:own`; the procedure takes a
/// `Reach` and asks it whose items are within.
///
/// `sensitive`: a token's session is looked at in each call, so that a sign-out or another role counts at once and
/// not when the token expires. It costs one read of the database, and for an application's token a second one at the
/// same time: whether it is still registered. Mutations that are not public do so by themselves.
///
/// `session = "…"`: why such a mutation does not. The reason stands in the contract.
///
/// `fresh`: for how many seconds, from 1 to 86400, after a person signed in or authenticated again they may call it. Later
/// the call fails with `FORBIDDEN` and `{ "type": "reauthenticate" }`, which is then one of the procedure's failures.
/// For what gives an account away for good. The session is looked at as with `sensitive`; applications are refused.
/// `fresh_if`: for which inputs only, by a function `fn(&Input) -> bool`; with the others, applications may call it too.
///
/// `http`: a method and a path of its own, for requests whose form a standard dictates. The procedure takes an
/// `HttpRequest`, answers an `HttpReply`, and has no place in the generated clients.
///
/// `concurrency`: how many calls of this procedure may run at once, at least 1 (Lambda's reserved
/// concurrency, taken from what all functions of the account share); unlimited but for that when left out.
///
/// `cache_s`: for how many seconds, from 1 to 86400, a shared cache such as CloudFront may keep a
/// result; none may when it is left out. Only a query with `auth = public` and without `Caller` has it:
/// what is kept is given to everybody. Failures, and results of a call by POST, are never kept.
#[proc_macro_attribute]
pub fn procedure(arguments: TokenStream, item: TokenStream) -> TokenStream {
    answer(procedure::expand(arguments.into(), item.into()))
}

/// Gives a struct or an enum what every type on the wire has: serde in camel case, JSON Schema,
/// TypeScript and validation; and checks that its fields travel, too.
///
/// A type whose name ends in `Input` (or `#[wire(input)]`) is read from callers: unknown fields are
/// refused, and `Option` and `Patch` fields may be absent.
#[proc_macro_attribute]
pub fn wire(arguments: TokenStream, item: TokenStream) -> TokenStream {
    answer(wire::expand(arguments.into(), item.into()))
}

/// Makes an enum a procedure's failures: each variant has `#[failure(CODE)]` and a doc comment that
/// is its message, or `#[failure(CODE, message = "no note {0}")]`.
#[proc_macro_derive(Failure, attributes(failure))]
pub fn failure(item: TokenStream) -> TokenStream {
    answer(failure::expand(item.into()))
}

/// Bundles several capabilities: a struct whose fields are capabilities is one itself, with the rights of all of them.
#[proc_macro_derive(Capability)]
pub fn capability(item: TokenStream) -> TokenStream {
    answer(capability::expand(item.into()))
}

fn answer(expanded: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    expanded.unwrap_or_else(|error| error.into_compile_error()).into()
}

/// The text of the doc comments among attributes.
fn docs_of(attributes: &[syn::Attribute]) -> String {
    let mut lines = Vec::new();
    for attribute in attributes {
        if let syn::Meta::NameValue(syn::MetaNameValue { path, value, .. }) = &attribute.meta
            && path.is_ident("doc")
            && let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = value
        {
            let text = text.value();
            lines.push(text.strip_prefix(' ').unwrap_or(&text).trim_end().to_owned());
        }
    }
    lines.join("\n").trim().to_owned()
}

/// `created_at` to `createdAt`, `EmailTaken` to `emailTaken`: as serde's `rename_all = "camelCase"`.
fn camel_case(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    let mut upper = false;
    for (place, c) in name.chars().enumerate() {
        match c {
            '_' => upper = true,
            c if place == 0 => camel.extend(c.to_lowercase()),
            c if upper => {
                camel.extend(c.to_uppercase());
                upper = false;
            }
            c => camel.push(c),
        }
    }
    camel
}
