//! Sessions: they begin, are renewed and end. A user's account lists the user's sessions, and both change in one
//! transaction, so that a change of all sessions finds all of them.

use protocol::{Fault, SecretHash};
use runtime::{ClientInfo, opaque::Opaque, prelude::*, sessions::lifetime};
use store::{Operation, transaction};

use super::account_lease::Contention;
use crate::{
    Account, ClientId, Device, IdentityRole as _, IdentityUser, Proof, Session, UserId,
    rotation::{self, RefreshToken, Rotated},
};

/// How many times a change is retried that lost to concurrent changes.
pub(crate) const ATTEMPTS: usize = 20;

/// The capability to begin, renew and end sessions.
#[derive(Clone, Capability)]
pub struct Sessions {
    pub(crate) accounts: Update<Account>,
    pub(crate) new_accounts: Create<Account>,
    pub(crate) stored: Update<Session>,
    pub(crate) begun: Create<Session>,
    pub(crate) ended: Delete<Session>,
    pub(crate) client_info: ClientInfo,
    pub(crate) ids: Ids,
    pub(crate) clock: Clock,
}

/// The secret that a device keeps.
pub(crate) enum SessionSecret {
    Cookie(Opaque),
    Tokens(RefreshToken),
    /// Of an application, with its scopes. An application that gets no refresh token has a session no longer than its
    /// first access token.
    Application {
        client_id: ClientId,
        name: String,
        scopes: Vec<String>,
        token: RefreshToken,
        may_refresh: bool,
    },
}

impl SessionSecret {
    /// A new secret for a cookie.
    pub(crate) fn cookie() -> Result<Self, Fault> {
        Opaque::random().map(Self::Cookie)
    }

    /// A new secret for refresh tokens.
    pub(crate) fn tokens() -> Result<Self, Fault> {
        RefreshToken::first().map(Self::Tokens)
    }

    pub(super) fn id(&self) -> SecretHash {
        match self {
            Self::Cookie(secret) => secret.hash(),
            Self::Tokens(token) | Self::Application { token, .. } => token.session.hash(),
        }
    }

    pub(super) fn proof(&self) -> Proof {
        match self {
            Self::Cookie(_) => Proof::Cookie { successor: None },
            Self::Tokens(token) => Proof::Tokens { rotation: rotation::begin(token) },
            Self::Application { client_id, scopes, token, .. } => Proof::Application {
                client_id: client_id.to_string(),
                scopes: scopes.clone(),
                rotation: rotation::begin(token),
            },
        }
    }

    /// When the session ends unless it is renewed, and when it ends in any case.
    fn ends(&self, now: Timestamp) -> (Timestamp, Timestamp) {
        let once = lifetime::ACCESS_TOKEN_S * 1_000;
        let (idle_ms, absolute_ms) = match self {
            Self::Application { may_refresh: false, .. } => (once, once),
            Self::Application { .. } => (lifetime::APPLICATION_IDLE_MS, lifetime::APPLICATION_ABSOLUTE_MS),
            Self::Cookie(_) | Self::Tokens(_) => (lifetime::IDLE_MS, lifetime::ABSOLUTE_MS),
        };
        (now.plus_ms(idle_ms), now.plus_ms(absolute_ms))
    }

    /// The name of a device in the user's list. An application has its own name, not that of its HTTP library.
    fn agent(&self, client_info: &ClientInfo) -> String {
        match self {
            Self::Application { name, .. } => name.clone(),
            Self::Cookie(_) | Self::Tokens(_) => client_info.agent.clone(),
        }
    }

    fn client_id(&self) -> Option<ClientId> {
        match self {
            Self::Application { client_id, .. } => Some(*client_id),
            Self::Cookie(_) | Self::Tokens(_) => None,
        }
    }
}

impl Sessions {
    /// Signs a user in on a device. `change` sees the account as it is now, and changes it further or refuses the
    /// sign-in. `extra_operations` are further operations of the transaction.
    pub(crate) async fn begin<U: IdentityUser>(
        &self,
        users: &Read<U>,
        user_id: UserId,
        secret: &SessionSecret,
        change: impl Fn(&mut Account) -> Result<(), Fault>,
        extra_operations: impl Fn() -> Vec<Operation>,
    ) -> Result<(U, Session), Fault> {
        for _ in 0..ATTEMPTS {
            if let Some(begun) = self.try_begin(users, user_id, secret, &change, &extra_operations).await? {
                return Ok(begun);
            }
        }
        Err(StoreError::Stale.into())
    }

