//! Who is asking, and what they may do: passwords, sessions, permissions.
//!
//! Koha: C4/Auth.pm `check_api_auth`, `check_cookie_auth`, `checkpw`, `haspermission`.

use crate::collation::same;
use crate::csrf::keyed_hash;
use crate::request::Request;
use crate::state::{Era, Library, Patron};

/// The code of everybody's second factor.
pub const SECOND_FACTOR: &str = "246810";

/// A permission of the staff client, as far as this server asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flag {
    /// Everything.
    Superlibrarian,
    /// Checkout, checkin, the queue of pending operations.
    Circulate,
    /// The staff client's pages and the catalogue.
    Catalogue,
    /// `edit_catalogue`, the one that svc/authentication asks for.
    EditCatalogue,
    /// Patron data.
    Borrowers,
    /// What patrons owe (`updatecharges`).
    UpdateCharges,
    /// Holds (`reserveforothers`).
    ReserveForOthers,
    /// Tools, file upload among them.
    Tools,
    /// Another library than the own at the login form (`loggedinlibrary`).
    LoggedInLibrary,
}

/// A row of the sessions table. It survives a restart of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The login name; none in the anonymous session of a login page.
    pub userid: Option<String>,
    /// The branch that the person is logged in at: loans and payments of the session happen there.
    pub branch: String,
    /// Timed out, and to be deleted when it is next seen.
    pub expired: bool,
    /// The password was right, and the code of the second factor is still to come.
    pub awaits_second_factor: bool,
}

/// The answers of `check_api_auth`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ApiAuth {
    /// Logged in, with the id of the session.
    Ok(String),
    Failed,
    Expired,
    Maintenance,
    /// A session cookie that nobody is logged in with.
    Anonymous,
    /// A session cookie whose second factor is still to come.
    SecondFactor,
}

impl ApiAuth {
    /// The word in the XML of svc/authentication.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Ok(_) => "ok",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Maintenance => "maintenance",
            Self::Anonymous => "anon",
            Self::SecondFactor => "additional-auth-needed",
        }
    }
}

impl Patron {
    /// Does the account have the permission?
    pub fn may(&self, flag: Flag) -> bool {
        self.permissions.contains(&Flag::Superlibrarian) || self.permissions.contains(&flag)
    }
}

impl Era {
    /// The parameters of a login. Bug 36102 (24.05) renamed them.
    pub(crate) fn login_parameters(self) -> (&'static str, &'static str) {
        match self {
            Self::Before2405 => ("userid", "password"),
            Self::From2405 => ("login_userid", "login_password"),
        }
    }
}

impl Library {
    /// Makes every session time out: its cookie is not accepted any more.
    pub fn expire_sessions(&mut self) {
        for session in self.sessions.values_mut() {
            session.expired = true;
        }
    }

    /// The account that is logged in with this session, if it is alive.
    pub fn session_account(&self, session_id: &str) -> Option<&Patron> {
        let alive = |session: &&Session| !session.expired && !session.awaits_second_factor;
        let session = self.sessions.get(session_id).filter(alive)?;
        self.account(session.userid.as_deref()?)
    }

    /// The number of sessions that are alive: those that somebody is logged in with, and the anonymous ones.
    pub fn sessions_alive(&self) -> (usize, usize) {
        let alive = self.sessions.values().filter(|session| !session.expired);
        let (persons, anonymous): (Vec<_>, Vec<_>) = alive.partition(|session| session.userid.is_some());
        (persons.len(), anonymous.len())
    }

    /// The branch of the session; empty if there is none.
    pub(crate) fn session_branch(&self, session_id: &str) -> String {
        self.sessions.get(session_id).map(|session| session.branch.clone()).unwrap_or_default()
    }

