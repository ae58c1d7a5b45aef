//! Where a webhook may lead. An administrator names the address, but the server connects: it must not become
//! a way to what only the server can reach.
//!
//! | address | rule |
//! |---|---|
//! | link-local and clouds' metadata services | refused, unless allowed by `--allow-link-local-webhooks` |
//! | loopback, private networks | allowed, also in the clear: receivers inside a laboratory |
//! | anywhere else | https only, unless `--allow-insecure-webhooks` |
//! | unspecified, multicast, reserved | refused |
//!
//! Names are judged by the addresses they have at the moment of connecting, so that a name that changes its
//! answer gains nothing.

use reqwest::Url;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an installation allows beyond the rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// http to public addresses.
    pub allow_insecure: bool,
    /// Link-local addresses and metadata services.
    pub allow_link_local: bool,
}

/// Why we do not connect there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("it is not a URL such as https://hooks.example.org/loopwright")]
    NotAUrl,
    #[error("its scheme is neither https nor http")]
    Scheme,
    #[error("it carries a user name or password; what a receiver must know goes into its path or query")]
    Credentials,
    #[error(
        "it leads to a link-local address or a cloud's metadata service (--allow-link-local-webhooks allows it)"
    )]
    LinkLocal,
    #[error(
        "it leads to a public address over http, where everybody on the way can read it: take https (--allow-insecure-webhooks allows http)"
    )]
    Insecure,
    #[error("it leads to an address that nobody can be reached at (unspecified, multicast or reserved)")]
    Nowhere,
}

/// Longest address kept.
const LONGEST_URL: usize = 2_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Near,
    LinkLocal,
    Public,
    Nowhere,
}

impl Rules {
    /// The address as a URL, if its form and, where it is a number, its place are allowed.
    pub fn url(self, text: &str) -> Result<Url, Refused> {
        let url = Url::parse(text.trim()).map_err(|_| Refused::NotAUrl)?;
        if text.len() > LONGEST_URL {
            return Err(Refused::NotAUrl);
        }
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refused::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::Credentials);
        }
        let host = url.host_str().ok_or(Refused::NotAUrl)?;
        if let Ok(ip) = host.trim_start_matches('[').trim_end_matches(']').parse() {
            self.ip(ip, url.scheme() == "https")?;
        }
        Ok(url)
    }

    /// Whether we connect to `ip`; `secure`: over TLS.
    pub fn ip(self, ip: IpAddr, secure: bool) -> Result<(), Refused> {
        match reach(ip) {
            Reach::Nowhere => Err(Refused::Nowhere),
            Reach::LinkLocal if !self.allow_link_local => Err(Refused::LinkLocal),
            Reach::Public if !secure && !self.allow_insecure => Err(Refused::Insecure),
            Reach::Near | Reach::LinkLocal | Reach::Public => Ok(()),
        }
    }
}

fn reach(ip: IpAddr) -> Reach {
    match ip.to_canonical() {
        IpAddr::V4(ip) => of_v4(ip),
        IpAddr::V6(ip) => of_v6(ip),
    }
}

fn of_v4(ip: Ipv4Addr) -> Reach {
    let [first, second, ..] = ip.octets();
    // Alibaba's metadata service lies in the shared range (RFC 6598).
    if ip.is_link_local() || ip == Ipv4Addr::new(100, 100, 100, 200) {
        return Reach::LinkLocal;
    }
    if first == 0 || ip.is_multicast() || first >= 240 {
        return Reach::Nowhere;
    }
    let shared = first == 100 && (64..128).contains(&second);
    if ip.is_loopback() || ip.is_private() || shared { Reach::Near } else { Reach::Public }
}

fn of_v6(ip: Ipv6Addr) -> Reach {
    if let Some(inner) = carried(ip) {
        return of_v4(inner);
    }
    // Amazon's and Google's metadata services lie in the private range.
    let metadata = [
        Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
        Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
    ];
    if ip.is_unicast_link_local() || metadata.contains(&ip) {
        return Reach::LinkLocal;
    }
    if ip.is_unspecified() || ip.is_multicast() {
        return Reach::Nowhere;
    }
    if ip.is_loopback() || ip.is_unique_local() { Reach::Near } else { Reach::Public }
}

/// The IPv4 address inside one of NAT64 (RFC 6052, RFC 8215 with /96) or 6to4 (RFC 3056).
fn carried(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let of = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match ip.segments() {
        [0x64, 0xff9b, 0 | 1, _, _, _, high, low] => Some(of(high, low)),
        [0x2002, high, low, ..] => Some(of(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(rules: Rules, url: &str) -> Option<Refused> {
        rules.url(url).err()
    }

    #[test]
    fn addresses_are_judged_as_documented() {
        let strict = Rules::default();
        let cases = [
            ("https://hooks.example.org/x", None),
            ("https://203.0.114.7/x", None),
            ("http://203.0.114.7/x", Some(Refused::Insecure)),
            ("http://127.0.0.1:9000/x", None),
            ("http://10.1.2.3/", None),
            ("http://172.20.0.1/", None),
            ("http://192.168.1.5/", None),
            ("http://100.64.0.1/", None),
            ("http://[::1]:9000/", None),
            ("http://[fd12::1]/", None),
            ("http://169.254.169.254/latest/meta-data", Some(Refused::LinkLocal)),
            ("https://169.254.169.254/", Some(Refused::LinkLocal)),
            ("http://100.100.100.200/", Some(Refused::LinkLocal)),
            ("http://[fe80::1]/", Some(Refused::LinkLocal)),
            ("http://[fd00:ec2::254]/", Some(Refused::LinkLocal)),
            ("http://[fd20:ce::254]/", Some(Refused::LinkLocal)),
            // The same by other spellings.
            ("http://2852039166/", Some(Refused::LinkLocal)),
            ("http://0xa9fea9fe/", Some(Refused::LinkLocal)),
            ("http://[::ffff:169.254.169.254]/", Some(Refused::LinkLocal)),
            ("http://[64:ff9b::a9fe:a9fe]/", Some(Refused::LinkLocal)),
            ("http://[64:ff9b:1::a9fe:a9fe]/", Some(Refused::LinkLocal)),
            ("http://[2002:a9fe:a9fe::1]/", Some(Refused::LinkLocal)),
            ("http://0.0.0.0/", Some(Refused::Nowhere)),
            ("http://[::]/", Some(Refused::Nowhere)),
            ("https://224.0.0.1/", Some(Refused::Nowhere)),
            ("https://255.255.255.255/", Some(Refused::Nowhere)),
            ("ftp://hooks.example.org/", Some(Refused::Scheme)),
            ("file:///etc/passwd", Some(Refused::Scheme)),
            ("https://user:word@hooks.example.org/", Some(Refused::Credentials)),
            ("hooks.example.org", Some(Refused::NotAUrl)),
            ("", Some(Refused::NotAUrl)),
        ];
        for (url, refused) in cases {
            assert_eq!(judged(strict, url), refused, "{url}");
        }
    }

    #[test]
    fn an_installation_may_allow_more_but_never_nowhere() {
        let insecure = Rules { allow_insecure: true, ..Rules::default() };
        assert_eq!(judged(insecure, "http://203.0.114.7/"), None);
        assert_eq!(judged(insecure, "http://169.254.1.1/"), Some(Refused::LinkLocal));
        let all = Rules { allow_insecure: true, allow_link_local: true };
        assert_eq!(judged(all, "http://169.254.169.254/"), None);
        assert_eq!(judged(all, "http://0.0.0.0/"), Some(Refused::Nowhere));
    }
}
