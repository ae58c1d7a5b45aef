//! Protocols that we have vetted for the liquid handlers we drive. A run changes its picklist, never
//! its protocol.

/// One protocol file as it is uploaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VettedProtocol {
    pub file_name: &'static str,
    pub source: &'static str,
    /// Name of its one CSV run-time parameter.
    pub csv_parameter: &'static str,
}

/// One transfer per picklist row, a new tip for each. OT-2, API level 2.20.
pub const CHERRYPICK: VettedProtocol = VettedProtocol {
    file_name: "cherrypick.py",
    source: include_str!("../protocols/cherrypick.py"),
    csv_parameter: "picklist",
};
