//! What a service is made of, and what a function's `main` and the local service get to see of it.

use std::{any::TypeId, future::Future, pin::Pin};

use http::HeaderMap;
use protocol::{
    AuthorizationServer, Fault, Grant, Kind, Layout, PasswordSignIn, Principal, SessionSignIn, Spec, WireType,
    contract::{About, Describe, Domain, Needs, Press, ProcedureContract},
};

use crate::{Call, HttpReply, refusals::RefusalLog, sessions::SessionLookup};

/// A boxed future, so that what is behind it is compiled once.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// How a procedure's run ends.
pub type Outcome = BoxFuture<'static, Result<Output, Fault>>;

/// What a procedure answers.
#[derive(Debug)]
pub enum Output {
    /// A procedure without output has done its work.
    Nothing,
    /// The output as JSON.
    Json(Vec<u8>),
    /// An answer of its own form.
    Http(HttpReply),
}

/// What every procedure of a service shares. Written once, beside the index.
pub struct Definition {
    /// The service's name: the audience of its tokens and part of its table's name.
    pub name: &'static str,
    /// What the npm package of its client is called, such as `@example/shop`.
    pub npm_package: &'static str,
    /// What its documents and that package say of it, such as [`about!`](crate::about).
    pub about: About,
    /// Where its files are; nothing is generated for a service that leaves it out.
    pub layout: Option<Layout>,
    /// The names of all roles.
    pub roles: &'static [&'static str],
    /// The role of those who run the service: that of a call from the command line that names none.
    pub operator_role: Option<&'static str>,
    /// Whether a role has a permission.
    pub permits: fn(role: &str, permission: &str) -> bool,
    /// The permissions that no third party's application has, whatever it was registered for and whoever let it in:
    /// those with which it could give itself others.
    pub withheld: &'static [&'static str],
    /// How a caller is known.
    pub callers: Callers,
    /// Whether queries may come as POST (`methodOverride` of the official client).
    pub method_override: bool,
    /// How a name and a password that come with a call sign somebody in for it; no gateway takes them if left out.
    pub password_sign_in: Option<PasswordSignIn>,
    /// How a client signs in and stays signed in; the npm package has no `createSession` if left out.
    pub session: Option<SessionSignIn>,
    /// How applications of others are let in; the documents tell of no such way if left out.
    pub authorization_server: Option<AuthorizationServer>,
    /// Where it is written down that somebody was refused what they may not do, by mutations; nowhere but in the log of
    /// calls if left out.
    pub refusals: Option<RefusalLog>,
}

impl Definition {
    /// A service that states nothing but its name: it knows callers by their tokens, and none of them has a permission.
    /// For `Definition { …, ..Definition::named("shop") }`.
    pub const fn named(name: &'static str) -> Self {
        Self {
            name,
            npm_package: name,
            about: About { version: "0.0.0", description: "", license: "", contact: "", homepage: "" },
            layout: None,
            roles: &[],
            operator_role: None,
            permits: |_, _| false,
            withheld: &[],
            callers: Callers::Tokens,
            method_override: true,
            password_sign_in: None,
            session: None,
            authorization_server: None,
            refusals: None,
        }
    }
}

/// What the manifest of the package says in which this stands (`Cargo.toml`), for [`Definition::about`].
#[macro_export]
macro_rules! about {
    () => {
        $crate::About {
            version: env!("CARGO_PKG_VERSION"),
            description: env!("CARGO_PKG_DESCRIPTION"),
            license: env!("CARGO_PKG_LICENSE"),
            contact: env!("CARGO_PKG_AUTHORS"),
            homepage: env!("CARGO_PKG_HOMEPAGE"),
        }
    };
}

/// How a caller is known.
#[derive(Clone, Copy)]
pub enum Callers {
    /// By a signed token in `Authorization: Bearer`, see [`crate::tokens`].
    Tokens,
    /// By a signed token, or by the cookie of a session, see [`crate::sessions`].
    Sessions(SessionLookup),
    /// By a function of the service's own over the request's headers.
    Custom(fn(&HeaderMap) -> Result<Option<Principal>, Fault>),
}

/// A procedure, as its function runs it. `#[procedure]` implements it.
pub trait Procedure {
    /// What `#[procedure(…)]` states.
    const SPEC: Spec;
    /// Decodes the input, calls the function, encodes the output.
    fn run(call: Call) -> Outcome;
}

