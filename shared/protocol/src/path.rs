//! Paths of routes: `/v1/orders/{id}`, in which a name in braces stands for one segment, and `/docs/{proxy+}`, in
//! which the last one stands for all remaining segments, as in Amazon's HTTP APIs.
//!
//! [`PathPattern`] is one such path, and [`Paths`] finds the one that matches an address.

use std::borrow::Cow;

use matchit::Router;

use crate::{Cause, trpc::percent_decode};

/// The path of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PathPattern<'a>(pub &'a str);

/// One segment of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment<'a> {
    /// A literal segment.
    Word(&'a str),
    /// `{id}`: any one segment.
    Name(&'a str),
    /// `{proxy+}`: one or more segments. It is always the last one.
    Rest(&'a str),
}

impl<'a> PathPattern<'a> {
    /// Its segments, from left to right; the first is empty: it stands before the first slash.
    pub fn segments(self) -> impl Iterator<Item = Segment<'a>> + Clone {
        self.0.split('/').map(|text| match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            None => Segment::Word(text),
            Some(name) => name.strip_suffix('+').map_or(Segment::Name(name), Segment::Rest),
        })
    }

    /// The names in its braces, each of which matches one segment.
    pub fn names(self) -> impl Iterator<Item = &'a str> {
        self.segments().filter_map(|segment| match segment {
            Segment::Name(name) => Some(name),
            Segment::Word(_) | Segment::Rest(_) => None,
        })
    }

    /// The path with each name replaced; none where `with` returns none for a name, or the path has a rest.
    pub fn filled(self, mut with: impl FnMut(&'a str) -> Option<String>) -> Option<String> {
        let segments = self.segments().map(|segment| match segment {
            Segment::Word(word) => Some(Cow::Borrowed(word)),
            Segment::Name(name) => with(name).map(Cow::Owned),
            Segment::Rest(_) => None,
        });
        Some(segments.collect::<Option<Vec<_>>>()?.join("/"))
    }

    /// The path without its names: two routes with the same shape cannot be told apart.
    pub fn shape(self) -> String {
        let nameless = self.segments().map(|segment| match segment {
            Segment::Word(word) => word,
            Segment::Name(_) => "{}",
            Segment::Rest(_) => "{+}",
        });
        nameless.collect::<Vec<_>>().join("/")
    }

    /// The values of the names in a path that matches, [`decoded`].
    pub fn parameters(self, path: &str) -> Vec<(String, String)> {
        let named = self.segments().zip(path.split('/')).filter_map(|(segment, value)| match segment {
            Segment::Name(name) => Some((name.to_owned(), decoded(value).into_owned())),
            Segment::Word(_) | Segment::Rest(_) => None,
        });
        named.collect()
    }

    /// Whether all addresses of another path match this one as well.
    pub fn covers(self, other: Self) -> bool {
        self.is_as_long_as(other)
            && self.pairs(other).all(|(own, other)| own == other || !matches!(own, Segment::Word(_)))
    }

    /// Whether some addresses match both paths, each of which may end in a rest.
    pub fn meets(self, other: Self) -> bool {
        let is_word = |segment| matches!(segment, Segment::Word(_));
        (self.is_as_long_as(other) || other.is_as_long_as(self))
            && self.pairs(other).all(|(own, other)| own == other || !is_word(own) || !is_word(other))
    }

    /// Whether some addresses match both paths, and neither is more specific: each has a name where the other has a
    /// word.
    pub fn crosses(self, other: Self) -> bool {
        let is_word = |segment| matches!(segment, Segment::Word(_));
        self.meets(other)
            && self.pairs(other).any(|(own, other)| is_word(own) && !is_word(other))
            && self.pairs(other).any(|(own, other)| !is_word(own) && is_word(other))
    }

    /// Whether an address of another path may have as many segments as one of this path.
    fn is_as_long_as(self, other: Self) -> bool {
        let (own, length) = (self.segments().count(), other.segments().count());
        if matches!(self.segments().last(), Some(Segment::Rest(_))) { length >= own } else { length == own }
    }

    fn pairs(self, other: Self) -> impl Iterator<Item = (Segment<'a>, Segment<'a>)> {
        self.segments().zip(other.segments())
    }
}

/// A part of an address without its escapes. Malformed escapes stay as they are.
pub fn decoded(text: &str) -> Cow<'_, str> {
    percent_decode(text, false).unwrap_or(Cow::Borrowed(text))
}

/// A router: values by path.
#[derive(Clone, Debug)]
pub struct Paths<T>(Router<T>);

impl<T> Default for Paths<T> {
    fn default() -> Self {
        Self(Router::new())
    }
}

