//! Automatic persisted queries (Apollo): a client sends a query once, and its hash afterwards. Each instance caches
//! some; a client sends a forgotten one again.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use protocol::Code;
use ring::digest;

use super::{fault::Fault, request::Request};

/// The maximum number of cached queries.
const MAX_QUERIES: usize = 1_000;
/// Their maximum size together, in bytes.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// The cached queries, by hash. The oldest is evicted first.
#[derive(Default)]
pub(super) struct Persisted(Mutex<Cache>);

#[derive(Default)]
struct Cache {
    queries: HashMap<String, String>,
    order: VecDeque<String>,
    bytes: usize,
}

impl Persisted {
    /// The query of a request, and the hash to cache it under if it turns out to be valid.
    ///
    /// # Errors
    /// When the request has no query, the hash belongs to another query, or it is unknown.
    pub(super) fn query(&self, request: &mut Request) -> Result<(String, Option<String>), Fault> {
        let named = request.extensions.take().and_then(|extensions| extensions.persisted_query);
        let query = request.query.take().filter(|query| !query.is_empty());
        let (query, named) = match (query, named) {
            (Some(query), None) => return Ok((query, None)),
            (None, None) => return Err(Fault::request(Code::BadRequest, "There is no query.")),
            (query, Some(named)) => (query, named),
        };
        if named.version != 1 {
            return Err(Fault::request(Code::BadRequest, "Persisted queries of this version are not known."));
        }
        let hash = named.sha256_hash.to_ascii_lowercase();
        match query {
            None => self.recall(&hash).map(|query| (query, None)).ok_or_else(Fault::persisted_query_not_found),
            Some(query) if sha256(&query) == hash => Ok((query, Some(hash))),
            Some(_) => Err(Fault::request(Code::BadRequest, "provided sha does not match query")),
        }
    }

    fn recall(&self, hash: &str) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).queries.get(hash).cloned()
    }

    /// Caches a query.
    pub(super) fn remember(&self, hash: String, query: String) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.queries.contains_key(&hash) {
            return;
        }
        known.bytes += query.len();
        known.order.push_back(hash.clone());
        known.queries.insert(hash, query);
        while known.order.len() > MAX_QUERIES || known.bytes > MAX_BYTES {
            let Some(oldest) = known.order.pop_front() else { break };
            let gone = known.queries.remove(&oldest).map_or(0, |query| query.len());
            known.bytes -= gone;
        }
    }
}

fn sha256(text: &str) -> String {
    digest::digest(&digest::SHA256, text.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graphql::request::{Extensions, PersistedQuery};

    fn request_with(query: Option<&str>, hash: &str) -> Request {
        let persisted_query = Some(PersistedQuery { version: 1, sha256_hash: hash.to_owned() });
        let extensions = Some(Extensions { persisted_query });
        Request { query: query.map(str::to_owned), extensions, ..Request::default() }
    }

    #[test]
    fn a_query_is_known_by_its_hash_once_it_was_good() {
        let persisted = Persisted::default();
        let hash = "f9b5b9ef1a5aec2a2a2f2a1ba3ac6ac9c9d6b6a4f21f7f6ea6d0f1d3a7ad1a37";
        let missing = persisted.query(&mut request_with(None, hash)).unwrap_err();
        assert_eq!(missing.extensions.code, "PERSISTED_QUERY_NOT_FOUND");
        let wrong = persisted.query(&mut request_with(Some("{a}"), hash)).unwrap_err();
        assert_eq!(wrong.extensions.code, "BAD_REQUEST");
        let hash = sha256("{a}");
        let (query, remembered) = persisted.query(&mut request_with(Some("{a}"), &hash)).unwrap();
        assert!(persisted.query(&mut request_with(None, &hash)).is_err(), "it is not known to be good yet");
        persisted.remember(remembered.unwrap(), query);
        assert_eq!(persisted.query(&mut request_with(None, &hash)).unwrap(), ("{a}".to_owned(), None));
    }

    #[test]
    fn what_is_remembered_has_bounds() {
        let persisted = Persisted::default();
        for number in 0..2_000 {
            persisted.remember(number.to_string(), "{a}".to_owned());
        }
        assert!(persisted.recall("999").is_none() && persisted.recall("1999").is_some());
        for number in 0..100 {
            persisted.remember(format!("large {number}"), " ".repeat(100_000));
        }
        let known = persisted.0.lock().unwrap();
        assert!(known.bytes <= MAX_BYTES && known.queries.len() == known.order.len());
        assert_eq!(known.bytes, known.queries.values().map(String::len).sum::<usize>());
    }
}
