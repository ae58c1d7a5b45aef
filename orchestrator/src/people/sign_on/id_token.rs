//! What is believed of an ID token: OpenID Connect Core 1.0, section 3.1.3.7. Pure but for the clock.

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::Value;

/// Clocks of the provider and of this machine may differ by so much.
const LEEWAY_SECONDS: u64 = 60;
/// Longest subject (the specification's own limit).
const LONGEST_SUBJECT: usize = 255;

/// What is wrong with one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("the token is malformed")]
    Malformed,
    #[error("the token's algorithm is not allowed")]
    Algorithm,
    #[error("the token is signed with a key that the provider does not publish")]
    UnknownKey,
    #[error("the token's signature is wrong")]
    Signature,
    #[error("the token is another issuer's")]
    Issuer,
    #[error("the token is for another client")]
    Audience,
    #[error("the token has expired (or the clocks differ)")]
    Expired,
    #[error("the token is not valid yet (or the clocks differ)")]
    NotYet,
    #[error("the token was made for another sign-in")]
    Nonce,
    #[error("what is known of the user is somebody else's")]
    Subject,
}

/// What must stand in it.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    pub nonce: &'a str,
}

/// What the provider says of somebody, in the ID token or as user information.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Person {
    #[serde(default)]
    pub sub: String,
    pub email: Option<String>,
    /// A boolean; some write it as a string.
    #[serde(default)]
    email_verified: Value,
    pub name: Option<String>,
    pub preferred_username: Option<String>,
}

impl Person {
    /// `None`: the provider does not say.
    pub fn says_verified(&self) -> Option<bool> {
        match &self.email_verified {
            Value::Bool(verified) => Some(*verified),
            Value::String(text) => Some(text == "true"),
            Value::Null => None,
            _ => Some(false),
        }
    }
}

#[derive(Deserialize)]
struct Claims {
    // One string: the library would take a list of them.
    #[expect(dead_code, reason = "only its type")]
    iss: String,
    aud: Audience,
    azp: Option<String>,
    #[expect(dead_code, reason = "that it is there")]
    iat: f64,
    nonce: Option<String>,
    #[serde(flatten)]
    person: Person,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(#[expect(dead_code, reason = "compared by the library")] String),
    Several(Vec<String>),
}

/// Whose sign-in `token` proves.
///
/// # Errors
/// When it proves none: whatever is wrong first.
pub fn check(
    token: &str,
    key: &DecodingKey,
    algorithm: Algorithm,
    expected: Expected<'_>,
) -> Result<Person, Fault> {
    let mut rules = Validation::new(algorithm);
    rules.leeway = LEEWAY_SECONDS;
    rules.validate_nbf = true;
    rules.set_issuer(&[expected.issuer]);
    rules.set_audience(&[expected.client_id]);
    rules.set_required_spec_claims(&["iss", "sub", "aud", "exp"]);
    let claims = jsonwebtoken::decode::<Claims>(token, key, &rules).map_err(|error| fault(&error))?.claims;
    let is_for_several = matches!(&claims.aud, Audience::Several(all) if all.len() > 1);
    let made_for_us = match claims.azp.as_deref() {
        Some(client) => client == expected.client_id,
        None => !is_for_several,
    };
    if !made_for_us {
        return Err(Fault::Audience);
    }
    if claims.nonce.as_deref() != Some(expected.nonce) {
        return Err(Fault::Nonce);
    }
    let subject = &claims.person.sub;
    if subject.is_empty() || subject.len() > LONGEST_SUBJECT || subject.contains('\0') {
        return Err(Fault::Malformed);
    }
    Ok(claims.person)
}

fn fault(error: &jsonwebtoken::errors::Error) -> Fault {
    match error.kind() {
        ErrorKind::InvalidIssuer => Fault::Issuer,
        ErrorKind::InvalidAudience => Fault::Audience,
        ErrorKind::ExpiredSignature => Fault::Expired,
        ErrorKind::ImmatureSignature => Fault::NotYet,
        ErrorKind::InvalidAlgorithm => Fault::Algorithm,
        ErrorKind::InvalidSignature
        | ErrorKind::InvalidRsaKey(_)
        | ErrorKind::InvalidEcdsaKey
        | ErrorKind::InvalidEddsaKey
        | ErrorKind::InvalidKeyFormat => Fault::Signature,
        _ => Fault::Malformed,
    }
}
