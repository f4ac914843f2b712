//! What the responses of a REST route state in HTTP (RFC 9110), known from the declaration alone.
//!
//! It is computed when a procedure is compiled, and stands in its [`Spec`](crate::Spec) and in the contract. The
//! runtime's responses and the OpenAPI document both follow it: neither computes it again.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{Cursor, Field, Form, Kind};

/// What the answers of a REST route say besides the output. `#[procedure(…, created = false)]` and the like say no to a part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RestAnswer {
    /// Whether a call creates something, 201: a mutation by POST whose output has an `id`, a text. Where the path names an
    /// `id`, something is done to what exists.
    pub created: bool,
    /// Whether `Location` says where that is: at the route's path with the `id`, if there is a GET for that.
    pub location: bool,
    /// Whether the output's `version`, an integer, is its `ETag`.
    pub etag: bool,
    /// Whether `If-Match` of a change is the input's `version`, an integer outside of the path.
    pub if_match: bool,
    /// Whether the output of a GET is a page, of `items`, whose `next` goes into the input's `cursor`: `Link` leads there.
    pub link: bool,
}

/// The declaration of a route, from which its [`RestAnswer`] is computed.
#[derive(Clone, Copy, Debug)]
pub struct RestDeclaration<'a> {
    /// Query or mutation.
    pub kind: Kind,
    /// Method and path, such as `POST /v1/orders`.
    pub route: &'a str,
    /// The fields of the input.
    pub input: &'a [Field],
    /// The fields of the output; none where there is no output.
    pub output: &'a [Field],
}

impl RestAnswer {
    /// A response with the output only.
    pub const NONE: Self = Self { created: false, location: false, etag: false, if_match: false, link: false };

    /// The response of a route as it is declared, without the parts that its author declines. Whether `Location` has
    /// a target depends on the other routes: see [`RestAnswer::among`].
    ///
    /// # Panics
    /// When the author declines a part that the response does not have.
    pub const fn of(declaration: RestDeclaration<'_>, declined: Self) -> Self {
        let RestDeclaration { kind, route, input, output } = declaration;
        let route = route.as_bytes();
        let is_get = after(route, b"GET ").is_some();
        let is_created = matches!(kind, Kind::Mutation)
            && after(route, b"POST ").is_some()
            && !has_segment(route, b"{id}")
            && matches!(find(output, b"id"), Some(Field { form: Form::Text, is_nullable: false, .. }));
        let has_etag = is_integer(find(output, b"version"));
        let takes_if_match = !is_get && is_integer(find(input, b"version")) && !has_segment(route, b"{version}");
        let is_page = is_get
            && matches!(find(output, b"items"), Some(Field { form: Form::List(_), .. }))
            && matches!(find(output, b"next"), Some(Field { form: Form::Text, .. }))
            && find(input, Cursor::FIELD.as_bytes()).is_some();
        assert!(!declined.created || is_created, "`created = false`: the route answers no 201 anyway: leave it out");
        assert!(
            !declined.location || is_created,
            "`location = false`: the route has no `Location` anyway: leave it out"
        );
        assert!(
            !declined.etag || has_etag || takes_if_match,
            "`etag = false`: the route has no `ETag` anyway: leave it out"
        );
        assert!(!declined.link || is_page, "`link = false`: the route has no `Link` anyway: leave it out");
        let created = is_created && !declined.created;
        Self {
            created,
            location: created && !declined.location,
            etag: has_etag && !declined.etag,
            if_match: takes_if_match && !declined.etag,
            link: is_page && !declined.link,
        }
    }

    /// The response of a route among all routes of its service: it has a `Location` if one of them is the GET of the
    /// created resource, `GET /v1/orders/{id}` for `POST /v1/orders`.
    #[must_use]
    pub const fn among(self, route: &str, routes: &[Option<&str>]) -> Self {
        Self { location: self.location && has_item(route, routes), ..self }
    }

    /// The status of a successful response.
    pub const fn status(self, has_output: bool) -> u16 {
        match (has_output, self.created) {
            (false, _) => 204,
            (true, true) => 201,
            (true, false) => 200,
        }
    }
}

