//! Routing of methods and paths to procedures.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use protocol::{Cause, PathPattern, Paths};
use runtime::{
    Entry,
    rest::{Allowed, Route},
};

/// The routes of procedures. A path may have parameters in braces, as API Gateway has them
/// (`/trips/callback/{provider}`): one segment each.
///
/// Among several matching paths, the method decides first, and then the most specific path. An HTTP API with the routes
/// of `shared/infra/src/routes.ts` does the same, and so does a reader of OpenAPI, in which each path has its own methods.
#[derive(Debug, Default)]
pub struct Routes {
    /// The paths by method, GET first: `allow` lists the methods of one address in this order.
    methods: Vec<(&'static str, Paths<RouteEntry>)>,
    /// The procedure that answers for other methods: at each path the first one of `methods`.
    any: Paths<RouteEntry>,
    /// All routes.
    entries: Vec<RouteEntry>,
}

/// A procedure at a path.
#[derive(Clone, Copy, Debug)]
struct RouteEntry {
    path: PathPattern<'static>,
    procedure: &'static str,
    is_rest: bool,
}

/// The match of a path.
pub(super) struct RouteMatch {
    pub(super) procedure: &'static str,
    /// None if the procedure has an HTTP form of its own.
    pub(super) route: Option<Route>,
    /// All methods of the path.
    pub(super) methods: Allowed,
}

impl Routes {
    /// Collects the routes of those procedures that have a path of their own, or a REST route.
    ///
    /// # Errors
    /// When two of them have the same route.
    pub fn new(entries: impl IntoIterator<Item = Entry>) -> Result<Self, Cause> {
        Self::of(entries.into_iter().flat_map(|entry| {
            let routes = [(false, entry.http()), (true, entry.rest())];
            routes.into_iter().filter_map(move |(is_rest, route)| Some((route?, entry.name, is_rest)))
        }))
    }

