//! Changes of several entities, all or none.

use store::{StoreError, transaction};

use crate::fixtures::{Member, Note, TestDatabase};

#[tokio::test]
async fn all_changes_are_made_or_none() {
    let world = TestDatabase::new().await;
    let session = world.session();
    let (notes, members) = (store::Write::<Note>::new(session.clone()), store::Write::<Member>::new(session));
    let (mut note, mut ada) = (Note::new("a", 1), Member::new("ada@example.org"));
    transaction(vec![notes.creating(&mut note), members.creating(&mut ada)]).await.expect("both");
    assert_eq!(notes.get(&note.id).await.expect("read"), Some(note.clone()));
    assert_eq!(members.get(&ada.id).await.expect("read"), Some(ada.clone()));

    let (mut next, mut second) = (Note { rank: 2, ..note.clone() }, Member::new("ada@example.org"));
    let clash = transaction(vec![notes.replacing(&note, &mut next), members.creating(&mut second)]).await;
    assert!(matches!(clash, Err(StoreError::Taken { rule: "email" })));
    assert_eq!(notes.get(&note.id).await.expect("read"), Some(note.clone()));

    let newer = notes.replace(&note, Note { rank: 3, ..note.clone() }).await.expect("replaced");
    let clash = transaction(vec![members.deleting(&ada), notes.deleting(&note)]).await;
    assert!(matches!(clash, Err(StoreError::Stale)));
    assert_eq!(members.get(&ada.id).await.expect("read"), Some(ada.clone()));

    transaction(vec![members.deleting(&ada), notes.deleting(&newer)]).await.expect("both");
    assert_eq!(members.get(&ada.id).await.expect("read"), None);
    assert_eq!(notes.get(&note.id).await.expect("read"), None);
}

#[tokio::test]
async fn two_entities_exchange_a_unique_value() {
    let world = TestDatabase::new().await;
    let members = world.write::<Member>();
    let ada = members.create(Member::new("ada@example.org")).await.expect("created");
    let ben = members.create(Member::new("ben@example.org")).await.expect("created");
    let mut new_ada = Member { email: ben.email.clone(), ..ada.clone() };
    let mut new_ben = Member { email: ada.email.clone(), ..ben.clone() };
    transaction(vec![members.replacing(&ada, &mut new_ada), members.replacing(&ben, &mut new_ben)])
        .await
        .expect("exchanged");
    // Each guard has its new owner: each value is free again exactly when that one goes.
    members.delete(&new_ada).await.expect("deleted");
    members.create(Member::new("ben@example.org")).await.expect("free");
    assert!(matches!(members.create(Member::new("ada@example.org")).await, Err(StoreError::Taken { .. })));
}

#[tokio::test]
async fn members_of_a_group_that_leave_together_are_counted_together() {
    let world = TestDatabase::new().await;
    let members = world.write::<Member>();
    let mut all = Vec::new();
    for name in ["ada", "ben", "cal"] {
        all.push(members.create(Member::administrator(name)).await.expect("created"));
    }
    let everybody = all.iter().map(|member| members.deleting(member)).collect();
    assert!(matches!(transaction(everybody).await, Err(StoreError::TooFew { tally: "administrators" })));
    transaction(vec![members.deleting(&all[0]), members.deleting(&all[1])]).await.expect("one is left");
    // One leaves as another joins: the count does not move.
    let mut dan = Member::administrator("dan");
    transaction(vec![members.deleting(&all[2]), members.creating(&mut dan)]).await.expect("handed over");
    assert!(matches!(members.delete(&dan).await, Err(StoreError::TooFew { .. })));
}

#[tokio::test]
async fn what_cannot_be_one_transaction_is_refused_before_it_is_sent() {
    let world = TestDatabase::new().await;
    let notes = world.write::<Note>();
    transaction(Vec::new()).await.expect("nothing to do");

    let mut many: Vec<_> = (0..101).map(|rank| Note::new("a", rank)).collect();
    let operations = many.iter_mut().map(|note| notes.creating(note)).collect();
    assert!(matches!(transaction(operations).await, Err(StoreError::Broken(_))));

    let note = notes.create(Note::new("a", 1)).await.expect("created");
    let twice = vec![notes.deleting(&note), notes.replacing(&note, &mut note.clone())];
    assert!(matches!(transaction(twice).await, Err(StoreError::Broken(_))));

    let members = world.write::<Member>();
    let (mut ada, mut eve) = (Member::new("ada@example.org"), Member::new("ada@example.org"));
    let clash = transaction(vec![members.creating(&mut ada), members.creating(&mut eve)]).await;
    assert!(matches!(clash, Err(StoreError::Taken { rule: "email" })));
}