const fn has_item(route: &str, routes: &[Option<&str>]) -> bool {
    let Some(path) = after(route.as_bytes(), b"POST ") else { return false };
    let mut at = 0;
    while at < routes.len() {
        if let Some(other) = routes[at]
            && let Some(other) = after(other.as_bytes(), b"GET ")
            && let Some(rest) = after(other, path)
            && is_item(rest)
        {
            return true;
        }
        at += 1;
    }
    false
}

/// Whether this completes a collection's path to that of one item: `/{id}` or `/{userId}`.
const fn is_item(rest: &[u8]) -> bool {
    let [b'/', b'{', name @ .., b'}'] = rest else { return false };
    let mut at = 0;
    while at < name.len() {
        if name[at] == b'/' {
            return false;
        }
        at += 1;
    }
    matches!(name, b"id" | [.., b'I', b'd'])
}

/// Whether a path contains this segment.
const fn has_segment(path: &[u8], segment: &[u8]) -> bool {
    let mut path = path;
    loop {
        match path {
            [] => return false,
            [b'/', rest @ ..] => match after(rest, segment) {
                Some([] | [b'/', ..]) => return true,
                _ => path = rest,
            },
            [_, rest @ ..] => path = rest,
        }
    }
}

/// The text after a prefix, if it has the prefix.
const fn after<'a>(text: &'a [u8], beginning: &[u8]) -> Option<&'a [u8]> {
    let (mut text, mut beginning) = (text, beginning);
    loop {
        match (text, beginning) {
            (_, []) => return Some(text),
            ([a, rest_of_text @ ..], [b, rest @ ..]) if *a == *b => (text, beginning) = (rest_of_text, rest),
            _ => return None,
        }
    }
}

const fn find(fields: &[Field], name: &[u8]) -> Option<Field> {
    let mut at = 0;
    while at < fields.len() {
        if let Some([]) = after(fields[at].name.as_bytes(), name) {
            return Some(fields[at]);
        }
        at += 1;
    }
    None
}

