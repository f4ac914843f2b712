//! Loads entities by id through their loaders: in batches, each once, with the caller's credentials.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::future::join_all;
use serde_json::{Value as Json, json, value::RawValue};

use super::run::Run;
use crate::{Outcome, Refusal};

/// The maximum number of ids in one call of a loader.
const MAX_IDS: usize = 100;

/// The entity of an id, none if it does not exist; or why that is unknown.
type Found = Result<Option<Arc<Json>>, Arc<Refusal>>;

/// The loaded entities, by loader and id. They are valid until something changes: within one operation, or one
/// mutation of it.
#[derive(Default)]
pub(super) struct Loads(Mutex<HashMap<(usize, String), Found>>);

impl Loads {
    /// The entity of an id that was loaded.
    pub(super) fn get(&self, loader: usize, id: &Json) -> Found {
        let Some(id) = id.as_str() else { return Ok(None) };
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&(loader, id.to_owned())).cloned().unwrap_or(Ok(None))
    }

    /// Loads what is not loaded yet. An entry of `wanted` is a loader and an id, or a list of ids.
    pub(super) async fn fetch<'w>(&self, run: &Run<'_>, wanted: impl Iterator<Item = (usize, &'w Json)>) {
        let mut missing: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            for (loader, ids) in wanted {
                let ids = ids.as_array().map_or(std::slice::from_ref(ids), Vec::as_slice);
                for id in ids.iter().filter_map(Json::as_str) {
                    // Until the loader answers, the entity counts as missing.
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

/// The entities in a loader's output, by id.
fn read(answer: Outcome) -> Result<Vec<(String, Json)>, Refusal> {
    let answer = answer?;
    let items: Vec<Json> = serde_json::from_str(answer.as_deref().map_or("[]", RawValue::get)).unwrap_or_default();
    let identified = |item: Json| Some((item.get("id")?.as_str()?.to_owned(), item));
    Ok(items.into_iter().filter_map(identified).collect())
}
