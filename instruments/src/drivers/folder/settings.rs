//! What the driver must know of a device's folders: one TOML file (docs/folder-devices.md).

use super::name::{TemplateError, Words};
use crate::labware::Labware;
use crate::transfers::{EchoModel, PlateTypes, is_label};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// One device's folders.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// How the device is told. A reader may do without: somebody presses its button.
    pub request: Option<Request>,
    pub result: ResultFile,
    /// What makes readable what the device exports.
    pub convert: Option<Convert>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    pub folder: PathBuf,
    /// `{barcode}` (of a reader's plate), `{id}` (of the attempt).
    pub name: String,
    #[serde(default)]
    pub taken_by: TakenBy,
    pub says: RequestForm,
}

/// What the device does with a request that it takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TakenBy {
    /// It stays where it is: whether it was taken cannot be seen, and nothing can be taken back.
    #[default]
    Reading,
    /// It renames the file away, within the share, before it does anything, and does nothing where that fails: while the file
    /// is there, nothing has begun.
    Moving,
}

/// What a request says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "form", rename_all = "snake_case", deny_unknown_fields)]
pub enum RequestForm {
    /// `A;..`, `D;..` (EVOware, FluentControl).
    TecanGwl {
        /// What the device calls each labware; of the others it is not told.
        #[serde(default)]
        rack_types: PlateTypes,
    },
    EchoCsv {
        model: Echo,
        #[serde(default)]
        source_plate_types: PlateTypes,
        #[serde(default)]
        destination_plate_types: PlateTypes,
        /// One for whatever plate: refused, with what to say in its place.
        source_plate_type: Option<String>,
        destination_plate_type: Option<String>,
    },
    BiomekCsv,
    /// One line a transfer, as the device's own method wants it.
    TransferTemplate {
        /// The first line; none when empty.
        #[serde(default)]
        header: String,
        row: String,
        #[serde(default)]
        line_end: LineEnd,
    },
    /// A text for a reader.
    Text {
        text: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Echo {
    #[serde(rename = "525")]
    Echo525,
    #[serde(rename = "55x")]
    Echo55x,
    #[serde(rename = "65x")]
    Echo65x,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineEnd {
    #[default]
    Crlf,
    Lf,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResultFile {
    pub folder: PathBuf,
    /// With `*`, `{barcode}`, `{id}`.
    pub name: String,
    pub form: ResultForm,
    /// For how long a file has to stay as it is to be whole.
    #[serde(default = "three")]
    pub settled_seconds: f64,
    /// How long the work may take altogether, until somebody is asked.
    #[serde(default = "eight")]
    pub within_hours: f64,
    /// Pause between two looks.
    #[serde(default = "two")]
    pub look_every_seconds: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResultForm {
    /// Readings that [`parsers`](crate::parsers) read.
    PlateCsv,
    PlateGrid,
    AsmJson,
    /// Readings that only a converter reads.
    Raw,
    /// An Echo's account of its transfers.
    EchoReport,
    /// Its first line begins with `succeeded` or `failed`, which is all that is known.
    Word,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Convert {
    /// Program and arguments; the file's path comes last. It writes `form` to its standard output.
    pub command: Vec<String>,
    pub form: ResultForm,
    /// What it writes says whose plate it is of; the name of a result need not, then.
    #[serde(default)]
    pub names_plate: bool,
    #[serde(default = "sixty")]
    pub within_seconds: f64,
}

fn two() -> f64 {
    2.0
}

fn three() -> f64 {
    3.0
}

fn eight() -> f64 {
    8.0
}

fn sixty() -> f64 {
    60.0
}

/// The file does not say what a driver must know.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("the settings {path} could not be read")]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the settings {path} are not what was expected")]
    Parse {
        path: PathBuf,
        #[source]
        source: Box<toml::de::Error>,
    },
    #[error("{place}: {problem}")]
    Wrong { place: &'static str, problem: String },
}

/// Which kind of device the settings are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Device {
    Reader,
    Handler,
}

impl Settings {
    pub(super) fn read(path: &Path, device: Device) -> Result<Self, SettingsError> {
        let read = |source| SettingsError::Read { path: path.to_owned(), source };
        let text = std::fs::read_to_string(path).map_err(read)?;
        let parse = |source| SettingsError::Parse { path: path.to_owned(), source: Box::new(source) };
        let settings: Self = toml::from_str(&text).map_err(parse)?;
        settings.check(device)?;
        Ok(settings)
    }

    fn check(&self, device: Device) -> Result<(), SettingsError> {
        let wrong = |place, problem: &str| SettingsError::Wrong { place, problem: problem.to_owned() };
        let words = Words::of([("barcode", String::new()), ("id", String::new())]);
        let template = |place, text: &str| {
            words
                .fill(text)
                .map(drop)
                .map_err(|error: TemplateError| SettingsError::Wrong { place, problem: error.to_string() })
        };
        let result = &self.result;
        template("result.name", &result.name)?;
        if is_path(&result.name) {
            return Err(wrong("result.name", "a name has no '/' or '\\'"));
        }
        for (place, value, most) in [
            ("result.settled_seconds", result.settled_seconds, 3_600.0),
            ("result.within_hours", result.within_hours, 240.0),
            ("result.look_every_seconds", result.look_every_seconds, 600.0),
            (
                "convert.within_seconds",
                self.convert.as_ref().map_or(1.0, |convert| convert.within_seconds),
                3_600.0,
            ),
        ] {
            if !(value > 0.0 && value <= most) {
                return Err(SettingsError::Wrong {
                    place,
                    problem: format!("{value} is not more than 0 and at most {most}"),
                });
            }
        }
        if let Some(request) = &self.request {
            template("request.name", &request.name)?;
            if is_path(&request.name) || request.name.contains('*') || request.name.starts_with('.') {
                return Err(wrong(
                    "request.name",
                    "a request's name has no '/', '\\' or '*' and does not begin with '.'",
                ));
            }
            let place = |folder: &PathBuf| folder.canonicalize().unwrap_or_else(|_| folder.clone());
            if place(&request.folder) == place(&result.folder) {
                let problem =
                    "requests need a folder of their own: whatever has the name of one is taken away there";
                return Err(wrong("request.folder", problem));
            }
        }
        match device {
            Device::Reader => self.check_reader(wrong),
            Device::Handler => self.check_handler(wrong),
        }
    }

    fn check_reader(&self, wrong: impl Fn(&'static str, &str) -> SettingsError) -> Result<(), SettingsError> {
        match self.request.as_ref().map(|request| &request.says) {
            None => {}
            Some(RequestForm::Text { text }) => super::request::check_text(text).map_err(|problem| {
                SettingsError::Wrong { place: "request.says.text", problem: problem.to_string() }
            })?,
            Some(_) => {
                let problem = "a reader is told by a text: says = { form = \"text\", text = \"..\" }";
                return Err(wrong("request.says", problem));
            }
        }
        let readable = |form: ResultForm| {
            matches!(form, ResultForm::PlateCsv | ResultForm::PlateGrid | ResultForm::AsmJson)
        };
        match &self.convert {
            Some(convert) if convert.command.is_empty() => Err(wrong("convert.command", "it is empty")),
            Some(convert) if !readable(convert.form) => {
                Err(wrong("convert.form", "a converter writes plate_csv, plate_grid or asm_json"))
            }
            Some(_) if self.result.form != ResultForm::Raw => {
                Err(wrong("result.form", "what a converter reads is raw"))
            }
            Some(convert) if !self.result.is_narrow() && !convert.names_plate => Err(wrong(
                "result.name",
                "what only a converter reads does not say whose it is: name the file by {barcode} or {id}; or say names_plate = true of a converter that writes the plate's barcode, which is then looked at",
            )),
            Some(_) => Ok(()),
            None if readable(self.result.form) => Ok(()),
            None => Err(wrong(
                "result.form",
                "a reader exports plate_csv, plate_grid or asm_json, or raw with a [convert]",
            )),
        }
    }

    fn check_handler(
        &self,
        wrong: impl Fn(&'static str, &str) -> SettingsError,
    ) -> Result<(), SettingsError> {
        let Some(request) = &self.request else {
            return Err(wrong("request", "a liquid handler needs one: its worklist"));
        };
        if let RequestForm::Text { .. } = request.says {
            return Err(wrong(
                "request.says",
                "a worklist is tecan_gwl, echo_csv, biomek_csv or transfer_template",
            ));
        }
        if let RequestForm::TransferTemplate { header, row, .. } = &request.says {
            super::request::check_row(row).map_err(|problem| SettingsError::Wrong {
                place: "request.says.row",
                problem: problem.to_string(),
            })?;
            if [header, row].into_iter().any(|line| line.contains(['\r', '\n'])) {
                return Err(wrong("request.says.row", "header and row are a line each"));
            }
        }
        check_plate_types(&request.says)?;
        if request.name.contains("{barcode}") || self.result.name.contains("{barcode}") {
            return Err(wrong("request.name", "a worklist is of several plates: name it by {id}"));
        }
        if self.convert.is_some() {
            return Err(wrong("convert", "only a reader's file is converted"));
        }
        match self.result.form {
            ResultForm::Word if !self.result.name.contains("{id}") => {
                Err(wrong("result.name", "a word does not say whose it is: name the file by {id}"))
            }
            ResultForm::EchoReport | ResultForm::Word => Ok(()),
            _ => Err(wrong("result.form", "a liquid handler tells by echo_report or word")),
        }
    }
}

/// Where a name should be.
fn is_path(name: &str) -> bool {
    name.is_empty() || name.contains(['/', '\\', '\0'])
}

impl ResultFile {
    /// Its name says which plate or attempt it is of.
    pub fn is_narrow(&self) -> bool {
        self.name.contains("{barcode}") || self.name.contains("{id}")
    }

    pub fn settled(&self) -> Duration {
        Duration::from_secs_f64(self.settled_seconds)
    }

    pub fn within(&self) -> Duration {
        Duration::from_secs_f64(self.within_hours * 3_600.0)
    }

    pub fn look_every(&self) -> Duration {
        Duration::from_secs_f64(self.look_every_seconds)
    }
}

impl ResultForm {
    /// As [`parsers::parse`](crate::parsers::parse) calls it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PlateCsv => "plate_csv",
            Self::PlateGrid => "plate_grid",
            Self::AsmJson => "asm_json",
            Self::Raw => "raw",
            Self::EchoReport => "echo_report",
            Self::Word => "word",
        }
    }
}

impl LineEnd {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Crlf => "\r\n",
            Self::Lf => "\n",
        }
    }
}

impl From<Echo> for EchoModel {
    fn from(model: Echo) -> Self {
        match model {
            Echo::Echo525 => Self::Echo525,
            Echo::Echo55x => Self::Echo55x,
            Echo::Echo65x => Self::Echo65x,
        }
    }
}

fn check_plate_types(says: &RequestForm) -> Result<(), SettingsError> {
    match says {
        RequestForm::TecanGwl { rack_types } => check_types("request.says.rack_types", rack_types),
        RequestForm::EchoCsv {
            source_plate_types,
            destination_plate_types,
            source_plate_type,
            destination_plate_type,
            ..
        } => {
            for (place, one) in [
                ("request.says.source_plate_type", source_plate_type),
                ("request.says.destination_plate_type", destination_plate_type),
            ] {
                if let Some(one) = one {
                    let problem = format!(
                        "one type for whatever plate puts wells at another's pitch: say {} = {{ corning_384_wellplate_112ul_flat = {one:?} }}, with each labware that it is the type of",
                        place.replace("request.says.", "") + "s"
                    );
                    return Err(SettingsError::Wrong { place, problem });
                }
            }
            check_types("request.says.source_plate_types", source_plate_types)?;
            check_types("request.says.destination_plate_types", destination_plate_types)
        }
        _ => Ok(()),
    }
}

/// Names by load name that a worklist can say.
fn check_types(place: &'static str, types: &PlateTypes) -> Result<(), SettingsError> {
    for (labware, name) in types {
        Labware::by_load_name(labware)
            .map_err(|problem| SettingsError::Wrong { place, problem: problem.to_string() })?;
        if !is_label(name) || name.contains([',', '"']) {
            let problem = format!("{name:?} is not 1 to 32 printable characters without ',', ';' or quotes");
            return Err(SettingsError::Wrong { place, problem });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(device: Device, text: &str) -> Result<Settings, SettingsError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("device.toml");
        std::fs::write(&path, text).unwrap();
        Settings::read(&path, device)
    }

    /// With what lies beneath it, as the agent says it.
    fn in_words(error: SettingsError) -> String {
        format!("{:#}", anyhow::Error::from(error))
    }

    const READER: &str = "[request]\nfolder = \"/in\"\nname = \"{barcode}.txt\"\nsays = { form = \"text\", text = \"{barcode}\" }\n[result]\nfolder = \"/out\"\nname = \"*{barcode}*.csv\"\nform = \"plate_csv\"\n";
    const HANDLER: &str = "[request]\nfolder = \"/in\"\nname = \"{id}.gwl\"\nsays = { form = \"tecan_gwl\" }\ntaken_by = \"moving\"\n[result]\nfolder = \"/out\"\nname = \"{id}*.txt\"\nform = \"word\"\n";

    #[test]
    fn what_is_silent_has_a_default() {
        let reader = read(Device::Reader, READER).unwrap();
        assert_eq!(reader.request.as_ref().map(|request| request.taken_by), Some(TakenBy::Reading));
        assert_eq!((reader.result.settled_seconds, reader.result.within_hours), (3.0, 8.0));
        let handler = read(Device::Handler, HANDLER).unwrap().request.unwrap();
        assert_eq!(
            (handler.taken_by, handler.says),
            (TakenBy::Moving, RequestForm::TecanGwl { rack_types: PlateTypes::new() })
        );
        let echo = HANDLER.replace(
            "\"tecan_gwl\"",
            "\"echo_csv\", model = \"525\", source_plate_types = { nest_96_wellplate_200ul_flat = \"a\" }",
        );
        assert!(matches!(
            read(Device::Handler, &echo).unwrap().request.unwrap().says,
            RequestForm::EchoCsv { model: Echo::Echo525, .. }
        ));
    }

    #[test]
    fn the_worked_examples_are_ones() {
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/devices");
        for (name, device) in [
            ("tecan", Device::Handler),
            ("echo", Device::Handler),
            ("hamilton", Device::Handler),
            ("reader", Device::Reader),
            ("vendor-file", Device::Reader),
        ] {
            let settings = Settings::read(&examples.join(name).with_extension("toml"), device);
            assert!(settings.is_ok(), "{name}: {settings:?}");
        }
        let files = std::fs::read_dir(examples).unwrap().map(|entry| entry.unwrap().path());
        assert_eq!(files.filter(|path| path.extension().is_some_and(|end| end == "toml")).count(), 5);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let reader = |from: &str, to: &str| {
            assert!(READER.contains(from));
            in_words(read(Device::Reader, &READER.replace(from, to)).unwrap_err())
        };
        let handler = |from: &str, to: &str| {
            assert!(HANDLER.contains(from));
            in_words(read(Device::Handler, &HANDLER.replace(from, to)).unwrap_err())
        };
        insta::assert_snapshot!(reader("{barcode}.txt", "{plate}.txt"), @"request.name: {plate} means nothing here; there are {barcode}, {id}");
        insta::assert_snapshot!(reader("{barcode}.txt", "../x.txt"), @r"request.name: a request's name has no '/', '\' or '*' and does not begin with '.'");
        insta::assert_snapshot!(reader("/out", "/in"), @"request.folder: requests need a folder of their own: whatever has the name of one is taken away there");
        insta::assert_snapshot!(reader("plate_csv", "word"), @"result.form: a reader exports plate_csv, plate_grid or asm_json, or raw with a [convert]");
        insta::assert_snapshot!(reader("form = \"plate_csv\"", "form = \"plate_csv\"\nwithin_hours = 0"), @"result.within_hours: 0 is not more than 0 and at most 240");
        insta::assert_snapshot!(reader("form = \"plate_csv\"", "form = \"plate_csv\"\n[convert]\ncommand = []\nform = \"asm_json\""), @"convert.command: it is empty");
        let raw = READER.replace("plate_csv\"", "raw\"\n[convert]\ncommand = [\"x\"]\nform = \"asm_json\"");
        assert!(read(Device::Reader, &raw).is_ok());
        let wide = raw.replace("*{barcode}*.csv", "*.xlsx");
        let said = in_words(read(Device::Reader, &wide).unwrap_err());
        assert!(said.starts_with("result.name: what only a converter reads does not say whose"), "{said}");
        assert!(read(Device::Reader, &format!("{wide}names_plate = true\n")).is_ok());
        let unknown = handler("tecan_gwl", "biomek");
        assert!(
            unknown.contains("line 4") && unknown.contains("expected one of `tecan_gwl`, `echo_csv`"),
            "{unknown}"
        );
        insta::assert_snapshot!(handler("{id}.gwl", "{barcode}.gwl"), @"request.name: a worklist is of several plates: name it by {id}");
        let row = handler("\"tecan_gwl\"", "\"transfer_template\", row = \"{volume}\"");
        assert!(
            row.starts_with(
                "request.says.row: {volume} means nothing here; there are {destination_barcode}, "
            ),
            "{row}"
        );
        insta::assert_snapshot!(handler("\"tecan_gwl\"", "\"echo_csv\", model = \"525\", source_plate_type = \"384PP\""), @r#"request.says.source_plate_type: one type for whatever plate puts wells at another's pitch: say source_plate_types = { corning_384_wellplate_112ul_flat = "384PP" }, with each labware that it is the type of"#);
        let types = handler("\"tecan_gwl\"", "\"tecan_gwl\", rack_types = { corning = \"x\" }");
        assert!(
            types.starts_with("request.says.rack_types: unknown labware \"corning\"; known are "),
            "{types}"
        );
        insta::assert_snapshot!(handler("\"tecan_gwl\"", "\"tecan_gwl\", rack_types = { nest_96_wellplate_200ul_flat = \"a;b\" }"), @r#"request.says.rack_types: "a;b" is not 1 to 32 printable characters without ',', ';' or quotes"#);
        insta::assert_snapshot!(handler("word", "plate_csv"), @"result.form: a liquid handler tells by echo_report or word");
        assert!(
            read(Device::Handler, &READER[READER.find("[result]").unwrap()..])
                .unwrap_err()
                .to_string()
                .starts_with("request: ")
        );
        assert!(matches!(
            Settings::read(Path::new("/nowhere"), Device::Reader),
            Err(SettingsError::Read { .. })
        ));
    }
}
