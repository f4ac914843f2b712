//! Compares the rights of a function, for a reviewer. Callers do not see them.

use serde_json::Value;

use super::{Changes, Effect, as_set, code, list, members, object, shown, was_and_is};

/// A contract of an earlier format has none of these three members.
pub(super) fn sensitive(before: &Value, after: &Value, changes: &mut Changes) {
    match (*before == true, *after == true) {
        (false, true) => changes.add(Effect::Note, "looks at the session of a token in each call."),
        (true, false) => changes.add(Effect::Rights, "looks at the session of a token no more."),
        _ => {}
    }
}

/// The maximum age of a sign-in. The failures show that a call may fail for it.
pub(super) fn fresh(before: &Value, after: &Value, changes: &mut Changes) {
    let longest = |value: &Value| value.as_u64().unwrap_or(u64::MAX);
    match (longest(before), longest(after)) {
        (was, u64::MAX) if was < u64::MAX => {
            changes.add(Effect::Rights, "may be called however long ago the caller signed in.");
        }
        (was, is) if is > was => changes.add(Effect::Rights, format!("may be called for {is} s after a sign-in.")),
        (was, is) if is < was => changes.add(Effect::Note, format!("wants a sign-in of the last {is} s.")),
        _ => {}
    }
}

/// The systems that a function may reach apart from the database.
pub(super) fn reach(before: &Value, after: &Value, changes: &mut Changes) {
    words("reads the secret", &before["secrets"], &after["secrets"], changes);
    words("calls, outside the service,", &before["outbound"], &after["outbound"], changes);
}

fn words(what: &str, before: &Value, after: &Value, changes: &mut Changes) {
    let (before, after) = (list(before), list(after));
    for gone in before.iter().filter(|word| !after.contains(word)) {
        changes.add(Effect::Rights, format!("{what} {} no more.", shown(gone)));
    }
    for new in after.iter().filter(|word| !before.contains(word)) {
        changes.add(Effect::Rights, format!("{what} {}.", shown(new)));
    }
}

/// A contract of an earlier version does not state it.
pub(super) fn mail(before: &Value, after: &Value, changes: &mut Changes) {
    match (*before == true, *after == true) {
        (false, true) => changes.add(Effect::Rights, "may send mail."),
        (true, false) => changes.add(Effect::Rights, "may send mail no more."),
        _ => {}
    }
}

/// Every change of a grant is a change of rights, including members of later formats.
pub(super) fn grants(before: &[Value], after: &[Value], changes: &mut Changes) {
    let key = |grant: &Value| (grant["entity"].clone(), grant["prefix"].clone(), grant["access"].clone());
    let name = |grant: &Value| format!("{} on {}", shown(&grant["access"]), shown(&grant["entity"]));
    let mut gone: Vec<&Value> = before.iter().filter(|grant| !after.contains(grant)).collect();
    for grant in after.iter().filter(|grant| !before.contains(grant)) {
        let Some(at) = gone.iter().position(|other| key(other) == key(grant)) else {
            let what: Vec<_> = object(grant)
                .iter()
                .filter(|(member, _)| !["entity", "access", "prefix"].contains(&member.as_str()))
                .map(|(member, value)| format!("{} {}", code(member), shown(value)))
                .collect();
            changes.add(Effect::Rights, format!("gets the grant {}: {}.", name(grant), what.join(", ")));
            continue;
        };
        let other = gone.remove(at);
        for (member, was, is) in members(object(other), object(grant)) {
            if as_set(was) != as_set(is) {
                let change = format!("the grant {}: {} {}.", name(grant), code(&member), was_and_is(was, is));
                changes.add(Effect::Rights, change);
            }
        }
    }
    for grant in gone {
        changes.add(Effect::Rights, format!("loses the grant {}.", name(grant)));
    }
}