    /// Makes a session: a person's if there is a userid, else an anonymous one. The id has 32 hex digits.
    pub fn new_session(&mut self, userid: Option<&str>, branch: &str) -> String {
        let number = self.next_id();
        let id = format!("{:016x}{:016x}", keyed_hash(&("session", number)), keyed_hash(&(number, "id")));
        let session = Session {
            userid: userid.map(str::to_owned),
            branch: branch.to_owned(),
            expired: false,
            awaits_second_factor: false,
        };
        self.sessions.insert(id.clone(), session);
        id
    }

    /// Koha: `checkpw`. The name may be a userid or a cardnumber; a wrong password counts towards the lock, and a
    /// locked account is refused even with the right one.
    pub(crate) fn check_password(&mut self, login: &str, password: &str) -> Option<&Patron> {
        self.compare_password(login, password, true)
    }

    /// The same where wrong passwords may not count, nor the lock: Basic authentication before bug 43424.
    pub(crate) fn compare_password(&mut self, login: &str, password: &str, counts: bool) -> Option<&Patron> {
        self.password_checks += 1;
        let limit = self.preferences.failed_login_attempts.filter(|_| counts);
        let named = |patron: &Patron| !patron.userid.is_empty() && same(&patron.userid, login);
        let index = self.patrons.iter().position(named).or_else(|| {
            self.patrons.iter().position(|patron| !patron.cardnumber.is_empty() && same(&patron.cardnumber, login))
        })?;
        let patron = &mut self.patrons[index];
        if limit.is_some_and(|limit| patron.login_attempts >= limit) {
            return None;
        }
        if patron.password.is_empty() || patron.password != password {
            patron.login_attempts += u32::from(counts);
            return None;
        }
        if counts {
            patron.login_attempts = 0;
        }
        Some(patron)
    }

    /// Koha: `check_api_auth`. The cookie counts only if no login name is sent. A session that lacks the permission
    /// is deleted: the person is logged out. Without a wanted permission every account with a password will do.
    pub(crate) fn check_api_auth(&mut self, request: &Request, wanted: Option<Flag>) -> ApiAuth {
        if self.preferences.maintenance {
            return ApiAuth::Maintenance;
        }
        let (user, password) = self.era.login_parameters();
        let login = request.parameter(user).unwrap_or_default();
        if login.is_empty() {
            return match request.cookie("CGISESSID") {
                Some(id) => self.check_session(&id, wanted),
                None => ApiAuth::Failed,
            };
        }
        let password = request.parameter(password).unwrap_or_default();
        if password.is_empty() {
            return ApiAuth::Failed;
        }
        let Some(patron) = self.check_password(login, password) else { return ApiAuth::Failed };
        // The permission is looked up by userid, so a login by cardnumber has none (observed).
        if wanted.is_some_and(|flag| !same(&patron.userid, login) || !patron.may(flag)) {
            return ApiAuth::Failed;
        }
        let (userid, home) = (patron.userid.clone(), patron.branch.clone());
        let branch = request.parameter("branch").filter(|branch| !branch.is_empty()).unwrap_or(&home);
        ApiAuth::Ok(self.new_session(Some(&userid), branch))
    }

    /// Koha: `check_cookie_auth`.
    pub(crate) fn check_session(&mut self, id: &str, wanted: Option<Flag>) -> ApiAuth {
        if self.preferences.maintenance {
            return ApiAuth::Maintenance;
        }
        match self.sessions.get(id) {
            None => ApiAuth::Expired,
            Some(session) if session.expired => {
                self.sessions.remove(id);
                ApiAuth::Expired
            }
            Some(session) if session.userid.is_none() && self.era == Era::From2405 => ApiAuth::Anonymous,
            Some(session) if session.awaits_second_factor => ApiAuth::SecondFactor,
            Some(_) => match self.session_account(id) {
                Some(account) if wanted.is_none_or(|flag| account.may(flag)) => ApiAuth::Ok(id.to_owned()),
                _ => {
                    self.sessions.remove(id);
                    ApiAuth::Failed
                }
            },
        }
    }
}
