//! What an installation says of its provider. Parsed: what is here can be used.

use reqwest::Url;
use std::net::IpAddr;

/// Where the provider sends browsers back to, below the app's address.
pub const CALLBACK: &str = "/api/v1/session/sign-on/callback";

/// A text that is never printed.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

#[derive(Clone, Debug)]
pub struct Settings {
    /// Exactly as the provider writes it in its tokens.
    pub issuer: String,
    pub client_id: String,
    pub client_secret: Secret,
    /// What the button says.
    pub label: String,
    /// Of e-mail addresses for which accounts make themselves, without a role; lower case.
    pub domains: Vec<String>,
    /// The provider verifies every address it tells, and does not say so (Microsoft Entra ID of one's own tenant).
    pub trusts_email: bool,
    /// Where the provider sends browsers back to.
    pub redirect_uri: String,
}

/// Why it cannot be used so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    #[error(
        "the issuer {0} is no https URL: a sign-in would cross the network in the clear (http is for loopback)"
    )]
    Issuer(String),
    #[error("say where people open the app (--public-url): the provider sends them back there")]
    NoPublicUrl,
    #[error(
        "--public-url {0} is no https URL: a sign-in would cross the network in the clear (http is for loopback)"
    )]
    PublicUrl(String),
    #[error("the client's secret is empty")]
    SecretEmpty,
    #[error("{0:?} is no domain of e-mail addresses, such as example.org")]
    Domain(String),
    #[error("a button says 1 to 100 characters")]
    Label,
}

impl Settings {
    /// Checks all of it.
    ///
    /// # Errors
    /// When a sign-in would not be safe, or could not come back.
    pub fn checked(mut self, public_url: Option<&str>) -> Result<Self, Unusable> {
        let issuer = Url::parse(&self.issuer).ok().filter(is_private);
        if issuer.is_none_or(|url| url.query().is_some() || url.fragment().is_some()) {
            return Err(Unusable::Issuer(self.issuer));
        }
        let public_url = public_url.ok_or(Unusable::NoPublicUrl)?;
        if !Url::parse(public_url).is_ok_and(|url| is_private(&url)) {
            return Err(Unusable::PublicUrl(public_url.to_owned()));
        }
        self.redirect_uri = format!("{}{CALLBACK}", public_url.trim_end_matches('/'));
        if self.client_secret.0.is_empty() {
            return Err(Unusable::SecretEmpty);
        }
        self.label = self.label.trim().to_owned();
        if !(1..=100).contains(&self.label.chars().count()) {
            return Err(Unusable::Label);
        }
        for domain in &mut self.domains {
            let is_of_domain = |c: char| c.is_alphanumeric() || c == '.' || c == '-';
            if domain.is_empty() || !domain.chars().all(is_of_domain) {
                return Err(Unusable::Domain(domain.clone()));
            }
            *domain = domain.to_lowercase();
        }
        Ok(self)
    }

    /// Whether an account may make itself for this address. Domains below an allowed one are others.
    pub fn welcomes(&self, email: &str) -> bool {
        let domain = email.rsplit_once('@').map(|(_, domain)| domain.to_lowercase());
        domain.is_some_and(|domain| self.domains.contains(&domain))
    }
}

/// TLS, or this machine itself.
pub(super) fn is_private(url: &Url) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url))
}

pub(super) fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(issuer: &str) -> Settings {
        Settings {
            issuer: issuer.to_owned(),
            client_id: "loopwright".to_owned(),
            client_secret: Secret::new("s3cret"),
            label: " Sign in with ACME ".to_owned(),
            domains: vec!["Example.org".to_owned()],
            trusts_email: false,
            redirect_uri: String::new(),
        }
    }

    const HOME: Option<&str> = Some("https://loopwright.example.org");

    #[test]
    fn nothing_of_a_sign_in_crosses_a_network_in_the_clear() {
        for (issuer, usable) in [
            ("https://id.example.org/realms/lab", true),
            ("https://id.example.org/", true),
            ("http://127.0.0.1:9000", true),
            ("http://[::1]:9000", true),
            ("http://localhost:9000", true),
            ("http://id.example.org", false),
            ("http://127.0.0.1.example.org", false),
            ("ftp://id.example.org", false),
            ("https://id.example.org?a=b", false),
            ("id.example.org", false),
        ] {
            assert_eq!(settings(issuer).checked(HOME).is_ok(), usable, "{issuer}");
        }
        let https = || settings("https://id.example.org");
        assert_eq!(https().checked(None).unwrap_err(), Unusable::NoPublicUrl);
        assert!(matches!(https().checked(Some("http://lab.example.org")), Err(Unusable::PublicUrl(_))));
        assert!(https().checked(Some("http://127.0.0.1:8460")).is_ok());
    }

    #[test]
    fn it_comes_back_to_the_callback_and_its_secret_is_not_printed() {
        let checked = settings("https://id.example.org").checked(HOME).expect("usable");
        assert_eq!(checked.redirect_uri, "https://loopwright.example.org/api/v1/session/sign-on/callback");
        assert_eq!(checked.label, "Sign in with ACME");
        assert!(!format!("{checked:?}").contains("s3cret"));
        let empty = Settings { client_secret: Secret::new(""), ..settings("https://id.example.org") };
        assert_eq!(empty.checked(HOME).unwrap_err(), Unusable::SecretEmpty);
    }

    #[test]
    fn a_domain_welcomes_its_own_addresses_and_no_others() {
        let checked = settings("https://id.example.org").checked(HOME).expect("usable");
        for (email, welcome) in [
            ("ada@example.org", true),
            ("Ada@EXAMPLE.ORG", true),
            ("ada@sub.example.org", false),
            ("ada@example.org.evil.test", false),
            ("\"a@example.org\"@evil.test", false),
            ("example.org", false),
        ] {
            assert_eq!(checked.welcomes(email), welcome, "{email}");
        }
    }
}
