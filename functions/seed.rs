//! `cargo run -- seed`: a demonstration company, the same one every time.

use std::io::IsTerminal as _;

use fastrand::Rng;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use identity::{Account, EmailAddress, UserId};
use local::Seeded;
use model::{Post, PostId, Role, User};
use protocol::{Cause, Entity, Timestamp, Version};
use runtime::opaque::Opaque;
use store::{Create, Operation, Read, StoreError, StoreSession, Update, transaction};
use uuid::Uuid;

/// The seed of all random values.
const SEED: u64 = 0x0001_F01D;
/// How many users there are.
const USERS: usize = 200;
/// How many of them are administrators; the others are employees and viewers.
const ADMINISTRATORS: usize = 3;
/// How many posts there are.
const POSTS: usize = 2_000;
/// The company was founded on 2025-01-01.
const FOUNDED_UNIX_MS: i64 = 1_735_689_600_000;
/// How long the company grew, in milliseconds: one year.
const GREW_MS: i64 = 365 * 24 * 60 * 60 * 1_000;
/// How many entities one transaction writes. A user takes up to three of DynamoDB's 100 actions.
const BATCH: usize = 25;
/// How many transactions run at once.
const MAX_CONCURRENT: usize = 8;

const FIRST_NAMES: [&str; 24] = [
    "Ada",
    "Alan",
    "Barbara",
    "Brian",
    "Claude",
    "Donald",
    "Edsger",
    "Frances",
    "Grace",
    "Hedy",
    "Ivan",
    "Jean",
    "Katherine",
    "Ken",
    "Leslie",
    "Margaret",
    "Niklaus",
    "Radia",
    "Robin",
    "Shafi",
    "Sophie",
    "Tim",
    "Tony",
    "Whitfield",
];
const LAST_NAMES: [&str; 20] = [
    "Allen", "Bartik", "Berg", "Castro", "Dahl", "Engel", "Fischer", "Garcia", "Hansen", "Ito", "Jansen", "Kowalski",
    "Lind", "Moreau", "Novak", "Okafor", "Petrov", "Quist", "Rossi", "Sato",
];
const SUBJECTS: [&str; 12] = [
    "the new coffee machine",
    "parking",
    "the summer party",
    "fire drill",
    "quarterly figures",
    "a lost umbrella",
    "the printer on the second floor",
    "holidays",
    "the reading circle",
    "bicycle repair",
    "lunch",
    "the archive",
];
const OPENINGS: [&str; 6] = ["About", "News of", "A question about", "Reminder:", "Minutes:", "An idea for"];

/// Writes the company. Existing items stay as they are, so that it may be repeated.
pub async fn fill(session: StoreSession) -> Result<Seeded, Cause> {
    let mut rng = Rng::with_seed(SEED);
    let users: Vec<User> = (0..USERS).map(|place| user(&mut rng, place)).collect();
    let posts: Vec<Post> = (0..POSTS).map(|_| post(&mut rng, &users)).collect();
    let made_users = write(&session, "users", &users).await?;
    let made_posts = write(&session, "posts", &posts).await?;
    let all: Vec<Account> = users.iter().map(|user| Account::new(user.id)).collect();
    write(&session, "accounts", &all).await?;
    let accounts = Update::<Account>::new(session);
    let first = users.first().ok_or("the company has no users")?;
    let password = give_password(&accounts, first).await?;
    Ok(Seeded {
        subject: first.id.to_string(),
        roles: vec![first.role.name().to_owned()],
        credentials: (first.email.to_string(), password),
        message: format!(
            "{USERS} users ({made_users} new) and {POSTS} posts ({made_posts} new). {} <{}> is an administrator.",
            first.name, first.email
        ),
    })
}

/// Sets another password for a user: a new one each time, since nobody knows the previous one.
async fn give_password(accounts: &Update<Account>, user: &User) -> Result<String, Cause> {
    let password = Opaque::random()?.text();
    let current = accounts.get(&user.id).await?.ok_or("an account is missing")?;
    let next = Account { password: Some(identity::password::hash(&password).await?), ..current.clone() };
    accounts.replace(&current, next).await?;
    Ok(password)
}