/// A procedure's place in the service. The index implements it.
pub trait Named {
    /// `orders.get`.
    const NAME: &'static str;
    /// The service.
    const SERVICE: &'static Definition;
}

/// One procedure without its types: all that its function links.
#[derive(Clone, Copy)]
pub struct Entry {
    /// `orders.get`.
    pub name: &'static str,
    /// What `#[procedure(…)]` states.
    pub spec: Spec,
    /// The service.
    pub service: &'static Definition,
    /// Whether what its route makes has a route of its own, see [`has_item`]: a procedure alone does not know the others.
    pub has_item: bool,
    pub(crate) run: fn(Call) -> Outcome,
}

impl Entry {
    /// The entry of a procedure.
    pub const fn of<P: Procedure + Named>() -> Self {
        Self { name: P::NAME, spec: P::SPEC, service: P::SERVICE, has_item: false, run: P::run }
    }

    /// The entry of one for whose results there is a route.
    #[must_use]
    pub const fn with_item(self) -> Self {
        Self { has_item: true, ..self }
    }

    /// Method and path of a procedure with a form of its own.
    pub fn http(&self) -> Option<(&'static str, &'static str)> {
        self.spec.http.and_then(|route| route.split_once(' '))
    }

    /// Method and path of its REST route.
    pub fn rest(&self) -> Option<(&'static str, &'static str)> {
        self.spec.rest.and_then(|route| route.split_once(' '))
    }

    /// The path under which the front has it.
    pub fn path(&self) -> String {
        self.http().map_or_else(|| format!("/trpc/{}", self.name), |(_, path)| path.to_owned())
    }

    /// The method by which it is called, as a rule.
    pub fn method(&self) -> &'static str {
        match (self.http(), self.spec.kind) {
            (Some((method, _)), _) => method,
            (None, Kind::Query) => "GET",
            (None, Kind::Mutation) => "POST",
        }
    }
}

/// One procedure with its contract. Only the local service and the press link this.
#[derive(Clone, Copy)]
pub struct Registered {
    /// What runs.
    pub entry: Entry,
    /// What the procedure needs from outside.
    pub needs: fn() -> Needs,
    /// What the press asks.
    pub describe: fn(&mut Press) -> ProcedureContract,
}

impl Registered {
    /// For the index.
    pub const fn of<P: Procedure + Named + Describe>() -> Self {
        Self { entry: Entry::of::<P>(), needs: needs::<P>, describe: |press| P::describe(press, P::NAME, needs::<P>()) }
    }
}

/// What counts a caller's reads.
struct Meter;

/// To count what a caller reads. A query has this right as well, which changes nothing but that count.
const METER: Grant = Grant {
    entity: "Meter",
    prefix: store::quota::PREFIX,
    kept: TypeId::of::<Meter>(),
    access: protocol::Access::Count,
    loader: None,
    indexes: &[],
};

/// What a procedure's capabilities need, what it takes to know the caller, and to charge for what is read.
fn needs<P: Procedure + Named + Describe>() -> Needs {
    let mut needs = P::needs();
    if let (Callers::Sessions(lookup), true) = (P::SERVICE.callers, P::SPEC.looks_at_caller()) {
        let applications = lookup.applications.filter(|_| P::SPEC.looks_at_application());
        for look in [Some(lookup.grant), applications.map(|applications| applications.grant)].into_iter().flatten() {
            let covers = |grant: &Grant| grant.prefix == look.prefix && grant.access != protocol::Access::Append;
            if !needs.grants.iter().any(covers) {
                needs.grants.push(look);
            }
        }
    }
    if let (Some(log), true) = (P::SERVICE.refusals, RefusalLog::is_written_by(&P::SPEC))
        && !needs.grants.iter().any(|grant| grant.prefix == log.grant.prefix && grant.access == log.grant.access)
    {
        needs.grants.push(log.grant);
    }
    if P::SPEC.is_charged() {
        needs.grants.push(METER);
    }
    needs
}

