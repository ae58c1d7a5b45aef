//! The provider's keys. Pure.

use super::id_token::Fault;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;

/// Signatures of a key that only the provider has. Never `none`; never HMAC, whose key we know as well (and for which a
/// public key could be taken).
const ALLOWED: &[Algorithm] = &[
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// What stands over an ID token.
#[derive(Debug, PartialEq, Eq)]
pub struct Heading {
    pub algorithm: Algorithm,
    pub key_id: Option<String>,
}

impl Heading {
    /// Of a token that is not believed yet.
    pub fn of(token: &str) -> Result<Self, Fault> {
        #[derive(Deserialize)]
        struct Written {
            alg: String,
            kid: Option<String>,
            crit: Option<serde_json::Value>,
        }
        let first = token.split('.').next().unwrap_or_default();
        let bytes = URL_SAFE_NO_PAD.decode(first).map_err(|_| Fault::Malformed)?;
        let written: Written = serde_json::from_slice(&bytes).map_err(|_| Fault::Malformed)?;
        // Extensions that must be understood: none is.
        if written.crit.is_some() {
            return Err(Fault::Malformed);
        }
        let algorithm = written.alg.parse().ok().filter(|algorithm| ALLOWED.contains(algorithm));
        Ok(Self { algorithm: algorithm.ok_or(Fault::Algorithm)?, key_id: written.kid })
    }
}

/// A set of keys as the provider publishes it. A key that we cannot read is passed over: it is not for us.
#[derive(Clone, Debug, Deserialize)]
pub struct Keys {
    keys: Vec<serde_json::Value>,
}

impl Keys {
    /// The one key that `heading` names. `None`: it names none, or does not say which of several.
    pub fn find(&self, heading: &Heading) -> Option<DecodingKey> {
        let fitting: Vec<Jwk> = self
            .keys
            .iter()
            .filter_map(|key| serde_json::from_value::<Jwk>(key.clone()).ok())
            .filter(|key| heading.key_id.is_none() || key.common.key_id == heading.key_id)
            .filter(|key| fits(key, heading.algorithm))
            .collect();
        match fitting.as_slice() {
            [key] => DecodingKey::from_jwk(key).ok(),
            _ => None,
        }
    }
}

/// Whether the key is for signatures of this algorithm.
fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    let of_its_kind = match (&key.algorithm, algorithm) {
        (AlgorithmParameters::EllipticCurve(it), Algorithm::ES256) => it.curve == EllipticCurve::P256,
        (AlgorithmParameters::EllipticCurve(it), Algorithm::ES384) => it.curve == EllipticCurve::P384,
        (AlgorithmParameters::OctetKeyPair(it), Algorithm::EdDSA) => it.curve == EllipticCurve::Ed25519,
        (AlgorithmParameters::RSA(_), Algorithm::ES256 | Algorithm::ES384 | Algorithm::EdDSA) => false,
        (AlgorithmParameters::RSA(_), _) => true,
        _ => false,
    };
    let said = key.common.key_algorithm;
    of_its_kind
        && key.common.public_key_use.as_ref().is_none_or(|it| *it == PublicKeyUse::Signature)
        && said.is_none_or(|it| it == KeyAlgorithm::from(algorithm))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn heading(header: serde_json::Value) -> Result<Heading, Fault> {
        Heading::of(&format!("{}.e30.x", URL_SAFE_NO_PAD.encode(header.to_string())))
    }

    #[test]
    fn only_signatures_of_a_key_that_we_do_not_have_are_looked_at() {
        for (alg, allowed) in [
            ("RS256", true),
            ("PS512", true),
            ("ES384", true),
            ("EdDSA", true),
            ("none", false),
            ("None", false),
            ("HS256", false),
            ("HS512", false),
            ("", false),
        ] {
            let found = heading(json!({"alg": alg, "kid": "1"}));
            assert_eq!(found.is_ok(), allowed, "{alg}");
            if let Err(fault) = found {
                assert_eq!(fault, Fault::Algorithm, "{alg}");
            }
        }
        assert_eq!(heading(json!({"alg": "RS256", "crit": ["b64"]})), Err(Fault::Malformed));
        assert_eq!(Heading::of("nonsense"), Err(Fault::Malformed));
    }

    #[test]
    fn a_key_is_found_by_its_name_and_only_for_what_it_is_for() {
        let rsa = |kid: &str, usage: &str| json!({"kty": "RSA", "kid": kid, "use": usage, "n": "AQAB", "e": "AQAB"});
        let keys =
            |keys: serde_json::Value| serde_json::from_value::<Keys>(json!({"keys": keys})).expect("keys");
        let set = keys(json!([
            rsa("a", "sig"), rsa("b", "enc"),
            {"kty": "EC", "crv": "P-256", "kid": "c", "x": "AQAB", "y": "AQAB"},
            {"kty": "oct", "kid": "d", "k": "c2VjcmV0"},
            {"kty": "of tomorrow", "kid": "e"},
        ]));
        let found = |kid: Option<&str>, algorithm| {
            set.find(&Heading { algorithm, key_id: kid.map(str::to_owned) }).is_some()
        };
        assert!(found(Some("a"), Algorithm::RS256) && found(Some("c"), Algorithm::ES256));
        assert!(!found(Some("b"), Algorithm::RS256), "for encryption");
        assert!(
            !found(Some("a"), Algorithm::ES256) && !found(Some("c"), Algorithm::ES384),
            "of another kind"
        );
        assert!(!found(Some("d"), Algorithm::RS256), "symmetric");
        assert!(!found(Some("z"), Algorithm::RS256), "unknown");
        assert!(found(None, Algorithm::RS256), "there is but one");
        let two = keys(json!([rsa("a", "sig"), rsa("f", "sig")]));
        assert!(two.find(&Heading { algorithm: Algorithm::RS256, key_id: None }).is_none(), "which one?");
    }
}
