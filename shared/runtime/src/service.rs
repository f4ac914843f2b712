//! The parts of a service: its definition, its procedures without their types, and the index that lists them.

use std::{any::TypeId, future::Future, pin::Pin};

use http::HeaderMap;
use protocol::{
    About, AuthorizationServer, Fault, Grant, Kind, Layout, Needs, PasswordSignIn, Principal, SessionSignIn, Spec,
    WireType,
    contract::{ContractBuilder, Describe, Described, Domain},
};

use crate::{Call, HttpReply, config::ConfigReaders, refusals::RefusalLog, seed::Seed, sessions::SessionLookup};

/// A boxed future, so that the code behind it is compiled once.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The result of a procedure's run.
pub type Outcome = BoxFuture<'static, Result<Output, Fault>>;

/// The output of a procedure.
#[derive(Debug)]
pub enum Output {
    /// A procedure without output has done its work.
    Nothing,
    /// The output as JSON.
    Json(Vec<u8>),
    /// A response of the procedure's own (`http`).
    Http(HttpReply),
}

/// What all procedures of a service share. It is written once, beside the index.
pub struct Definition {
    /// The service's name: the audience of its tokens and a part of its table's name.
    pub name: &'static str,
    /// The name of its client's npm package, such as `@example/shop`.
    pub npm_package: &'static str,
    /// The metadata of its documents and that package, such as [`about!`](crate::about).
    pub about: About,
    /// The folders of its files; nothing is generated for a service without it.
    pub layout: Option<Layout>,
    /// The names of all roles.
    pub roles: &'static [&'static str],
    /// The role of operators, which calls from the command line have unless they name another.
    pub operator_role: Option<&'static str>,
    /// Whether a role has a permission.
    pub permits: fn(role: &str, permission: &str) -> bool,
    /// The purposes of each permission: the summaries of the procedures that need it. `cargo regen` writes them.
    pub permissions: &'static [(&'static str, &'static [&'static str])],
    /// The permissions that no third party's application ever gets, whatever its registration and the person's
    /// consent: those that would let it grant itself others.
    pub withheld: &'static [&'static str],
    /// How callers are identified.
    pub callers: Callers,
    /// Whether queries may come as POST (`methodOverride` of the official client).
    pub method_override: bool,
    /// How a gateway signs a caller in by a name and a password that come with the call; gateways accept none if it
    /// is left out.
    pub password_sign_in: Option<PasswordSignIn>,
    /// How a client signs in and stays signed in; the npm package has no `createSession` if it is left out.
    pub session: Option<SessionSignIn>,
    /// How third parties' applications get access; the documents describe no such way if it is left out.
    pub authorization_server: Option<AuthorizationServer>,
    /// Where refusals of mutations are recorded; only in the log of calls if it is left out.
    pub refusals: Option<RefusalLog>,
}

impl Definition {
    /// The definition of a service that states only its name: it identifies callers by tokens, and none of them has a
    /// permission. For `Definition { …, ..Definition::named("shop") }`.
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

/// The metadata in the manifest (`Cargo.toml`) of the package that calls it, for [`Definition::about`].
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

/// How callers are identified.
#[derive(Clone, Copy)]
pub enum Callers {
    /// By a signed token in `Authorization: Bearer`, see [`crate::tokens`].
    Tokens,
    /// By a signed token, or by the cookie of a session, see [`crate::sessions`].
    Sessions(SessionLookup),
    /// By the service's own function of the request's headers.
    Custom(fn(&HeaderMap) -> Result<Option<Principal>, Fault>),
}

/// A procedure, as its function runs it. `#[procedure]` implements it.
pub trait Procedure {
    /// The attributes of `#[procedure(…)]`.
    const SPEC: Spec;
    /// How its configurations are read.
    const CONFIGS: ConfigReaders = ConfigReaders::NONE;
    /// Decodes the input, calls the function, encodes the output.
    fn run(call: Call) -> Outcome;
}

/// One procedure without its types: all that its function links.
#[derive(Clone, Copy)]
pub struct Entry {
    /// Its name on the wire: `orders.get`, and `orders.markPaid` for the file `orders/mark_paid.rs`.
    pub name: &'static str,
    /// The attributes of `#[procedure(…)]`, resolved among the service's other procedures.
    pub spec: Spec,
    /// The service.
    pub service: &'static Definition,
    /// How its configurations are read.
    pub configs: ConfigReaders,
    pub(crate) run: fn(Call) -> Outcome,
}

impl Entry {
    /// Creates the entry of a procedure under its name in the index. `routes` are those of the procedures in the same
    /// index.
    pub const fn of<P: Procedure>(
        name: &'static str,
        service: &'static Definition,
        routes: &'static [Option<&'static str>],
    ) -> Self {
        let mut spec = P::SPEC;
        if let Some(route) = spec.rest {
            spec.rest_answer = spec.rest_answer.among(route, routes);
        }
        Self { name, spec, service, configs: P::CONFIGS, run: P::run }
    }

    /// The name of its program and, within a stage, of its function: `orders-mark-paid`.
    pub fn function(&self) -> String {
        protocol::case::function_name(self.name)
    }

    /// Method and path of a procedure with `http`.
    pub fn http(&self) -> Option<(&'static str, &'static str)> {
        self.spec.http.and_then(|route| route.split_once(' '))
    }

    /// Method and path of its REST route.
    pub fn rest(&self) -> Option<(&'static str, &'static str)> {
        self.spec.rest.and_then(|route| route.split_once(' '))
    }

