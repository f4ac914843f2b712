//! What a service is made of, and what a function's `main` and the local service get to see of it.

use std::{any::TypeId, future::Future, pin::Pin};

use http::HeaderMap;
use protocol::{
    About, AuthorizationServer, Fault, Grant, Kind, Layout, Needs, PasswordSignIn, Principal, SessionSignIn, Spec,
    WireType,
    contract::{ContractBuilder, Describe, Described, Domain},
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
    /// What each permission is for, in the words of the procedures that need it, as `cargo regen` writes them.
    pub permissions: &'static [(&'static str, &'static [&'static str])],
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
            permissions: &[],
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

/// One procedure without its types: all that its function links.
#[derive(Clone, Copy)]
pub struct Entry {
    /// What it is called on the wire: `orders.get`, and `orders.markPaid` of the file `orders/mark_paid.rs`.
    pub name: &'static str,
    /// What `#[procedure(…)]` states, among the other procedures of the service.
    pub spec: Spec,
    /// The service.
    pub service: &'static Definition,
    pub(crate) run: fn(Call) -> Outcome,
}

impl Entry {
    /// The entry of a procedure under the name that the index gives it. `routes`: those of the procedures beside it.
    pub const fn of<P: Procedure>(
        name: &'static str,
        service: &'static Definition,
        routes: &'static [Option<&'static str>],
    ) -> Self {
        let mut spec = P::SPEC;
        if let Some(route) = spec.rest {
            spec.rest_answer = spec.rest_answer.among(route, routes);
        }
        Self { name, spec, service, run: P::run }
    }

    /// What its function is called in a stage, and the program of it: `orders-mark-paid`.
    pub fn function(&self) -> String {
        protocol::case::function_name(self.name)
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
    /// The path of the [`Entry`] in the package that holds the index, for the function's `main`: `entries::orders::get`.
    pub path: &'static str,
    needs: fn() -> Needs,
    describe: fn(&mut ContractBuilder, &str, Spec, Needs) -> Described,
}

impl Registered {
    /// For the index.
    pub const fn of<P: Procedure + Describe>(entry: Entry, path: &'static str) -> Self {
        Self { entry, path, needs: P::needs, describe: P::describe }
    }

    /// What the procedure needs from outside: its capabilities, what it takes to know the caller, and to charge for what
    /// is read.
    pub fn needs(&self) -> Needs {
        needs(&self.entry, (self.needs)())
    }

    /// What the press asks.
    pub fn describe(&self, builder: &mut ContractBuilder) -> Described {
        (self.describe)(builder, self.entry.name, self.entry.spec, self.needs())
    }
}

/// What counts a caller's reads.
struct Meter;

/// To count what a caller reads. A query has this right as well, which changes nothing but that count.
const METER: Grant = Grant::of_counts("Meter", store::quota::PREFIX, TypeId::of::<Meter>());