    /// One attempt at [`Sessions::begin`]; none when a concurrent change won.
    pub(crate) async fn try_begin<U: IdentityUser>(
        &self,
        users: &Read<U>,
        user_id: UserId,
        secret: &SessionSecret,
        change: impl Fn(&mut Account) -> Result<(), Fault>,
        extra_operations: impl Fn() -> Vec<Operation>,
    ) -> Result<Option<(U, Session)>, Fault> {
        let now = self.clock.now();
        // The account is read first: a concurrent change of the user's rights changes the account as well.
        let current = self.read_unleased(&user_id).await?;
        let evicted = || Fault::new(protocol::Code::Unauthorized, "There is no such user any more.");
        let user = users.get(&user_id).await?.ok_or_else(evicted)?;
        let (expires_at, ends_at) = secret.ends(now);
        // No session outlives its user.
        let (expires_at, ends_at) = match user.ends_at() {
            Some(end) => (expires_at.min(end), ends_at.min(end)),
            None => (expires_at, ends_at),
        };
        let mut session = Session {
            id: secret.id(),
            device: self.ids.next(),
            user_id,
            role: user.effective_role().map(|role| role.name().to_owned()),
            proof: secret.proof(),
            created_at: now,
            authenticated_at: secret.client_id().is_none().then_some(now),
            renewed_at: now,
            expires_at,
            ends_at,
            changed: false,
            address: self.client_info.address.clone(),
            agent: secret.agent(&self.client_info),
            version: Version::default(),
        };
        let mut next = current.clone().unwrap_or_else(|| Account::new(user_id));
        change(&mut next)?;
        next.devices.retain(|device| device.ends_at > now);
        if next.devices.len() >= Account::MAX_DEVICES {
            // Sessions that have ended for want of use make room first.
            let live_sessions = self.live_sessions(&next.devices).await?;
            next.devices.retain(|device| live_sessions.iter().any(|session| device.has(&session.id)));
        }
        let oldest = evict(&mut next.devices, secret.client_id());
        next.devices.push(Device {
            device: session.device,
            session: session.id.clone(),
            client_id: secret.client_id(),
            replaced: None,
            ends_at: session.ends_at,
        });
        let mut operations = vec![self.begun.creating(&mut session)];
        operations.extend(self.ending(&oldest).await?);
        operations.extend(extra_operations());
        operations.push(self.putting(current.as_ref(), &mut next));
        match transaction(operations).await {
            Err(StoreError::Stale | StoreError::Exists) => Ok(None),
            done => Ok(done.map(|()| Some((user, session)))?),
        }
    }

    /// The operation that replaces the stored account, or creates it. It ends a lease.
    pub(crate) fn putting(&self, stored: Option<&Account>, next: &mut Account) -> Operation {
        next.leased_until = None;
        match stored {
            Some(stored) => self.accounts.replacing(stored, next),
            None => self.new_accounts.creating(next),
        }
    }

    /// The operations that end these devices' sessions.
    pub(crate) async fn ending(&self, devices: &[Device]) -> Result<Vec<Operation>, StoreError> {
        let mut operations = Vec::new();
        for session in self.live_sessions(devices).await? {
            operations.push(self.ended.deleting(&session));
        }
        Ok(operations)
    }

