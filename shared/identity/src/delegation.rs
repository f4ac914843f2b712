//! Who may give rights, and whose users a caller may change. Without these checks, a permission to write users would be
//! one to make administrators.

use protocol::{Code, Fault, Principal};
use runtime::{
    Caller,
    principal::{is_withheld, permits},
};

use crate::{IdentityRole, RIGHTS};

/// Refuses a caller who may not give a role, the proof of an address, or an address.
pub fn expect_may_give_rights(caller: &Caller) -> Result<(), Fault> {
    match caller.permits(RIGHTS) {
        true => Ok(()),
        false => Err(Fault::new(Code::Forbidden, format!("This needs the permission {RIGHTS}."))),
    }
}

/// Refuses a change of a user who has or gets one of these roles, if a role has a right that the caller lacks.
pub fn expect_may_change<R: IdentityRole>(caller: &Caller, roles: impl IntoIterator<Item = R>) -> Result<(), Fault> {
    let mut permissions = roles.into_iter().flat_map(R::permissions);
    match permissions.find(|permission| !ranks_at_least(caller, permission)) {
        Some(lacking) => {
            let message = format!("This concerns somebody with the permission {lacking}, which you lack.");
            Err(Fault::new(Code::Forbidden, message))
        }
        None => Ok(()),
    }
}

/// Whether the holder of this permission is not above the caller. An application ranks as its person does, however few
/// its scopes; one that calls for itself ranks beside everybody, but below those who may give rights.
fn ranks_at_least(caller: &Caller, permission: &str) -> bool {
    let (service, principal) = (caller.service(), caller.principal());
    match &principal.client {
        Some(_) if is_withheld(service, permission) => false,
        Some(client) if client.for_itself => true,
        _ => permits(service, &Principal { client: None, ..principal.clone() }, permission),
    }
}

#[cfg(test)]
mod tests {
    use protocol::Client;

    use super::*;
    use crate::tests::{Role, SERVICE, caller};

    fn person(role: Role) -> Principal {
        Principal { roles: vec![role.name().to_owned()], ..Principal::default() }
    }

    /// An application with all scopes, acting for a person or for itself.
    fn application(person: Option<Principal>) -> Principal {
        let scopes = SERVICE
            .permissions
            .iter()
            .map(|(permission, _)| (*permission).to_owned())
            .chain([RIGHTS.to_owned()])
            .collect();
        let client = Some(Client { id: "app".into(), scopes, for_itself: person.is_none() });
        Principal { client, ..person.unwrap_or_default() }
    }

    #[test]
    fn no_application_gives_rights_whatever_it_was_registered_for() {
        assert!(expect_may_give_rights(&caller(person(Role::Owner))).is_ok());
        for other in
            [person(Role::Clerk), Principal::default(), application(None), application(Some(person(Role::Owner)))]
        {
            assert_eq!(expect_may_give_rights(&caller(other.clone())).unwrap_err().code, Code::Forbidden, "{other:?}");
        }
    }

    #[test]
    fn nobody_changes_somebody_who_has_a_right_that_they_lack() {
        use Role::{Clerk, Owner, Reader};
        for (who, role, expected) in [
            (person(Owner), Owner, true),
            (person(Clerk), Owner, false),
            (person(Clerk), Clerk, true),
            (person(Clerk), Reader, true),
            (person(Reader), Clerk, false),
            (Principal::default(), Reader, false),
            (application(Some(person(Owner))), Owner, false),
            (application(Some(person(Owner))), Clerk, true),
            (application(Some(person(Reader))), Clerk, false),
            (application(None), Owner, false),
            (application(None), Clerk, true),
        ] {
            assert_eq!(expect_may_change(&caller(who.clone()), [role]).is_ok(), expected, "{who:?} {role:?}");
        }
        let both = expect_may_change(&caller(person(Clerk)), [Reader, Owner]);
        assert!(both.is_err(), "what somebody was counts as well as what they become");
    }
}