/// Creates missing entities, in batches that run concurrently; one by one where one of a batch fails, such as for an
/// address that is taken. It shows its progress in a terminal.
async fn write<T: Entity>(session: &StoreSession, what: &str, entities: &[T]) -> Result<usize, StoreError> {
    let ids: Vec<T::Id> = entities.iter().map(|entity| entity.id().clone()).collect();
    let known = Read::<T>::new(session.clone()).get_many(&ids).await?;
    let missing: Vec<T> =
        entities.iter().zip(known).filter(|(_, known)| known.is_none()).map(|(entity, _)| entity.clone()).collect();
    let batches: Vec<Vec<T>> = missing.chunks(BATCH).map(<[T]>::to_vec).collect();
    let batches = batches.into_iter().map(|batch| create(Create::new(session.clone()), batch));
    let mut written = stream::iter(batches).buffer_unordered(MAX_CONCURRENT);
    let is_terminal = std::io::stderr().is_terminal();
    let (mut made, mut done) = (0, entities.len() - missing.len());
    while let Some(count) = written.try_next().await? {
        made += count;
        done = (done + BATCH).min(entities.len());
        if is_terminal {
            eprint!("\r{done} of {} {what}", entities.len());
        }
    }
    let begin = if is_terminal { "\r" } else { "" };
    eprintln!("{begin}{} of {} {what}", entities.len(), entities.len());
    Ok(made)
}

/// Creates a batch and returns the number of new entities.
async fn create<T: Entity>(entities: Create<T>, batch: Vec<T>) -> Result<usize, StoreError> {
    let mut copies = batch.clone();
    let operations: Vec<Operation> = copies.iter_mut().map(|entity| entities.creating(entity)).collect();
    match transaction(operations).await {
        Ok(()) => return Ok(batch.len()),
        Err(StoreError::Exists | StoreError::Taken { .. }) => {}
        Err(error) => return Err(error),
    }
    let mut made = 0;
    for entity in batch {
        match entities.create(entity).await {
            Ok(_) => made += 1,
            Err(StoreError::Exists | StoreError::Taken { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(made)
}

fn user(rng: &mut Rng, place: usize) -> User {
    let (first, last) = (pick(rng, &FIRST_NAMES), pick(rng, &LAST_NAMES));
    let created_at = moment(rng, FOUNDED_UNIX_MS);
    User {
        id: UserId::from(id(rng, created_at)),
        email: EmailAddress::new(format!("{}.{}{place}@example.com", first.to_lowercase(), last.to_lowercase())),
        name: format!("{first} {last}"),
        age: rng.u8(0..10).ne(&0).then(|| rng.u32(18..70)),
        is_verified: rng.u8(0..4) != 0 || place < ADMINISTRATORS,
        role: match place {
            place if place < ADMINISTRATORS => Role::Administrator,
            _ if rng.bool() => Role::Employee,
            _ => Role::Viewer,
        },
        created_at,
        ends_at: None,
        version: Version::default(),
    }
}

fn post(rng: &mut Rng, users: &[User]) -> Post {
    let author = pick(rng, users);
    let created_at = moment(rng, author.created_at.unix_ms());
    let subject = pick(rng, &SUBJECTS);
    Post {
        id: PostId::from(id(rng, created_at)),
        author_id: author.id,
        title: format!("{} {subject}", pick(rng, &OPENINGS)),
        body: format!("This is about {subject}. {} wrote it down so that nobody has to ask twice.", author.name),
        created_at,
        updated_at: created_at,
        version: Version::default(),
    }
}

fn pick<'a, T>(rng: &mut Rng, among: &'a [T]) -> &'a T {
    &among[rng.usize(..among.len())]
}

/// A random time between this one and the end of the company's first year.
fn moment(rng: &mut Rng, from_unix_ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(rng.i64(from_unix_ms..FOUNDED_UNIX_MS + GREW_MS))
}

/// A UUIDv7 of that time (RFC 9562 section 5.7).
fn id(rng: &mut Rng, time: Timestamp) -> Uuid {
    let mut random = [0; 10];
    rng.fill(&mut random);
    uuid::Builder::from_unix_timestamp_millis(time.unix_ms().unsigned_abs(), &random).into_uuid()
}