const fn is_integer(field: Option<Field>) -> bool {
    matches!(field, Some(Field { form: Form::Integer, .. }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn field(name: &'static str, form: Form) -> Field {
        Field { name, form, is_nullable: false }
    }

    const ID: Field = field("id", Form::Text);
    const VERSION: Field = field("version", Form::Integer);
    const PAGE: &[Field] =
        &[field("items", Form::List(&Form::Json)), Field { is_nullable: true, ..field("next", Form::Text) }];
    const CURSOR: &[Field] = &[Field { is_nullable: true, ..field(Cursor::FIELD, Form::Text) }];

    fn answer(kind: Kind, route: &str, input: &[Field], output: &[Field]) -> RestAnswer {
        RestAnswer::of(RestDeclaration { kind, route, input, output }, RestAnswer::NONE)
    }

    #[test]
    fn a_mutation_by_post_creates_what_has_an_id() {
        let post = |output| answer(Kind::Mutation, "POST /v1/orders", &[], output);
        assert!(post(&[ID]).created && post(&[VERSION, ID]).created);
        for output in [
            &[][..],
            &[field("id", Form::Integer)],
            &[field("id", Form::Json)],
            &[Field { is_nullable: true, ..ID }],
            &[field("ids", Form::Text)],
            &[field("userId", Form::Text)],
        ] {
            assert!(!post(output).created, "{output:?}");
        }
        for (kind, route) in [
            (Kind::Query, "POST /v1/orders"),
            (Kind::Mutation, "PUT /v1/orders"),
            (Kind::Mutation, "POST /v1/orders/{id}/mark"),
            (Kind::Mutation, "POST /v1/orders/{id}"),
        ] {
            assert!(!answer(kind, route, &[], &[ID]).created, "{route}");
        }
        assert!(answer(Kind::Mutation, "POST /v1/orders/{userId}/posts", &[], &[ID]).created);
    }

    #[test]
    fn what_is_created_has_a_place_where_a_get_takes_its_id() {
        let created = RestAnswer { created: true, location: true, ..RestAnswer::NONE };
        let has_place = |route, other| created.among(route, &[None, Some("GET /v1/orders"), Some(other)]).location;
        for other in ["GET /v1/orders/{id}", "GET /v1/orders/{userId}"] {
            assert!(has_place("POST /v1/orders", other), "{other}");
            assert!(!RestAnswer::NONE.among("POST /v1/orders", &[Some(other)]).location, "nothing is created");
        }
        for other in [
            "DELETE /v1/orders/{id}",
            "GET /v1/orders/{email}",
            "GET /v1/orders/{id}/posts",
            "GET /v1/orders/{group}/{id}",
            "GET /v1/orders/id",
            "GET /v1/ordersById/{id}",
            "GET /v2/users/{id}",
        ] {
            assert!(!has_place("POST /v1/orders", other), "{other}");
        }
        assert!(!has_place("PUT /v1/orders", "GET /v1/orders/{id}"));
        assert!(has_place("POST /v1/teams/{team}/users", "GET /v1/teams/{team}/users/{id}"));
    }

    #[test]
    fn a_version_that_is_an_integer_is_a_tag_and_a_condition() {
        const TEXT: Field = field("version", Form::Text);
        let get = answer(Kind::Query, "GET /v1/orders/{id}", &[VERSION], &[ID, VERSION]);
        assert_eq!(get, RestAnswer { etag: true, ..RestAnswer::NONE });
        let patch = |input, output| answer(Kind::Mutation, "PATCH /v1/orders/{id}", input, output);
        assert_eq!(patch(&[VERSION], &[VERSION]), RestAnswer { etag: true, if_match: true, ..RestAnswer::NONE });
        assert_eq!(patch(&[VERSION], &[ID]), RestAnswer { if_match: true, ..RestAnswer::NONE });
        assert_eq!(patch(&[TEXT], &[TEXT]), RestAnswer::NONE);
        let in_path = answer(Kind::Mutation, "PUT /v1/orders/{id}/versions/{version}", &[ID, VERSION], &[]);
        assert_eq!(in_path, RestAnswer::NONE, "it is stated there");
    }

    #[test]
    fn a_page_leads_to_the_next_where_a_get_takes_its_cursor() {
        let get = |input, output| answer(Kind::Query, "GET /v1/orders", input, output).link;
        assert!(get(CURSOR, PAGE));
        assert!(!get(&[], PAGE) && !get(CURSOR, &PAGE[..1]) && !get(CURSOR, &PAGE[1..]));
        assert!(!answer(Kind::Query, "POST /v1/orders/search", CURSOR, PAGE).link, "its input is no address");
    }

    #[test]
    fn an_author_says_no_to_each_part() {
        let all = RestDeclaration {
            kind: Kind::Mutation,
            route: "POST /v1/orders",
            input: &[VERSION],
            output: &[ID, VERSION],
        };
        let whole = RestAnswer { created: true, location: true, etag: true, if_match: true, link: false };
        let without = |declined| RestAnswer::of(all, declined);
        assert_eq!(without(RestAnswer::NONE), whole);
        let created = RestAnswer { created: true, ..RestAnswer::NONE };
        assert_eq!(without(created), RestAnswer { created: false, location: false, ..whole });
        let location = RestAnswer { location: true, ..RestAnswer::NONE };
        assert_eq!(without(location), RestAnswer { location: false, ..whole });
        let etag = RestAnswer { etag: true, ..RestAnswer::NONE };
        assert_eq!(without(etag), RestAnswer { etag: false, if_match: false, ..whole });
        let pages = RestDeclaration { kind: Kind::Query, route: "GET /v1/orders", input: CURSOR, output: PAGE };
        assert_eq!(RestAnswer::of(pages, RestAnswer { link: true, ..RestAnswer::NONE }), RestAnswer::NONE);
    }

    #[test]
    fn the_status_says_what_was_done() {
        let created = RestAnswer { created: true, ..RestAnswer::NONE };
        assert_eq!(
            (created.status(true), RestAnswer::NONE.status(true), RestAnswer::NONE.status(false)),
            (201, 200, 204)
        );
    }
}
