//! Reads plates: told by a text, or by somebody's hand, heard from by a file of readings.

use super::convert::convert;
use super::folders::{Folders, Task, failed, words};
use super::request;
use super::result::{Found, Verdict};
use super::settings::{Device, ResultForm, SettingsError};
use crate::drivers::Timings;
use crate::labware::Barcode;
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
        let job = self.job(attempt)?;
        let id = attempt.operation_id();
        let text = folders.settings.request.as_ref().map(|request| request::of_read(&request.says, job, &id));
        let text = text.transpose().map_err(|error| folders.refused("request", error))?;
        let task = Task { words: words(&id, &job.plate.barcode), text };
        let found = folders.carry_out(attempt, task, &|bytes| self.is_of(job, bytes)).await?;
        self.outcome(attempt, found).await
    }

    async fn recover_begun(&self, begun: &Begun) -> Result<Outcome, Outcome> {
        let job = self.job(begun.attempt())?;
        let words = words(begun.device_ref(), &job.plate.barcode);
        let found = self.0.recover(begun, &words, &|bytes| self.is_of(job, bytes)).await?;
        self.outcome(begun.attempt(), found).await
    }

    fn job<'a>(&self, attempt: &'a Attempt) -> Result<&'a Read, Outcome> {
        let Work::Read(job) = &attempt.lease().work else {
            return Err(self.0.refused("wrong_kind", "the reader carries out read jobs only"));
        };
        if job.at.device != self.0.instrument {
            let why = format!("the plate stands in {}, this is {}", job.at, self.0.instrument);
            return Err(self.0.refused("wrong_device", why));
        }
        // It becomes part of a file's name.
        if let Err(error) = job.plate.barcode.parse::<Barcode>() {
            return Err(self.0.refused("barcode", error));
        }
        Ok(job)
    }

    /// A file that names another plate is another plate's.
    fn is_of(&self, job: &Read, bytes: &[u8]) -> Verdict {
        let form = self.0.settings.result.form;
        if form == ResultForm::Raw {
            return Verdict::Ours;
        }
        match parsers::parse_readings(form.as_str(), bytes) {
            Err(_) => Verdict::Unreadable,
            Ok(file) => match &file.plate {
                Some(other) if *other != job.plate.barcode => {
                    Verdict::Others(format!("it is of plate {other}"))
                }
                _ if job.channels.iter().all(|channel| has_channel(&file, channel)) => Verdict::Ours,
                _ => Verdict::Incomplete,
            },
        }
    }

    /// A file that cannot be read is passed on: the plate is quarantined with what is wrong with it, and a person judges.
    async fn outcome(&self, attempt: &Attempt, found: Found) -> Result<Outcome, Outcome> {
        let folders = &self.0;
        let came = folders.keep(attempt, &found.bytes).await?;
        let result = match &folders.settings.convert {
            None => ReadResult {
                raw: came,
                format: folders.settings.result.form.as_str().to_owned(),
                original: None,
            },
            Some(by) => {
                let name = found.path.file_name().unwrap_or_default().to_string_lossy();
                let converted = convert(by, &name, &found.bytes).await.map_err(|error| {
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

fn has_channel(file: &ReaderFile, channel: &str) -> bool {
    let read = file.readings.iter().map(|reading| &reading.channel);
    read.chain(file.unreadable.iter().map(|reading| &reading.channel)).any(|known| known == channel)
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
