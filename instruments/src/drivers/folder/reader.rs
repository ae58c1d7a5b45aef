//! Reads plates: told by a text, or by somebody's hand, heard from by a file of readings.

use super::convert::{ConvertError, convert};
use super::folders::{Folders, Judge, Task, failed, words};
use super::request;
use super::result::{Found, Verdict};
use super::settings::{Convert, Device, ResultForm, Settings, SettingsError};
use crate::drivers::Timings;
use crate::labware::{Barcode, Labware};
use crate::parsers::{self, ReaderFile};
use async_trait::async_trait;
use jobs::FailureClass;
use jobs::work::physical::{Read, ReadResult};
use jobs::work::{Outcome, Output, Work};
use jobs::worker::{Attempt, Begun, Handler};
use std::path::Path;

/// A reader whose software exports a file for each plate.
pub struct FolderReader(Folders);

impl FolderReader {
    pub fn open(settings: &Path, instrument: &str, timings: Timings) -> Result<Self, SettingsError> {
        Ok(Self(Folders::open(settings, Device::Reader, instrument, timings, "folder_reader")?))
    }

    async fn carry_out(&self, attempt: &Attempt) -> Result<Outcome, Outcome> {
        let folders = &self.0;
        let job = self.job(attempt).map_err(|(what, why)| folders.refused(what, why))?;
        let id = attempt.operation_id();
        let text = folders.settings.request.as_ref().map(|request| request::of_read(&request.says, job, &id));
        let text = text.transpose().map_err(|error| folders.refused("request", error))?;
        let task = Task { words: words(&id, &job.plate.barcode), text };
        let judge = OfPlate { job, settings: &folders.settings };
        let found = folders.carry_out(attempt, task, &judge).await?;
        self.outcome(attempt, found).await
    }

    async fn recover_begun(&self, begun: &Begun) -> Result<Outcome, Outcome> {
        let attempt = begun.attempt();
        let job = self.job(attempt).map_err(|(_, why)| self.0.not_understood(attempt, &why))?;
        let words = words(begun.device_ref(), &job.plate.barcode);
        let judge = OfPlate { job, settings: &self.0.settings };
        let found = self.0.recover(begun, &words, &judge).await?;
        self.outcome(begun.attempt(), found).await
    }

    /// `Err`: a word for what is wrong, and why.
    fn job<'a>(&self, attempt: &'a Attempt) -> Result<&'a Read, (&'static str, String)> {
        let Work::Read(job) = &attempt.lease().work else {
            return Err(("wrong_kind", "the reader carries out read jobs only".to_owned()));
        };
        if job.at.device != self.0.instrument {
            let why = format!("the plate stands in {}, this is {}", job.at, self.0.instrument);
            return Err(("wrong_device", why));
        }
        // It becomes part of a file's name.
        if let Err(error) = job.plate.barcode.parse::<Barcode>() {
            return Err(("barcode", error.to_string()));
        }
        Ok(job)
    }

    /// A file that cannot be read is passed on: the plate is quarantined with what is wrong with it, and a person judges.
    async fn outcome(&self, attempt: &Attempt, mut found: Found) -> Result<Outcome, Outcome> {
        let folders = &self.0;
        let came = folders.keep(attempt, &found.bytes).await?;
        let result = match &folders.settings.convert {
            None => ReadResult {
                raw: came,
                format: folders.settings.result.form.as_str().to_owned(),
                original: None,
            },
            Some(by) => {
                let converted = match found.converted.take() {
                    Some(converted) => converted,
                    None => made_readable(by, &found).await,
                };
                let converted = converted.map_err(|error| {
                    let message = format!(
                        "The plate was read, and {} could not be made readable: {error}. The file is kept as {came}. Mend the converter; then have the job tried again, and export the file once more or read the plate once more.",
                        found.path.display()
                    );
                    failed(folders.failure(FailureClass::NeedsPerson, "not_converted", message))
                })?;
                let raw = folders.keep(attempt, &converted).await?;
                ReadResult { raw, format: by.form.as_str().to_owned(), original: Some(came) }
            }
        };
        Ok(Outcome::Succeeded { output: Box::new(Output::Read(result)) })
    }
}