    /// The sessions of these devices that have not ended.
    pub(crate) async fn live_sessions(&self, devices: &[Device]) -> Result<Vec<Session>, StoreError> {
        let ids = devices.iter().flat_map(|device| std::iter::once(&device.session).chain(&device.replaced));
        let found = futures_util::future::try_join_all(ids.map(|id| self.stored.get(id))).await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// Signs out devices of a user and returns their number. `change` changes the account further.
    pub async fn end(
        &self,
        user_id: UserId,
        which: impl Fn(&Device) -> bool,
        change: impl Fn(&mut Account),
        extra_operations: impl Fn() -> Vec<Operation>,
    ) -> Result<usize, StoreError> {
        let mut contention = Contention::default();
        for _ in 0..ATTEMPTS {
            let stored = self.read_for_ending(&user_id, &mut contention).await?;
            let current = stored.clone().unwrap_or_else(|| Account::new(user_id));
            let mut next = current.clone();
            change(&mut next);
            let (ended, left): (Vec<_>, Vec<_>) = next.devices.into_iter().partition(|device| which(device));
            next.devices = left;
            if next == current {
                return Ok(0);
            }
            let mut operations = self.ending(&ended).await?;
            operations.extend(extra_operations());
            operations.push(self.putting(stored.as_ref(), &mut next));
            match transaction(operations).await {
                Err(StoreError::Stale | StoreError::Exists) => {}
                done => return done.map(|()| ended.len()),
            }
        }
        Err(StoreError::Stale)
    }

    /// Signs out the device of this session. `extra_operations` returns further operations, by the session's user.
    pub(crate) async fn end_of(
        &self,
        id: &SecretHash,
        extra_operations: impl Fn(UserId) -> Vec<Operation>,
    ) -> Result<(), StoreError> {
        let Some(session) = self.stored.get(id).await? else { return Ok(()) };
        let is_this_device = |device: &Device| device.device == session.device;
        self.end(session.user_id, is_this_device, |_| {}, || extra_operations(session.user_id)).await.map(|_| ())
    }

    /// Renews the session of a cookie: the browser gets another secret. The previous one stays valid for a moment, and
    /// renewing it again gives the same secret, for lost answers and for other tabs.
    pub(crate) async fn renew_cookie(&self, secret: &Opaque) -> Result<Option<Opaque>, Fault> {
        let now = self.clock.now();
        for _ in 0..ATTEMPTS {
            let Some(current) = self.stored.get(&secret.hash()).await? else { return Ok(None) };
            let Proof::Cookie { successor } = &current.proof else { return Ok(None) };
            if let Some(nonce) = successor.as_deref().and_then(Opaque::parse) {
                return Ok(Some(nonce.derive(secret.bytes())));
            }
            let Some(account) = self.read_unleased(&current.user_id).await? else { return Ok(None) };
            let nonce = Opaque::random()?;
            let next_secret = nonce.derive(secret.bytes());
            let mut next = self.renewed(&current, now);
            next.id = next_secret.hash();
            let mut alias = Session {
                proof: Proof::Cookie { successor: Some(nonce.text()) },
                expires_at: now.plus_ms(rotation::GRACE_MS),
                changed: false,
                ..current.clone()
            };
            let mut listed = account.clone();
            // A concurrent change won.
            let Some(device) = listed.devices.iter_mut().find(|device| device.session == current.id) else { continue };
            let mut operations = Vec::new();
            // A secret of two turns before, which may still have its moment, ends here: an unlisted session would not
            // be found by a change of all sessions.
            if let Some(before) = &device.replaced
                && let Some(before) = self.stored.get(before).await?
            {
                operations.push(self.ended.deleting(&before));
            }
            device.replaced = Some(std::mem::replace(&mut device.session, next.id.clone()));
            operations.push(self.begun.creating(&mut next));
            operations.push(self.stored.replacing(&current, &mut alias));
            operations.push(self.putting(Some(&account), &mut listed));
            match transaction(operations).await {
                Err(StoreError::Stale) => {}
                done => return Ok(done.map(|()| Some(next_secret))?),
            }
        }
        Err(StoreError::Stale.into())
    }

    /// Gives a browser another secret at once, which signs out the holder of a copy of the previous one. Returns the
    /// secret, and the operations that store it.
    pub(crate) async fn reissuing(&self, device: &mut Device) -> Result<Option<(Opaque, Vec<Operation>)>, Fault> {
        let Some(current) = self.stored.get(&device.session).await? else { return Ok(None) };
        let secret = Opaque::random()?;
        let mut next = self.renewed(&current, self.clock.now());
        (next.id, next.proof) = (secret.hash(), Proof::Cookie { successor: None });
        let mut operations = self.ending(std::slice::from_ref(device)).await?;
        operations.push(self.begun.creating(&mut next));
        (device.session, device.replaced) = (next.id, None);
        Ok(Some((secret, operations)))
    }

    /// Takes a refresh token and returns the next one. `client` is the application that presents it; none is one of the
    /// service's own pages.
    pub(crate) async fn renew(&self, token: &RefreshToken, client: Option<&str>) -> Result<Renewal, Fault> {
        let now = self.clock.now();
        for _ in 0..ATTEMPTS {
            let Some(current) = self.stored.get(&token.session.hash()).await? else { return Ok(Renewal::Unknown) };
            let rotation = match (&current.proof, client) {
                (Proof::Tokens { rotation }, None) => rotation,
                (Proof::Application { client_id, rotation, .. }, Some(client)) if client_id == client => rotation,
                _ => return Ok(Renewal::Unknown),
            };
            let turn = rotation::rotate(rotation, token, now)?;
            if matches!(turn, Rotated::Next(..)) {
                // A refresh changes no account, but a session that the holder of the lease is about to end.
                self.read_unleased(&current.user_id).await?;
            }
            match turn {
                Rotated::Again(successor) => return Ok(Renewal::Next(current, successor)),
                Rotated::Reused => return Ok(Renewal::Reused(current)),
                Rotated::Next(turned, successor) => {
                    let mut next = self.renewed(&current, now);
                    if let Proof::Tokens { rotation } | Proof::Application { rotation, .. } = &mut next.proof {
                        *rotation = turned;
                    }
                    match self.stored.replace(&current, next).await {
                        Err(StoreError::Stale) => {}
                        done => return Ok(Renewal::Next(done?, successor)),
                    }
                }
            }
        }
        Err(StoreError::Stale.into())
    }

    pub(super) fn renewed(&self, current: &Session, now: Timestamp) -> Session {
        let idle_ms = match current.proof {
            Proof::Application { .. } => lifetime::APPLICATION_IDLE_MS,
            Proof::Cookie { .. } | Proof::Tokens { .. } => lifetime::IDLE_MS,
        };
        let expires_at = now.plus_ms(idle_ms).min(current.ends_at);
        Session { renewed_at: now, expires_at, changed: false, ..current.clone() }
    }
}

/// Removes the devices that make room for one more, oldest first.
fn evict(devices: &mut Vec<Device>, client_id: Option<ClientId>) -> Vec<Device> {
    let of_client = |device: &Device| client_id.is_some() && device.client_id == client_id;
    let mut too_many =
        (devices.iter().filter(|device| of_client(device)).count() + 1).saturating_sub(Account::MAX_OF_ONE_CLIENT);
    let mut evicted: Vec<Device> = Vec::new();
    devices.retain(|device| {
        let is_evicted = too_many > 0 && of_client(device);
        if is_evicted {
            too_many -= 1;
            evicted.push(device.clone());
        }
        !is_evicted
    });
    let evict = (devices.len() + 1).saturating_sub(Account::MAX_DEVICES);
    evicted.extend(devices.drain(..evict));
    evicted
}

/// The result of a refresh.
pub(crate) enum Renewal {
    /// The session continues with this token.
    Next(Session, RefreshToken),
    /// The token was used before: the session must end.
    Reused(Session),
    /// No session has this token.
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(ids: &Ids, client_id: Option<ClientId>) -> Device {
        let session = Opaque::from_bytes([0; 32]).hash();
        Device { device: ids.next(), session, client_id, replaced: None, ends_at: Timestamp::from_unix_ms(0) }
    }

    #[test]
    fn an_application_that_comes_again_and_again_pushes_out_itself_and_nobody_else() {
        let ids = Ids::counting();
        let (one, other): (ClientId, ClientId) = (ids.next(), ids.next());
        let browser = device(&ids, None);
        let mut devices = vec![browser.clone(), device(&ids, Some(other))];
        let mut let_in: Vec<Device> = Vec::new();
        for _ in 0..=Account::MAX_DEVICES {
            let evicted = evict(&mut devices, Some(one));
            let expected = let_in.len().checked_sub(Account::MAX_OF_ONE_CLIENT).map(|at| let_in[at].clone());
            assert_eq!(evicted, Vec::from_iter(expected), "its own oldest");
            let_in.push(device(&ids, Some(one)));
            devices.push(let_in.last().cloned().unwrap());
        }
        assert_eq!((devices.len(), &devices[0]), (2 + Account::MAX_OF_ONE_CLIENT, &browser));
        devices.extend((devices.len()..Account::MAX_DEVICES).map(|_| device(&ids, None)));
        assert_eq!(evict(&mut devices, None), [browser], "the oldest of all");
    }
}
