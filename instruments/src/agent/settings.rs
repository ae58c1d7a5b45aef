//! What an agent must be told: by option, or by environment for services and containers.

use clap::{Parser, ValueEnum};
use instruments::drivers::{DriverKind, Reached};
use jobs::worker::WorkerConfig;
use std::path::PathBuf;

/// The program beside one device: pulls its jobs, drives it, reports.
#[derive(Debug, Parser)]
#[command(name = "loopwright-agent", version)]
#[command(group(clap::ArgGroup::new("device").required(true).args(["device_url", "device_file"])))]
pub struct Settings {
    /// Where the server is, e.g. https://loopwright.example.org
    #[arg(long, env = "LOOPWRIGHT_SERVER", value_name = "URL")]
    pub server: String,

    /// File with this agent's token, one line
    #[arg(long, env = "LOOPWRIGHT_TOKEN_FILE", value_name = "FILE")]
    pub token_file: PathBuf,

    /// The agent's name in logs [default: the instrument's]
    #[arg(long, env = "LOOPWRIGHT_AGENT_NAME")]
    pub name: Option<String>,

    /// The device it stands beside, as the server names it, e.g. handler-1
    #[arg(long, env = "LOOPWRIGHT_INSTRUMENT", value_name = "NAME")]
    pub instrument: String,

    /// How the device is spoken to: opentrons, mover, incubator, reader; by files: folder-handler, folder-reader
    #[arg(long, env = "LOOPWRIGHT_DRIVER")]
    pub driver: DriverKind,

    /// Where the device answers, e.g. http://192.0.2.7:31950
    #[arg(long, env = "LOOPWRIGHT_DEVICE_URL", value_name = "URL")]
    pub device_url: Option<String>,

    /// Of an Opentrons: the name or serial number that the robot has to have [default: whichever answers]
    #[arg(long, env = "LOOPWRIGHT_ROBOT", value_name = "NAME", conflicts_with = "device_file")]
    pub robot: Option<String>,

    /// Of a device that takes and gives files: what its folders are (docs/folder-devices.md)
    #[arg(long, env = "LOOPWRIGHT_DEVICE_FILE", value_name = "TOML")]
    pub device_file: Option<PathBuf>,

    /// Folder for what must survive a crash; one for each agent, on a local disk
    #[arg(long, env = "LOOPWRIGHT_SPOOL", value_name = "DIR")]
    pub spool: PathBuf,

    /// How logs are written to stderr
    #[arg(long, env = "LOOPWRIGHT_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,

    /// What is logged, e.g. info or warn,jobs=debug
    #[arg(long, env = "LOOPWRIGHT_LOG", value_name = "FILTER", default_value = "info")]
    pub log: tracing_subscriber::filter::Targets,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

impl Settings {
    /// Where the device is; clap sees to it that one of the two is said.
    pub fn reached(&self) -> Reached<'_> {
        let url = self.device_url.as_deref().unwrap_or_default();
        match (&self.device_file, &self.robot) {
            (Some(file), _) => Reached::ByFolders(file),
            (None, Some(named)) => Reached::Robot { url, named },
            (None, None) => Reached::ByUrl(url),
        }
    }

    /// As a worker: the driver decides queue and capability.
    pub fn worker(&self) -> WorkerConfig {
        let kind = self.driver.job_kind();
        let name = self.name.as_ref().unwrap_or(&self.instrument);
        WorkerConfig {
            instrument: Some(self.instrument.clone()),
            ..WorkerConfig::new(name, kind.queue(), [kind.capability()], &self.spool)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    const WHOLE: [&str; 13] = [
        "loopwright-agent",
        "--server",
        "http://127.0.0.1:8080",
        "--token-file",
        "token",
        "--instrument",
        "handler-1",
        "--driver",
        "opentrons",
        "--device-url",
        "http://127.0.0.1:31950",
        "--spool",
        "spool",
    ];

    #[test]
    fn the_options_do_not_contradict_each_other() {
        Settings::command().debug_assert();
    }

    #[test]
    fn the_driver_decides_what_the_agent_offers() {
        let worker = Settings::try_parse_from(WHOLE).unwrap().worker();
        assert_eq!(worker.queue, "bench");
        assert_eq!(worker.capabilities, ["dispense.liquid"]);
        assert_eq!(worker.instrument.as_deref(), Some("handler-1"));
        assert_eq!(worker.name, "handler-1");
    }

    #[test]
    fn a_device_is_reached_one_way() {
        let mut by_file = WHOLE;
        (by_file[8], by_file[9], by_file[10]) = ("folder-reader", "--device-file", "gen5.toml");
        let settings = Settings::try_parse_from(by_file).unwrap();
        assert!(matches!(settings.reached(), Reached::ByFolders(file) if file.ends_with("gen5.toml")));
        assert!(matches!(Settings::try_parse_from(WHOLE).unwrap().reached(), Reached::ByUrl(_)));
        let both = WHOLE.into_iter().chain(["--device-file", "gen5.toml"]);
        assert!(Settings::try_parse_from(both).is_err());
        let neither = WHOLE.into_iter().enumerate().filter(|(place, _)| !(9..11).contains(place));
        let said = Settings::try_parse_from(neither.map(|(_, word)| word)).unwrap_err().to_string();
        assert!(said.contains("--device-url") && said.contains("--device-file"), "{said}");
    }

    #[test]
    fn a_robot_may_be_told_from_others() {
        let named = WHOLE.into_iter().chain(["--robot", "OT2CEP20"]);
        let settings = Settings::try_parse_from(named).unwrap();
        assert!(matches!(
            settings.reached(),
            Reached::Robot { url: "http://127.0.0.1:31950", named: "OT2CEP20" }
        ));
        let mut by_file = WHOLE;
        (by_file[8], by_file[9], by_file[10]) = ("folder-handler", "--device-file", "tecan.toml");
        assert!(Settings::try_parse_from(by_file.into_iter().chain(["--robot", "OT2CEP20"])).is_err());
    }

    #[test]
    fn a_driver_that_does_not_exist_is_refused_with_those_that_do() {
        let mut wrong = WHOLE;
        wrong[8] = "teapot";
        let error = Settings::try_parse_from(wrong).unwrap_err().to_string();
        assert!(
            error.contains("opentrons, mover, incubator, reader, folder-handler, folder-reader"),
            "{error}"
        );
    }
}