    /// Its path at the front.
    pub fn path(&self) -> String {
        self.http().map_or_else(|| format!("/trpc/{}", self.name), |(_, path)| path.to_owned())
    }

    /// The method that clients call it by, if they do not override it.
    pub fn method(&self) -> &'static str {
        match (self.http(), self.spec.kind) {
            (Some((method, _)), _) => method,
            (None, Kind::Query) => "GET",
            (None, Kind::Mutation) => "POST",
        }
    }
}

/// One procedure with its contract. Only the local service and `cargo regen` link it.
#[derive(Clone, Copy)]
pub struct Registered {
    /// The entry that runs.
    pub entry: Entry,
    /// The path of the [`Entry`] in the package with the index, for the function's `main`: `entries::orders::get`.
    pub path: &'static str,
    needs: fn() -> Needs,
    describe: fn(&mut ContractBuilder, &str, Spec, Needs) -> Described,
}

impl Registered {
    /// Creates it for the index.
    pub const fn of<P: Procedure + Describe>(entry: Entry, path: &'static str) -> Self {
        Self { entry, path, needs: P::needs, describe: P::describe }
    }

    /// All rights that the procedure needs: those of its capabilities, of the caller's identification, and of the
    /// read quota.
    pub fn needs(&self) -> Needs {
        needs(&self.entry, (self.needs)())
    }

    /// The procedure's part of the contract.
    pub fn describe(&self, builder: &mut ContractBuilder) -> Described {
        (self.describe)(builder, self.entry.name, self.entry.spec, self.needs())
    }
}

/// The type that stands for the counters of reads, which have no entity.
struct Meter;

/// The right to count a caller's reads. A query has it as well, although it writes: it reaches nothing but that
/// counter.
const METER: Grant = Grant::of_counts("Meter", store::quota::PREFIX, TypeId::of::<Meter>());

/// The rights of a procedure's capabilities (`needs`), and those that its entry adds.
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
    /// The domains and their descriptions.
    pub domains: Vec<Domain>,
    /// All procedures.
    pub procedures: Vec<Registered>,
    /// What fills the domains with demonstration data, in the order of the index.
    pub seeds: Vec<Seed>,
}

/// Encodes an output.
///
/// # Errors
/// An internal error if the output's own `Serialize` fails.
pub fn encode<T: WireType>(output: &T) -> Result<Output, Fault> {
    serde_json::to_vec(output).map(Output::Json).map_err(Fault::internal)
}

/// The index. `procedures! { SERVICE; users { get, list } posts { get } }` declares one module for each word and
/// generates `service()` and `entries`, in which each procedure has its [`Entry`]. It is the only list of procedures
/// that people write. A doc comment on a domain is its description in the documents. Names on the wire are in camel
/// case: `orders { mark_paid }` is `orders.markPaid`.
///
/// `orders { get, list; seed }` adds the module `seed` with demonstration data, see [`seed`](crate::seed).
///
/// `procedures! { SERVICE, mount identity for User; … }` adds the procedures of a package, see [`package`].
/// `procedures! { inline SERVICE; … }` takes modules that are written in the same file.
#[macro_export]
macro_rules! procedures {
    (
        inline $definition:path
            $(, mount $package:ident for $subject:ident $(without [$($part:ident),+ $(,)?])?)*;
        $($(#[doc = $docs:literal])* $domain:ident { $($procedure:ident),+ $(,)? $(; $seed:ident)? })*
    ) => {
        /// The entry of each function. They are statics of this package, so that they are compiled with it and not
        /// with each function.
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
            // Domains of one name are merged: the service may add procedures of its own to a package's domain.
            domains.dedup_by(|one, other| one.name == other.name);
            $crate::Service {
                definition: &$definition,
                index: module_path!(),
                domains,
                procedures,
                seeds: vec![$($({
                    const SEED: $crate::seed::Seed = |seeder| Box::pin($domain::$seed::seed(seeder));
                    SEED
                },)?)*],
            }
        }
    };
    (
        $definition:path
            $(, mount $package:ident for $subject:ident $(without [$($part:ident),+ $(,)?])?)*;
        $($(#[doc = $docs:literal])* $domain:ident { $($procedure:ident),+ $(,)? $(; $seed:ident)? })*
    ) => {
        $(
            $(#[doc = $docs])*
            #[allow(missing_docs)]
            pub mod $domain { $( pub mod $procedure; )+ $( pub mod $seed; )? }
        )*
        $crate::procedures! {
            inline $definition $(, mount $package for $subject $(without [$($part),+])?)*;
            $($(#[doc = $docs])* $domain { $($procedure),+ $(; $seed)? })*
        }
    };
}

/// The index of a package of procedures that services mount, in the module that holds them: `package! { users {
/// get<U> } }`. `<U>` marks the procedures that are generic over the service's own type.
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

/// What a package's `mount!` expands to in a service: each procedure's [`Entry`], and lists of them.
#[doc(hidden)]
#[macro_export]
macro_rules! mounted {
    (
        ($($procedures:tt)+) $package:ident for $mounted_for:ty, $definition:path;
        $($(#[doc = $docs:literal])* $domain:ident { $($procedure:ident $(<$subject:ident>)?),+ $(,)? })+
    ) => {
        use $($procedures)+ as mounted;

        type U = $mounted_for;

        /// The routes of the package's procedures.
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

        /// The package's procedures.
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

        /// The package's domains.
        pub fn domains() -> Vec<$crate::Domain> {
            vec![$($crate::Domain {
                name: $crate::wire_name!($domain).to_owned(),
                docs: concat!($($docs, "\n"),*).trim_ascii().to_owned(),
            }),+]
        }
    };
}
