//! What is still to be done before this desk can send: the guide of the first run.

use crate::settings::form::{Form, Settings};

/// The next thing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SetupStep {
    /// Enter server, account and branch code.
    Configure,
    /// Try the connection.
    Test,
    /// Nothing: scan.
    Ready,
}

/// What was tested: another server, account or library is to be tested anew. Holds no password.
pub fn tested_as(settings: &Settings) -> String {
    [settings.server.as_str(), &settings.username, &settings.branchcode].join("\t")
}

/// Whether these settings have worked before: server, account and library are those that were `tested` with success.
pub fn have_worked(settings: &Settings, tested: Option<&str>) -> bool {
    tested == Some(tested_as(settings).as_str())
}

/// The next step. `saved` tells whether somebody has saved the settings once, `tested` what [`tested_as`] gave when the
/// connection was tested last with success.
pub fn next(form: &Form, saved: bool, tested: Option<&str>) -> SetupStep {
    match form.validate() {
        Ok(settings) if have_worked(&settings, tested) => SetupStep::Ready,
        Ok(_) => SetupStep::Test,
        // A desk that only writes .koc files is ready when it says so.
        Err(_) if saved && !form.connects() => SetupStep::Ready,
        Err(_) => SetupStep::Configure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::form::{Login, Secret};

    #[test]
    fn from_nothing_to_ready() {
        assert_eq!(next(&Form::default(), false, None), SetupStep::Configure);
        assert_eq!(next(&Form::default(), true, None), SetupStep::Ready, "a desk without Koha");
        let form = Form::for_tests();
        assert_eq!(next(&form, true, None), SetupStep::Test);
        let tested = tested_as(&form.validate().unwrap());
        assert!(!tested.contains("letmein"));
        assert_eq!(next(&form, true, Some(&tested)), SetupStep::Ready);
        let moved = Form { branchcode: "MPL".into(), ..form.clone() };
        assert_eq!(next(&moved, true, Some(&tested)), SetupStep::Test);
        let without_account = Form { login: Login::OpenKoha, password: Secret::default(), ..form.clone() };
        assert_eq!(next(&without_account, true, Some(&tested)), SetupStep::Test, "as somebody else");
        let tested_so = tested_as(&without_account.validate().unwrap());
        assert_eq!(next(&without_account, true, Some(&tested_so)), SetupStep::Ready);
        // The password is forgotten when Firefox is closed.
        assert_eq!(next(&Form { password: Secret::default(), ..form }, true, Some(&tested)), SetupStep::Configure);
    }
}
