//! The operations of each capability, with the rights that it states, and with one of them missing.

use local::database::{
    Credentials,
    guard::{Policy, Rule},
};
use protocol::{Access, Entity, Grant};
use store::{Create, Delete, Read, Settings, Store, StoreError, StoreSession, Update, Write};

use crate::fixtures::{Member, Note, TestDatabase, id, session, settings};

type Done = Result<(), StoreError>;

/// A session with a grant, except for one of its actions.
fn session_with(world: &TestDatabase, grant: &Grant, missing: Option<&str>) -> StoreSession {
    let actions =
        |all: &[&str]| all.iter().filter(|action| Some(**action) != missing).map(ToString::to_string).collect();
    let rule = Rule {
        table_actions: actions(grant.table_actions()),
        index_actions: actions(grant.index_actions()),
        indexes: grant.indexes.iter().map(ToString::to_string).collect(),
        leading_keys: grant.prefix.to_owned(),
    };
    let credentials = Credentials::random();
    world
        .database
        .admit(&credentials.access_key_id, Policy::Procedure { name: "tests.run".to_owned(), rules: vec![rule] });
    let endpoint = world.database.endpoint();
    let settings = Settings { access: credentials.access(endpoint), ..settings(endpoint) };
    session(&Store::new(settings).expect("a store"))
}

/// Checks the rights of an operation: all of them suffice, and each is needed.
async fn expect_least<T: Entity>(access: Access, does: impl AsyncFn(&TestDatabase, StoreSession) -> Done) {
    let (world, grant) = (TestDatabase::new().await, Grant::of::<T>(access));
    does(&world, session_with(&world, &grant, None)).await.expect("its rights suffice");
    for missing in grant.table_actions().iter().chain(grant.index_actions()) {
        let done = does(&world, session_with(&world, &grant, Some(missing))).await;
        assert!(matches!(done, Err(StoreError::Denied(_))), "without {missing}: {done:?}");
    }
}

fn somebody() -> Member {
    Member::new(&format!("{}@example.org", id()))
}

#[tokio::test]
async fn reading_takes_no_right_that_it_does_not_use() {
    expect_least::<Note>(Access::Read, async |_, session| {
        let notes = Read::<Note>::new(session);
        notes.get(&id()).await?;
        notes.get_many(&[id()]).await?;
        notes.list(Note::BY_TOPIC).of("a").await.map(drop)
    })
    .await;
}

#[tokio::test]
async fn creating_takes_no_right_that_it_does_not_use() {
    expect_least::<Note>(Access::Create, async |_, session| {
        Create::new(session).create(Note::new("a", 1)).await.map(drop)
    })
    .await;
    expect_least::<Member>(Access::Create, async |_, session| {
        Create::new(session).create(Member { administrator: true, ..somebody() }).await.map(drop)
    })
    .await;
}

#[tokio::test]
async fn replacing_takes_no_right_that_it_does_not_use() {
    expect_least::<Note>(Access::Update, async |world, session| {
        let note = world.write().create(Note::new("a", 1)).await?;
        let notes = Update::<Note>::new(session);
        let current = notes.get(&note.id).await?.expect("the note");
        notes.replace(&current, Note { rank: 2, ..current.clone() }).await.map(drop)
    })
    .await;
    expect_least::<Member>(Access::Update, async |world, session| {
        let member = world.write().create(somebody()).await?;
        let members = Update::<Member>::new(session);
        let current = members.by_unique("email", &member.email).await?.expect("the member");
        // Both the unique value and the group are others.
        members.replace(&current, Member { id: member.id, administrator: true, ..somebody() }).await.map(drop)
    })
    .await;
}

