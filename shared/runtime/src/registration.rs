//! The registration policy of a stage: who may register an account. It applies to registrations at the service and to
//! first sign-ins through a provider alike.

use std::fmt;

use protocol::{Cause, Fault, address};

use crate::{Call, Capability, site::Site};

/// Who may register an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistrationPolicy {
    /// Anyone may.
    Open,
    /// Nobody may: operators create the accounts.
    Closed,
    /// Only addresses of these domains may, in the form in which hosts are compared. Subdomains are not included.
    Domains(Vec<String>),
}

/// Why an address may not register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAdmitted {
    /// Nobody may.
    Closed,
    /// The address belongs to none of the domains.
    OtherDomain,
}

impl RegistrationPolicy {
    /// Parses the setting: `open`, `closed`, or domains separated by commas. An empty setting is open at a loopback
    /// address, where the service is under development, and closed everywhere else.
    ///
    /// # Errors
    /// When it is none of these: a misspelt word must not open the registration, and must not pass for a domain.
    pub fn parse(setting: &str, site: &Site) -> Result<Self, Cause> {
        match setting.trim() {
            "" if site.is_local() => Ok(Self::Open),
            "open" => Ok(Self::Open),
            "" | "closed" => Ok(Self::Closed),
            list => {
                let domains = list.split(',').map(|text| domain(text.trim()));
                Ok(Self::Domains(domains.collect::<Result<_, _>>()?))
            }
        }
    }

    /// Lets the call go on if an address may register. `address` must be in its compared form.
    ///
    /// # Errors
    /// Why the address may not register.
    pub fn expect(&self, address: &str) -> Result<(), NotAdmitted> {
        match self {
            Self::Open => Ok(()),
            Self::Closed => Err(NotAdmitted::Closed),
            Self::Domains(domains) => {
                let host = address.rsplit_once('@').map(|(_, host)| host);
                let is_one = host.is_some_and(|host| domains.iter().any(|domain| domain.eq_ignore_ascii_case(host)));
                if is_one { Ok(()) } else { Err(NotAdmitted::OtherDomain) }
            }
        }
    }
}

impl fmt::Display for RegistrationPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("open"),
            Self::Closed => f.write_str("closed"),
            Self::Domains(domains) => f.write_str(&domains.join(",")),
        }
    }
}

impl Capability for RegistrationPolicy {
    fn obtain(call: &Call) -> Result<Self, Fault> {
        Ok(call.registration().clone())
    }
}

/// The compared form of a mail domain.
fn domain(text: &str) -> Result<String, Cause> {
    let none = || format!("{text:?} is neither `open` nor `closed` nor a domain of mail addresses such as example.com");
    address::host(text).ok_or_else(|| none().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(setting: &str, url: &str) -> Result<RegistrationPolicy, String> {
        RegistrationPolicy::parse(setting, &Site::new(url, "", "")).map_err(|cause| cause.to_string())
    }

    const DEPLOYED: &str = "https://api.example.com";
    const LOCAL: &str = "http://127.0.0.1:9000";

    #[test]
    fn where_nothing_is_said_it_is_open_to_who_develops_and_to_nobody_else() {
        assert_eq!(read("", LOCAL), Ok(RegistrationPolicy::Open));
        for elsewhere in [DEPLOYED, "http://api.example.com", "http://127.0.0.1.evil.example", ""] {
            assert_eq!(read("", elsewhere), Ok(RegistrationPolicy::Closed), "{elsewhere}");
        }
    }

    #[test]
    fn what_is_said_counts_wherever_the_service_is() {
        for url in [DEPLOYED, LOCAL, ""] {
            assert_eq!(read("open", url), Ok(RegistrationPolicy::Open));
            assert_eq!(read("closed", url), Ok(RegistrationPolicy::Closed));
            let domains = ["a.example", "xn--mller-kva.example"].map(str::to_owned).to_vec();
            for written in ["A.example, xn--mller-kva.example", "a.example,Müller.example"] {
                assert_eq!(read(written, url), Ok(RegistrationPolicy::Domains(domains.clone())), "{written}");
            }
        }
    }

    #[test]
    fn what_is_misspelt_opens_nothing() {
        let long = format!("{}.example", "a".repeat(64));
        for wrong in [
            "Open",
            "opened",
            "on",
            "*",
            "@a.example",
            "a.example;b.example",
            "a..example",
            ",",
            "1.2.3.4",
            "ti\u{212a}.example",
            &long,
        ] {
            let refusal = read(wrong, DEPLOYED).unwrap_err();
            assert!(refusal.contains("neither `open` nor `closed`"), "{wrong}: {refusal}");
        }
    }

    #[test]
    fn an_address_is_of_one_domain_and_of_none_below_or_above_it() {
        let some = read("b.example,c.example", DEPLOYED).unwrap();
        for good in ["a@b.example", "a@C.example", "\"x@y\"@b.example"] {
            assert_eq!(some.expect(good), Ok(()), "{good}");
        }
        for other in
            ["a@a.b.example", "a@example", "b.example", "a@b.example.evil.example", "a@b.example@evil.example", ""]
        {
            assert_eq!(some.expect(other), Err(NotAdmitted::OtherDomain), "{other}");
        }
        assert_eq!(RegistrationPolicy::Closed.expect("a@b.example"), Err(NotAdmitted::Closed));
        assert_eq!(RegistrationPolicy::Open.expect("a@anything.example"), Ok(()));
    }

    #[test]
    fn what_is_written_out_is_read_again() {
        for setting in ["open", "closed", "a.example,b.example"] {
            assert_eq!(read(setting, DEPLOYED).unwrap().to_string(), setting);
        }
    }
}