/// What a procedure's capabilities need (`needs`), and what its entry needs beside them.
fn needs(Entry { service, spec, .. }: &Entry, mut needs: Needs) -> Needs {
    if let (Callers::Sessions(lookup), true) = (service.callers, spec.looks_at_caller()) {
        let applications = lookup.applications.filter(|_| spec.looks_at_application());
        for look in [Some(lookup.grant), applications.map(|applications| applications.grant)].into_iter().flatten() {
            let covers = |grant: &Grant| grant.prefix == look.prefix && grant.gets();
            if !needs.grants.iter().any(covers) {
                needs.grants.push(look);
            }
        }
    }
    if let (Some(log), true) = (service.refusals, RefusalLog::is_written_by(spec))
        && !needs.grants.iter().any(|grant| grant.prefix == log.grant.prefix && grant.access == log.grant.access)
    {
        needs.grants.push(log.grant);
    }
    if spec.is_charged() {
        needs.grants.push(METER);
    }
    needs
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

/// The index: `procedures! { SERVICE; users { get, list } posts { get } }` declares one module for each word and makes
/// from them `service()` and `entries`, in which each procedure has its [`Entry`]. This is the only list of procedures
/// that people write. A doc comment over a domain says in the documents what it is about. On the wire, words are in camel
/// case: `orders { mark_paid }` is called as `orders.markPaid`.
///
/// `procedures! { SERVICE, mount identity for User; … }` takes the procedures of a package besides, see [`package`].
/// `procedures! { inline SERVICE; … }` takes modules that are written in the same file.
#[macro_export]
macro_rules! procedures {
    (
        inline $definition:path
            $(, mount $package:ident for $subject:ident $(without [$($part:ident),+ $(,)?])?)*;
        $($(#[doc = $docs:literal])* $domain:ident { $($procedure:ident),+ $(,)? })*
    ) => {
        /// What each function runs. They are made here, so that they are compiled with this package and not with each
        /// function.
        pub mod entries {
            /// The routes of the service's own procedures.
            const ROUTES: &[Option<&str>] =
                &[$($( <super::$domain::$procedure::Procedure as $crate::Procedure>::SPEC.rest, )+)*];

            $(#[allow(missing_docs, non_upper_case_globals)]
            pub mod $domain {
                #[allow(unused_imports)]
                use super::super::*;

                $(pub static $procedure: $crate::Entry = $crate::Entry::of::<super::super::$domain::$procedure::Procedure>(
                    $crate::wire_name!($domain, $procedure),
                    &$definition,
                    super::ROUTES,
                );)+
            })*
            $(/// Those of a package.
            pub mod $package {
                #[allow(unused_imports)]
                use super::super::*;

                $package::mount! { $package for $subject, $definition }
            })*
        }

        /// Every procedure of the service, with its contract.
        pub fn service() -> $crate::Service {
            #[allow(unused_mut)]
            let mut domains = vec![$($crate::Domain {
                name: $crate::wire_name!($domain).to_owned(),
                docs: concat!($($docs, "\n"),*).trim_ascii().to_owned(),
            }),*];
            #[allow(unused_mut)]
            let mut procedures = vec![$($($crate::Registered::of::<$domain::$procedure::Procedure>(
                entries::$domain::$procedure,
                concat!("entries::", stringify!($domain), "::", stringify!($procedure)),
            ),)+)*];
            $(
                let without = [$($($package::Part::$part),+)?];
                procedures.extend(entries::$package::procedures().into_iter().filter(|procedure| {
                    $package::Part::of(procedure.entry.name).is_none_or(|part| !without.contains(&part))
                }));
                domains.extend(entries::$package::domains());
            )*
            domains.retain(|domain| {
                let is_its = |name: &str| name.split_once('.').is_some_and(|(first, _)| first == domain.name);
                procedures.iter().any(|procedure| is_its(procedure.entry.name))
            });
            domains.sort_by(|one, other| one.name.cmp(&other.name));
            // Those of one name are one: the service may add procedures of its own to a domain of a package.
            domains.dedup_by(|one, other| one.name == other.name);
            $crate::Service {
                definition: &$definition,
                index: module_path!(),
                domains,
                procedures,
            }
        }
    };
    (
        $definition:path
            $(, mount $package:ident for $subject:ident $(without [$($part:ident),+ $(,)?])?)*;
        $($(#[doc = $docs:literal])* $domain:ident { $($procedure:ident),+ $(,)? })*
    ) => {
        $(
            $(#[doc = $docs])*
            #[allow(missing_docs)]
            pub mod $domain { $( pub mod $procedure; )+ }
        )*
        $crate::procedures! {
            inline $definition $(, mount $package for $subject $(without [$($part),+])?)*;
            $($(#[doc = $docs])* $domain { $($procedure),+ })*
        }
    };
}

/// The index of a package of procedures that services mount, in the module that holds them: `package! { users { get<U> } }`
/// with the procedures that are generic over the service's own type marked by `<U>`.
#[macro_export]
macro_rules! package {
    ($($(#[doc = $docs:literal])* $domain:ident { $($procedure:ident $(<$subject:ident>)?),+ $(,)? })+) => {
        $(
            $(#[doc = $docs])*
            #[allow(missing_docs)]
            pub mod $domain { $( pub mod $procedure; )+ }
        )+
    };
}

/// What a package's `mount!` makes of its index in a service: each procedure's [`Entry`], and lists of them.
#[doc(hidden)]
#[macro_export]
macro_rules! mounted {
    (
        ($($procedures:tt)+) $package:ident for $mounted_for:ty, $definition:path;
        $($(#[doc = $docs:literal])* $domain:ident { $($procedure:ident $(<$subject:ident>)?),+ $(,)? })+
    ) => {
        use $($procedures)+ as mounted;

        type U = $mounted_for;

        /// The routes of its procedures.
        const ROUTES: &[Option<&str>] = &[$($(
            <mounted::$domain::$procedure::Procedure$(<$subject>)? as $crate::Procedure>::SPEC.rest,
        )+)+];

        $(#[allow(missing_docs, non_upper_case_globals)]
        pub mod $domain {
            #[allow(unused_imports)]
            use super::*;

            $(pub static $procedure: $crate::Entry =
                $crate::Entry::of::<super::mounted::$domain::$procedure::Procedure$(<$subject>)?>(
                    $crate::wire_name!($domain, $procedure),
                    &$definition,
                    super::ROUTES,
                );)+
        })+

        /// Its procedures.
        pub fn procedures() -> Vec<$crate::Registered> {
            vec![$($(
                $crate::Registered::of::<mounted::$domain::$procedure::Procedure$(<$subject>)?>(
                    $domain::$procedure,
                    concat!(
                        "entries::", stringify!($package), "::", stringify!($domain), "::", stringify!($procedure),
                    ),
                ),
            )+)+]
        }

        /// Its domains.
        pub fn domains() -> Vec<$crate::Domain> {
            vec![$($crate::Domain {
                name: $crate::wire_name!($domain).to_owned(),
                docs: concat!($($docs, "\n"),*).trim_ascii().to_owned(),
            }),+]
        }
    };
}
