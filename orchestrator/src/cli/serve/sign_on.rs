//! Options for signing on by the laboratory's identity provider.

use crate::people::sign_on::{Secret, Settings};
use anyhow::Context;
use clap::Args;
use std::path::PathBuf;

/// Off unless an issuer is named. Where people come back to is below `--public-url`.
#[derive(Debug, Args)]
pub struct SignOnArguments {
    /// Issuer of the identity provider (OpenID Connect), exactly as it writes it, e.g. https://id.example.org/realms/lab
    #[arg(long, env = "LOOPWRIGHT_SIGN_ON_ISSUER", requires = "sign_on_client_id")]
    pub sign_on_issuer: Option<String>,
    /// What this installation is called there
    #[arg(long, env = "LOOPWRIGHT_SIGN_ON_CLIENT_ID", requires = "sign_on_client_secret_file")]
    pub sign_on_client_id: Option<String>,
    /// File with the client's secret
    #[arg(long, env = "LOOPWRIGHT_SIGN_ON_CLIENT_SECRET_FILE", requires = "sign_on_issuer")]
    pub sign_on_client_secret_file: Option<PathBuf>,
    /// What the button on the sign-in page says
    #[arg(long, env = "LOOPWRIGHT_SIGN_ON_LABEL", default_value = "Sign in with single sign-on")]
    pub sign_on_label: String,
    /// Make an account, without any role, for whoever arrives with a verified address of this domain (repeat, or separate
    /// by commas)
    #[arg(long = "sign-on-domain", env = "LOOPWRIGHT_SIGN_ON_DOMAINS", value_delimiter = ',')]
    pub sign_on_domains: Vec<String>,
    /// Take the provider's e-mail addresses for verified where it does not say: only for a provider whose addresses the
    /// laboratory's own people administer, such as Microsoft Entra ID of its own tenant
    #[arg(long, env = "LOOPWRIGHT_SIGN_ON_TRUST_EMAIL")]
    pub sign_on_trust_email: bool,
}

impl SignOnArguments {
    pub(super) fn settings(self) -> anyhow::Result<Option<Settings>> {
        let (Some(issuer), Some(client_id), Some(file)) =
            (self.sign_on_issuer, self.sign_on_client_id, self.sign_on_client_secret_file)
        else {
            return Ok(None);
        };
        let secret = std::fs::read_to_string(&file)
            .with_context(|| format!("cannot read the client's secret in {}", file.display()))?;
        Ok(Some(Settings {
            issuer,
            client_id,
            client_secret: Secret::new(secret.trim()),
            label: self.sign_on_label,
            domains: self.sign_on_domains,
            trusts_email: self.sign_on_trust_email,
            redirect_uri: String::new(),
        }))
    }
}