/// Whether one of these routes is that of what a POST makes: `GET /v1/orders/{id}` for `POST /v1/orders`. Only then there is
/// a place to name in `Location`.
pub fn has_item<'a>(route: &str, mut routes: impl Iterator<Item = &'a str>) -> bool {
    let Some(path) = route.strip_prefix("POST ") else { return false };
    let id = |other: &'a str| {
        other
            .strip_prefix("GET ")?
            .strip_prefix(path)?
            .strip_prefix("/{")?
            .strip_suffix('}')
            .filter(|id| !id.contains('/'))
    };
    routes.any(|other| id(other).is_some_and(|id| id == "id" || id.ends_with("Id")))
}

/// Procedures that know of each other what one alone does not.
#[doc(hidden)]
pub fn linked(mut procedures: Vec<Registered>) -> Vec<Registered> {
    let routes: Vec<&'static str> = procedures.iter().filter_map(|procedure| procedure.entry.spec.rest).collect();
    for Registered { entry, .. } in &mut procedures {
        entry.has_item = entry.spec.rest.is_some_and(|route| has_item(route, routes.iter().copied()));
    }
    procedures
}

/// A whole service, as the index lists it.
pub struct Service {
    /// What all procedures share.
    pub definition: &'static Definition,
    /// The module of the index, such as `functions`: generated programs name procedures under it.
    pub index: &'static str,
    /// What the domains are about.
    pub domains: Vec<Domain>,
    /// All procedures.
    pub procedures: Vec<Registered>,
}

/// Encodes an output.
///
/// # Errors
/// A fault of ours, if the output's own `Serialize` refuses.
pub fn encode<T: WireType>(output: &T) -> Result<Output, Fault> {
    serde_json::to_vec(output).map(Output::Json).map_err(Fault::internal)
}

/// The index: `procedures! { SERVICE; users { get, list } posts { get } }` declares one module for
/// each word and makes `service()` from them. This is the only list of procedures that people write. A doc comment
/// over a domain says in the documents what it is about.
///
/// `procedures! { inline SERVICE; … }` takes modules that are written in the same file.
#[macro_export]
macro_rules! procedures {
    (
        inline $definition:path;
        $($(#[doc = $docs:literal])* $domain:ident { $($procedure:ident),+ $(,)? })+
    ) => {
        $($(
            impl $crate::Named for $domain::$procedure::Procedure {
                const NAME: &'static str = concat!(stringify!($domain), ".", stringify!($procedure));
                const SERVICE: &'static $crate::Definition = &$definition;
            }
        )+)+

        /// Every procedure of the service, with its contract.
        pub fn service() -> $crate::Service {
            $crate::Service {
                definition: &$definition,
                index: module_path!(),
                domains: vec![$($crate::Domain {
                    name: stringify!($domain),
                    docs: concat!($($docs, "\n"),*).trim_ascii(),
                }),+],
                procedures: $crate::service::linked(
                    vec![$($( $crate::Registered::of::<$domain::$procedure::Procedure>(), )+)+],
                ),
            }
        }
    };
    ($definition:path; $($(#[doc = $docs:literal])* $domain:ident { $($procedure:ident),+ $(,)? })+) => {
        $(
            $(#[doc = $docs])*
            #[allow(missing_docs)]
            pub mod $domain { $( pub mod $procedure; )+ }
        )+
        $crate::procedures! { inline $definition; $($(#[doc = $docs])* $domain { $($procedure),+ })+ }
    };
}

#[cfg(test)]
mod tests {
    use super::has_item;

    #[test]
    fn what_is_made_has_a_place_where_a_get_takes_its_id() {
        let has = |other| has_item("POST /v1/orders", ["GET /v1/orders", other].into_iter());
        assert!(has("GET /v1/orders/{id}") && has("GET /v1/orders/{orderId}"));
        for other in [
            "DELETE /v1/orders/{id}",
            "GET /v1/orders/{email}",
            "GET /v1/orders/{id}/notes",
            "GET /v1/orders/{group}/{id}",
            "GET /v1/orders/id",
            "GET /v1/ordersById/{id}",
            "GET /v2/orders/{id}",
        ] {
            assert!(!has(other), "{other}");
        }
        assert!(!has_item("PUT /v1/orders", ["GET /v1/orders/{id}"].into_iter()));
        assert!(has_item("POST /v1/teams/{team}/orders", ["GET /v1/teams/{team}/orders/{id}"].into_iter()));
    }
}
