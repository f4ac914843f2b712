//! The macros: `#[procedure]`, `#[wire]`, `#[derive(Failure)]`, `#[derive(Capability)]` and `#[derive(Entity)]`.
//!
//! They only write what a person would write by hand, the same way each time; everything that can
//! be an ordinary function is one in `protocol` and `runtime`.

mod capability;
mod entity;
mod failure;
mod name;
mod procedure;
mod wire;

use proc_macro::TokenStream;

/// Makes a function a procedure. See the README, "Add a procedure in five minutes".
///
/// Its parameters are capabilities, and at most one has `#[input]`: what callers send, of a type with `#[wire(input)]`.
///
/// `#[procedure(query | mutation, auth = public | signed_in | permission("…"), rest = "GET /…", created = false,
/// location = false, etag = false, link = false,
/// timeout_ms = 10000, memory_mb = 256, concurrency = 20, cache_s = 60, sensitive, session = "…", fresh = 300,
/// fresh_if = Input::gives_rights, http = "POST /…", errors = oauth)]`; `auth` is required, and so is a doc comment,
/// whose first sentence is what the documents and the page of consent show. Each is stated once.
///
/// `rest`: a method and a path. What its answers say besides the output follows from the declaration: a mutation by POST
/// whose output has an `id` answers 201, and `Location` where there is a GET for that; an output's `version` is its `ETag`,
/// and an input's `version` is `If-Match`; a GET whose output is a page has a `Link` to the next one.
/// `created = false`, `location = false`, `etag = false`, `link = false`: not here. Without `created` there is no `Location`,
/// and without `etag` no `If-Match`.
///
/// `timeout_ms`: how long a call may take, from 1 to 29000 (10000 if left out): the HTTP API in front gives up after 30 s.
/// `memory_mb`: the function's memory, from 128 to 10240 MiB (256 if left out).
///
/// `permission("notes:write", own)` lets those through as well who have `notes:write:own`; the procedure takes a
/// `Ownership` and asks it whose items are within.
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
/// `http`: a method and a path of its own, for requests in a form that others dictate: a standard, or who sends a webhook.
/// The procedure takes an `HttpRequest`, with the body as it came, of up to 1 MiB; answers an `HttpReply`; and has no place
/// in the generated clients.
/// `errors`: how programs are answered there when a call does not succeed: `problem`, that is `application/problem+json`
/// (if left out), or `oauth`, the errors of RFC 6749, in which the failure `InvalidGrant` is `invalid_grant`. A browser
/// that goes there is shown a page.
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
/// `#[wire(input)]` is a type that is read from callers: unknown fields are refused, and `Option` and `Patch` fields may be
/// absent.
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

/// Says how a struct is kept, see `protocol::Entity`.
///
/// ```ignore
/// #[derive(Entity)]
/// #[entity(prefix = "order", loader = "orders.byIds")]
/// #[entity(index = "created", sort = SortKey::time(self.created_at))]
/// #[entity(index = "buyer", list = self.buyer_id, sort = SortKey::time(self.created_at))]
/// #[entity(unique = "number", value = self.number)]
/// #[entity(tally = "open", at_least = 1, when = self.is_open)]
/// pub struct Order {
///     #[entity(id)]
///     pub id: OrderId,
///     #[entity(version)]
///     pub version: Version,
///     …
/// }
/// ```
///
/// `prefix`: what its keys begin with; never change it. `loader`: the procedure that fetches many by id.
/// `index`: a list in the order of `sort`; `list` tells apart many lists in one index (a buyer's orders), `when` leaves
/// entities out, `shards` (1 if left out) spreads writes. The order of the indexes is their place in the table: append.
/// `unique`: a `value` (or any number of `values`) that no other one may have. `tally`: a group that is counted, and its
/// least size. `#[entity(expires_at)]` over a field, or `expires_at = self.at.plus_ms(…)` beside the prefix: when it stops
/// existing. An id that is no field of its own: `id = self.key.id, id_type = OrderId` beside the prefix.
#[proc_macro_derive(Entity, attributes(entity))]
pub fn entity(item: TokenStream) -> TokenStream {
    answer(entity::expand(item.into()))
}

/// What the words of an index are on the wire, as a literal: `(orders, get)` is `"orders.get"`, and
/// `(price_lists, mark_read)` is `"priceLists.markRead"`.
#[proc_macro]
pub fn wire_name(words: TokenStream) -> TokenStream {
    answer(name::expand(words.into()))
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

/// `created_at` to `createdAt`, `EmailTaken` to `emailTaken`: as serde's `rename_all = "camelCase"`, which is not quite the
/// camel case of others, and names what is on the wire.
fn camel_case(name: &str) -> String {
    let name = name.trim_start_matches("r#");
    let mut camel = String::with_capacity(name.len());
    let mut upper = false;
    for c in name.chars() {
        match c {
            '_' => {}
            c if camel.is_empty() => camel.push(c.to_ascii_lowercase()),
            c if upper => camel.push(c.to_ascii_uppercase()),
            c => camel.push(c),
        }
        upper = c == '_';
    }
    camel
}