/// A file that names another plate is another plate's.
struct OfPlate<'a> {
    job: &'a Read,
    settings: &'a Settings,
}

#[async_trait]
impl Judge for OfPlate<'_> {
    fn verdict(&self, bytes: &[u8]) -> Verdict {
        let form = self.settings.result.form;
        if form == ResultForm::Raw {
            return Verdict::Ours;
        }
        match parsers::parse_readings(form.as_str(), bytes) {
            Err(_) => Verdict::Unreadable,
            Ok(file) => match self.is_of_another(&file) {
                Some(why) => Verdict::Others(why),
                None if self.is_whole(&file, bytes) => Verdict::Ours,
                None => Verdict::Incomplete,
            },
        }
    }

    /// What only a converter reads says its plate when it is converted. Where a name says it too, what cannot be
    /// converted or names no plate is ours all the same.
    async fn objection(&self, found: &mut Found) -> Option<String> {
        let by = self.settings.convert.as_ref()?;
        let converted = made_readable(by, found).await;
        let file = match &converted {
            Ok(bytes) => parsers::parse_readings(by.form.as_str(), bytes).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        found.converted = Some(converted);
        let is_wide = !self.settings.result.is_narrow();
        match file {
            Ok(ReaderFile { plate: None, label: None, .. }) => {
                is_wide.then(|| "what the converter makes of it names no plate".to_owned())
            }
            Ok(file) => self.is_of_another(&file),
            Err(why) => is_wide.then(|| format!("it could not be made readable: {why}")),
        }
    }
}

impl OfPlate<'_> {
    /// Why, where it is. A label, which may be the kind of plate, counts only where nothing else says whose a file is.
    fn is_of_another(&self, file: &ReaderFile) -> Option<String> {
        let ours = &self.job.plate.barcode;
        match (&file.plate, &file.label) {
            (Some(other), _) => (other != ours).then(|| format!("it is of plate {other}")),
            (None, Some(label)) if label != ours && !self.settings.result.is_narrow() => {
                Some(format!("it is labelled {label}, and neither its name nor a barcode in it says {ours}"))
            }
            _ => None,
        }
    }

    /// Whether nothing more has to come: JSON that can be read has its end; a table's last line is ended, and it says
    /// something of every well in every channel that was asked for. Of a plate that is measured in part nobody knows.
    fn is_whole(&self, file: &ReaderFile, bytes: &[u8]) -> bool {
        let wells = match Labware::by_load_name(&self.job.plate.labware) {
            Ok(labware) if self.settings.result.form != ResultForm::AsmJson => labware.format.well_count(),
            _ => 1,
        };
        let is_ended = || parsers::decode(bytes).ends_with('\n');
        self.job.channels.iter().all(|channel| wells_in(file, channel) >= wells as usize)
            && (self.settings.result.form == ResultForm::AsmJson || is_ended())
    }
}

async fn made_readable(by: &Convert, found: &Found) -> Result<Vec<u8>, ConvertError> {
    let name = found.path.file_name().unwrap_or_default().to_string_lossy();
    convert(by, &name, &found.bytes).await
}

/// Of how many wells it says something; a file says it once of each.
fn wells_in(file: &ReaderFile, channel: &str) -> usize {
    let read = file.readings.iter().map(|reading| &reading.channel);
    read.chain(file.unreadable.iter().map(|reading| &reading.channel))
        .filter(|known| *known == channel)
        .count()
}

#[async_trait]
impl Handler for FolderReader {
    async fn perform(&self, attempt: &Attempt) -> Outcome {
        self.carry_out(attempt).await.unwrap_or_else(|outcome| outcome)
    }

    async fn recover(&self, begun: &Begun) -> Option<Outcome> {
        Some(self.recover_begun(begun).await.unwrap_or_else(|outcome| outcome))
    }
}