impl<T> Paths<T> {
    /// Adds a value at a path.
    ///
    /// # Errors
    /// When the path is malformed, or there is a value at it or at one that differs only in names.
    pub fn insert(&mut self, path: PathPattern<'_>, there: T) -> Result<(), Cause> {
        let segments = path.segments().map(|segment| match segment {
            Segment::Word(word) => word.to_owned(),
            Segment::Name(name) => format!("{{{name}}}"),
            Segment::Rest(name) => format!("{{*{name}}}"),
        });
        let route = segments.collect::<Vec<_>>().join("/");
        self.0.insert(route, there).map_err(|error| format!("{}: {error}", path.0).into())
    }

    /// The value at an address. Of several paths that match, the most specific one counts: from the left, a literal
    /// segment takes precedence over a name.
    pub fn at(&self, address: &str) -> Option<&T> {
        self.0.at(address).ok().map(|found| found.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(all: &[&'static str]) -> Paths<&'static str> {
        let mut paths = Paths::default();
        for path in all {
            paths.insert(PathPattern(path), *path).unwrap();
        }
        paths
    }

    #[test]
    fn the_most_specific_path_is_found_and_others_where_it_ends() {
        let paths = paths(&[
            "/v1/notes/{id}",
            "/v1/notes/touch",
            "/v1/notes/{id}/marks/first",
            "/v1/notes/{note}/marks/{mark}",
            "/docs",
            "/docs/{proxy+}",
        ]);
        for (address, expected) in [
            ("/v1/notes/a%2Fb", Some("/v1/notes/{id}")),
            ("/v1/notes/touch", Some("/v1/notes/touch")),
            ("/v1/notes/touched", Some("/v1/notes/{id}")),
            ("/v1/notes/touch/marks/first", Some("/v1/notes/{id}/marks/first")),
            ("/v1/notes/touch/marks/last", Some("/v1/notes/{note}/marks/{mark}")),
            ("/docs", Some("/docs")),
            ("/docs/a/b.js", Some("/docs/{proxy+}")),
            ("/docs/", None),
            ("/v1/notes", None),
            ("/v1/notes/", None),
            ("/v1/notes/a/", None),
            ("/v1/notes//marks/first", None),
            ("", None),
        ] {
            assert_eq!(paths.at(address).copied(), expected, "{address}");
        }
    }

    #[test]
    fn paths_that_differ_in_names_only_are_one() {
        let mut paths = paths(&["/v1/notes/{id}"]);
        assert!(paths.insert(PathPattern("/v1/notes/{note}"), "").unwrap_err().to_string().contains("{note}"));
        assert_eq!(PathPattern("/v1/notes/{id}/marks").shape(), "/v1/notes/{}/marks");
    }

    #[test]
    fn names_stand_for_one_segment_each() {
        let path = PathPattern("/v1/notes/{id}/marks/{mark}");
        assert_eq!(path.names().collect::<Vec<_>>(), ["id", "mark"]);
        let given = |id: &str, mark: &str| vec![("id".to_owned(), id.to_owned()), ("mark".to_owned(), mark.to_owned())];
        assert_eq!(path.parameters("/v1/notes/a%2Fb/marks/%zz"), given("a/b", "%zz"));
        assert_eq!(path.filled(|name| Some(format!(":{name}"))).as_deref(), Some("/v1/notes/:id/marks/:mark"));
        assert_eq!(path.filled(|name| (name == "id").then(|| "a".to_owned())), None);
        assert_eq!(PathPattern("/docs/{proxy+}").filled(|_| Some("a/b".to_owned())), None);
    }

    #[test]
    fn of_two_paths_it_is_known_which_addresses_fit_both() {
        let two = |one: &'static str, other: &'static str| (PathPattern(one), PathPattern(other));
        let (id, touch) = two("/notes/{id}", "/notes/touch");
        assert!(id.covers(touch) && !touch.covers(id) && id.meets(touch) && touch.meets(id) && !id.crosses(touch));
        let (one, other) = two("/notes/{id}/first", "/notes/touch/{mark}");
        assert!(one.crosses(other) && other.crosses(one) && !one.covers(other));
        let (docs, page) = two("/docs/{proxy+}", "/docs/a/{page}");
        assert!(docs.covers(page) && docs.meets(page) && page.meets(docs));
        for other in ["/docs", "/documents/a", "/{any}"] {
            assert!(!docs.meets(PathPattern(other)) && !PathPattern(other).meets(docs), "{other}");
        }
        assert!(docs.meets(PathPattern("/{any}/a")));
    }
}