    /// Builds the table from methods and paths, with their procedures, and whether they are REST routes.
    fn of(routes: impl IntoIterator<Item = ((&'static str, &'static str), &'static str, bool)>) -> Result<Self, Cause> {
        let mut by_method: BTreeMap<_, Vec<RouteEntry>> = BTreeMap::new();
        for ((method, path), procedure, is_rest) in routes {
            let entry = RouteEntry { path: PathPattern(path), procedure, is_rest };
            by_method.entry((method != "GET", method)).or_default().push(entry);
        }
        let (mut routes, mut first) = (Self::default(), BTreeMap::new());
        for ((_, method), entries) in by_method {
            let mut paths = Paths::default();
            for entry in entries {
                paths.insert(entry.path, entry)?;
                first.entry(entry.path).or_insert(entry);
                routes.entries.push(entry);
            }
            routes.methods.push((method, paths));
        }
        for (path, entry) in first {
            routes.any.insert(path, entry)?;
        }
        Ok(routes)
    }

    /// The procedure at a path: the one with this method, else the one for any method, which then refuses it.
    pub(super) fn find(&self, method: &Method, path: &str) -> Option<RouteMatch> {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        let own = self.methods.iter().find(|(known, _)| method == known).and_then(|(_, paths)| paths.at(path));
        let RouteEntry { path: pattern, procedure, is_rest } = *own.or_else(|| self.any.at(path))?;
        let route = is_rest.then(|| Route { parameters: pattern.parameters(path) });
        Some(RouteMatch { procedure, route, methods: Allowed(self.methods_at(path).into()) })
    }

    /// The methods of an address, in the form of `allow`.
    fn methods_at(&self, path: &str) -> String {
        let there = self.methods.iter().filter(|(_, paths)| paths.at(path).is_some());
        let methods = there.map(|(method, _)| if *method == "GET" { "GET, HEAD" } else { method });
        methods.collect::<Vec<_>>().join(", ")
    }

    /// What the function of a procedure gets as `ONEFOLD_METHODS` in the cloud (`shared/infra/src/routes.ts`): the methods of
    /// its path, and those of more specific paths that match it as well.
    pub fn methods_of(&self, procedure: &str) -> Option<String> {
        let own = self.entries.iter().find(|entry| entry.procedure == procedure)?.path;
        let others = self.entries.iter().map(|entry| entry.path).filter(|path| *path != own && own.covers(*path));
        let others: BTreeSet<_> = others.collect();
        let others = others.into_iter().map(|path| format!("{} {}", path.0, self.methods_at(path.0)));
        Some([self.methods_at(own.0)].into_iter().chain(others).collect::<Vec<_>>().join(";"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(all: &[(&'static str, &'static str, bool)]) -> Routes {
        Routes::of(all.iter().map(|(route, procedure, is_rest)| (route.split_once(' ').unwrap(), *procedure, *is_rest)))
            .unwrap()
    }

    #[test]
    fn of_routes_that_overlap_the_method_decides_and_then_the_path() {
        let routes = routes(&[
            ("GET /v1/notes/{id}", "notes.get", true),
            ("DELETE /v1/notes/{id}", "notes.delete", true),
            ("POST /v1/notes/touch", "notes.touch", true),
            ("GET /v1/notes/{id}/marks/first", "notes.first", true),
            ("GET /v1/notes/{id}/marks/{mark}", "notes.mark", true),
            ("PATCH /v1/notes/touch/marks/{mark}", "notes.remark", true),
        ]);
        let found = |method: Method, path| {
            let RouteMatch { procedure, route, methods } = routes.find(&method, path).unwrap();
            let parameters = route.unwrap().parameters;
            (procedure, parameters.into_iter().map(|(_, value)| value).collect::<Vec<_>>().join(" "), methods.0)
        };
        let at_touch = "GET, HEAD, DELETE, POST";
        for (method, procedure, parameter) in [
            (Method::GET, "notes.get", "touch"),
            (Method::HEAD, "notes.get", "touch"),
            (Method::DELETE, "notes.delete", "touch"),
            (Method::POST, "notes.touch", ""),
            // Without an overlap, all methods are listed.
            (Method::PUT, "notes.touch", ""),
        ] {
            let expected = (procedure, parameter.to_owned(), at_touch.into());
            assert_eq!(found(method.clone(), "/v1/notes/touch"), expected, "{method}");
        }
        assert_eq!(found(Method::PUT, "/v1/notes/a").2, "GET, HEAD, DELETE".into());
        assert_eq!(found(Method::GET, "/v1/notes/touch/marks/first").0, "notes.first");
        assert_eq!(found(Method::GET, "/v1/notes/touch/marks/last").1, "touch last");
        assert_eq!(found(Method::PATCH, "/v1/notes/touch/marks/first").0, "notes.remark");
        // The same text as for functions in the cloud.
        let methods_of = |procedure| routes.methods_of(procedure);
        let of_notes = "GET, HEAD, DELETE;/v1/notes/touch GET, HEAD, DELETE, POST";
        assert_eq!(methods_of("notes.delete").as_deref(), Some(of_notes));
        assert_eq!(methods_of("notes.touch").as_deref(), Some("GET, HEAD, DELETE, POST"));
        assert_eq!(methods_of("notes.nothing"), None);
    }

    #[test]
    fn a_name_in_braces_stands_for_one_segment() {
        let routes = routes(&[
            ("GET /trips/callback/{provider}", "trips.callback", false),
            ("GET /trips/start", "trips.start", false),
            ("GET /v1/orders/{id}", "orders.get", true),
            ("GET /v1/orders/me", "orders.me", true),
        ]);
        let found = |path| routes.find(&Method::GET, path).map(|found| found.procedure);
        assert_eq!(found("/trips/start"), Some("trips.start"));
        assert_eq!(found("/trips/callback/acme"), Some("trips.callback"));
        assert_eq!(found("/v1/orders/me"), Some("orders.me"));
        for other in
            ["/trips/callback", "/trips/callback/", "/trips/callback/acme/x", "/trips/start/x", "/x/callback/acme"]
        {
            assert_eq!(found(other), None, "{other}");
        }
        let route = routes.find(&Method::HEAD, "/v1/orders/a%2Fb").unwrap().route.unwrap();
        assert_eq!(route.parameters, [("id".to_owned(), "a/b".to_owned())]);
    }
}