#[tokio::test]
async fn deleting_takes_no_right_that_it_does_not_use() {
    expect_least::<Note>(Access::Delete, async |world, session| {
        let note = world.write().create(Note::new("a", 1)).await?;
        let notes = Delete::<Note>::new(session);
        let current = notes.get(&note.id).await?.expect("the note");
        notes.delete(&current).await
    })
    .await;
    expect_least::<Member>(Access::Delete, async |world, session| {
        // One more than has to stay.
        world.write().create(Member { administrator: true, ..somebody() }).await?;
        let member = world.write().create(Member { administrator: true, ..somebody() }).await?;
        let members = Delete::<Member>::new(session);
        let current = members.get(&member.id).await?.expect("the member");
        members.delete(&current).await
    })
    .await;
}

#[tokio::test]
async fn writing_takes_no_right_that_it_does_not_use() {
    expect_least::<Note>(Access::Write, async |_, session| {
        let notes = Write::<Note>::new(session);
        let note = notes.create(Note::new("a", 1)).await?;
        notes.get(&note.id).await?;
        notes.get_many(&[note.id]).await?;
        notes.list(Note::BY_TOPIC).of("a").await?;
        let next = notes.replace(&note, Note { rank: 2, ..note.clone() }).await?;
        notes.delete(&next).await
    })
    .await;
    expect_least::<Member>(Access::Write, async |_, session| {
        let members = Write::<Member>::new(session);
        let member = members.create(somebody()).await?;
        members.get_many(&[member.id]).await?;
        let current = members.by_unique("email", &member.email).await?.expect("the member");
        members.replace(&current, Member { id: member.id, administrator: true, ..somebody() }).await?;
        members.delete(&members.create(somebody()).await?).await
    })
    .await;
}

#[tokio::test]
async fn who_can_write_hands_on_what_takes_less() {
    async fn count(notes: &Read<Note>) -> Result<usize, StoreError> {
        Ok(notes.list(Note::BY_TOPIC).of("a").await?.items.len())
    }
    async fn add(notes: &Create<Note>) -> Result<Note, StoreError> {
        notes.create(Note::new("a", 1)).await
    }
    async fn raise(notes: &Update<Note>, note: &Note) -> Result<Note, StoreError> {
        notes.replace(note, Note { rank: note.rank + 1, ..note.clone() }).await
    }
    async fn remove(notes: &Delete<Note>, note: &Note) -> Result<(), StoreError> {
        notes.delete(note).await
    }

    let world = TestDatabase::new().await;
    let notes = world.write::<Note>();
    let note = add(notes.as_ref()).await.expect("created");
    let note = raise(notes.as_ref(), &note).await.expect("replaced");
    assert_eq!((count(notes.as_ref()).await.expect("listed"), note.rank), (1, 2));
    remove(notes.as_ref(), &note).await.expect("deleted");
    assert_eq!(count(notes.as_ref()).await.expect("listed"), 0);
}

/// The rights of an entity without unique values and groups, and of one with both.
#[test]
fn what_an_entity_does_not_have_costs_no_right() {
    let of = |grants: [Grant; 2]| grants.map(|grant| grant.table_actions().join(" ").replace("dynamodb:", ""));
    let both = |access| of([Grant::of::<Note>(access), Grant::of::<Member>(access)]);
    assert_eq!(both(Access::Create), ["PutItem", "PutItem UpdateItem"]);
    assert_eq!(both(Access::Update), ["GetItem PutItem", "DeleteItem GetItem PutItem UpdateItem"]);
    assert_eq!(both(Access::Delete), ["DeleteItem GetItem", "DeleteItem GetItem UpdateItem"]);
    let write = "BatchGetItem DeleteItem GetItem PutItem";
    assert_eq!(both(Access::Write), [write.to_owned(), format!("{write} UpdateItem")]);
    // Members cannot be listed.
    let indexes = |access| [Grant::of::<Note>(access).indexes, Grant::of::<Member>(access).indexes].map(<[_]>::len);
    assert_eq!((indexes(Access::Write), indexes(Access::Read)), ([2, 0], [2, 0]));
    assert_eq!((indexes(Access::Create), indexes(Access::Update), indexes(Access::Delete)), ([0, 0], [0, 0], [0, 0]));
}
