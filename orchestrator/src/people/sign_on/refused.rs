//! Why somebody is not signed on. Each has a stable code, which the sign-in page puts into words.

use super::fetch;
use super::id_token::Fault;
use crate::store::people::accounts::Account;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// No such browser is expected: another one, too late, or once more.
    NotExpected,
    /// It is expected, and came back with the answer to another question.
    StateDiffers,
    /// What the provider said instead of a code, one of its words.
    ProviderRefused(String),
    /// It cannot be reached, or not in time.
    ProviderUnreachable(fetch::Failed),
    /// It answers what it should not: nearly always it, or we, are configured wrongly.
    ProviderAnswer(fetch::Failed),
    /// The ID token proves nothing.
    TokenInvalid(Fault),
    /// It tells no e-mail address, or does not say that it was verified.
    EmailNotVerified,
    /// Nobody made an account for this address.
    NoAccount,
    /// The address is that of an account with a password.
    HasPassword(Account),
    /// The address is that of an account of somebody else there.
    LinkedToAnother(Account),
    /// The name that a new account would have is known as somebody else's.
    NameTaken,
    /// The account is switched off.
    Disabled(Account),
}

impl Refused {
    /// Stable, for programs and for the sign-in page.
    pub fn code(&self) -> &'static str {
        match self {
            Refused::NotExpected => "sign_on.not_expected",
            Refused::StateDiffers => "sign_on.state_differs",
            Refused::ProviderRefused(_) => "sign_on.provider_refused",
            Refused::ProviderUnreachable(_) => "sign_on.provider_unreachable",
            Refused::ProviderAnswer(_) => "sign_on.provider_answer",
            Refused::TokenInvalid(_) => "sign_on.token_invalid",
            Refused::EmailNotVerified => "sign_on.email_not_verified",
            Refused::NoAccount => "sign_on.no_account",
            Refused::HasPassword(_) => "sign_on.has_password",
            Refused::LinkedToAnother(_) => "sign_on.linked_to_another",
            Refused::NameTaken => "sign_on.name_taken",
            Refused::Disabled(_) => "session.account_disabled",
        }
    }

    /// Whether it is no fault of whoever wanted to sign on. (What the provider answers may be: to a made-up code.)
    pub(super) fn is_the_providers(&self) -> bool {
        matches!(self, Refused::ProviderUnreachable(_))
    }

    /// Whose account it would have been.
    pub fn account(&self) -> Option<&Account> {
        match self {
            Refused::HasPassword(account)
            | Refused::LinkedToAnother(account)
            | Refused::Disabled(account) => Some(account),
            _ => None,
        }
    }

    /// For the log and the record, where there is more to say than the code.
    pub fn why(&self) -> Option<String> {
        match self {
            Refused::ProviderRefused(word) => Some(word.clone()),
            Refused::ProviderUnreachable(failed) | Refused::ProviderAnswer(failed) => {
                Some(failed.to_string())
            }
            Refused::TokenInvalid(fault) => Some(fault.to_string()),
            _ => None,
        }
    }
}

impl From<fetch::Failed> for Refused {
    fn from(failed: fetch::Failed) -> Self {
        match failed {
            fetch::Failed::Unreachable { .. } => Refused::ProviderUnreachable(failed),
            fetch::Failed::Answer { .. } => Refused::ProviderAnswer(failed),
        }
    }
}
