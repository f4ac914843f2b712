//! What ids name, fetched through the entity's loader: many at once, each once, with the caller's credentials.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::future::join_all;
use serde_json::{Value as Json, json, value::RawValue};

use super::run::Run;
use crate::{Outcome, Refusal};

/// How many ids one call of a loader takes.
const MAX_IDS: usize = 100;

/// What an id names, none when it does not exist; or why that is not known.
type Found = Result<Option<Arc<Json>>, Arc<Refusal>>;

/// What was fetched, by loader and id. It lasts as long as nothing is changed: one operation, or one mutation of it.
#[derive(Default)]
pub(super) struct Loads(Mutex<HashMap<(usize, String), Found>>);

impl Loads {
    /// What an id names, once it was fetched.
    pub(super) fn get(&self, loader: usize, id: &Json) -> Found {
        let Some(id) = id.as_str() else { return Ok(None) };
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&(loader, id.to_owned())).cloned().unwrap_or(Ok(None))
    }

    /// Fetches what is not known yet. An entry of `wanted` is a loader and an id, or a list of ids.
    pub(super) async fn fetch<'w>(&self, run: &Run<'_>, wanted: impl Iterator<Item = (usize, &'w Json)>) {
        let mut missing: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            for (loader, ids) in wanted {
                let ids = ids.as_array().map_or(std::slice::from_ref(ids), Vec::as_slice);
                for id in ids.iter().filter_map(Json::as_str) {
                    // Until it is answered, it does not exist.
                    known.entry((loader, id.to_owned())).or_insert_with(|| {
                        missing.entry(loader).or_default().push(id);
                        Ok(None)
                    });
                }
            }
        }
        let calls = missing.iter().flat_map(|(loader, ids)| ids.chunks(MAX_IDS).map(move |ids| (*loader, ids)));
        let answers = join_all(calls.map(async |(loader, ids)| {
            let procedure = &run.types.loaders[loader].procedure;
            (loader, ids, run.call(procedure, Some(&json!({ "ids": ids }))).await)
        }))
        .await;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (loader, ids, answer) in answers {
            match read(answer) {
                Ok(items) => known.extend(items.into_iter().map(|(id, item)| ((loader, id), Ok(Some(Arc::new(item)))))),
                Err(refusal) => {
                    let refusal = Arc::new(refusal);
                    known.extend(ids.iter().map(|id| ((loader, (*id).to_owned()), Err(Arc::clone(&refusal)))));
                }
            }
        }
    }
}

/// The entities that a loader answered, by id.
fn read(answer: Outcome) -> Result<Vec<(String, Json)>, Refusal> {
    let answer = answer?;
    let items: Vec<Json> = serde_json::from_str(answer.as_deref().map_or("[]", RawValue::get)).unwrap_or_default();
    let identified = |item: Json| Some((item.get("id")?.as_str()?.to_owned(), item));
    Ok(items.into_iter().filter_map(identified).collect())
}
