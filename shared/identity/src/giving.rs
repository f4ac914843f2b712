//! Who may give rights, and to whom something may be done. Whoever may write users could else write administrators.

use protocol::{Code, Fault, Principal};
use runtime::{
    Caller,
    principal::{is_withheld, permits},
};

use crate::{IdentityRole, RIGHTS};

/// Lets a caller give a role, the proof of an address, or an address.
pub fn expect_giver(caller: &Caller) -> Result<(), Fault> {
    match caller.permits(RIGHTS) {
        true => Ok(()),
        false => Err(Fault::new(Code::Forbidden, format!("This needs the permission {RIGHTS}."))),
    }
}

/// Lets a caller change somebody who has or gets these roles: with no right that the caller lacks.
pub fn expect_within<R: IdentityRole>(caller: &Caller, roles: impl IntoIterator<Item = R>) -> Result<(), Fault> {
    let mut permissions = roles.into_iter().flat_map(R::permissions);
    match permissions.find(|permission| !stands_with(caller, permission)) {
        Some(lacking) => {
            let message = format!("This concerns somebody with the permission {lacking}, which you lack.");
            Err(Fault::new(Code::Forbidden, message))
        }
        None => Ok(()),
    }
}

/// Whether somebody with this permission is not above a caller. An application stands where its person does, however
/// little it may do there, and one that calls for itself beside everybody; but below whoever may give rights.
fn stands_with(caller: &Caller, permission: &str) -> bool {
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

    /// An application that may do all that there is, as far as it was registered.
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
        assert!(expect_giver(&caller(person(Role::Administrator))).is_ok());
        for other in [
            person(Role::Employee),
            Principal::default(),
            application(None),
            application(Some(person(Role::Administrator))),
        ] {
            assert_eq!(expect_giver(&caller(other.clone())).unwrap_err().code, Code::Forbidden, "{other:?}");
        }
    }

    #[test]
    fn nobody_changes_somebody_who_has_a_right_that_they_lack() {
        use Role::{Administrator, Employee, Viewer};
        for (who, role, expected) in [
            (person(Administrator), Administrator, true),
            (person(Employee), Administrator, false),
            (person(Employee), Employee, true),
            (person(Employee), Viewer, true),
            (person(Viewer), Employee, false),
            (Principal::default(), Viewer, false),
            (application(Some(person(Administrator))), Administrator, false),
            (application(Some(person(Administrator))), Employee, true),
            (application(Some(person(Viewer))), Employee, false),
            (application(None), Administrator, false),
            (application(None), Employee, true),
        ] {
            assert_eq!(expect_within(&caller(who.clone()), [role]).is_ok(), expected, "{who:?} {role:?}");
        }
        let both = expect_within(&caller(person(Employee)), [Viewer, Administrator]);
        assert!(both.is_err(), "what somebody was counts as well as what they become");
    }
}
