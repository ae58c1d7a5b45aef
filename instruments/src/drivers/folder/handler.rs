//! Dispenses: told by a worklist, heard from by a report of transfers, or by one word.

use super::account::{self, Word};
use super::folders::{Folders, Judge, Task, words};
use super::request;
use super::result::{Found, Verdict};
use super::settings::{Device, ResultForm, SettingsError};
use crate::drivers::Timings;
use crate::parsers::echo_report;
use crate::transfers::TransferList;
use async_trait::async_trait;
use jobs::work::physical::DispenseResult;
use jobs::work::{Outcome, Output, Work};
use jobs::worker::{Attempt, Begun, Handler};
use std::path::Path;

/// A liquid handler whose software takes a worklist.
pub struct FolderHandler(Folders);

impl FolderHandler {
    pub fn open(settings: &Path, instrument: &str, timings: Timings) -> Result<Self, SettingsError> {
        Ok(Self(Folders::open(settings, Device::Handler, instrument, timings, "folder_handler")?))
    }

    async fn carry_out(&self, attempt: &Attempt) -> Result<Outcome, Outcome> {
        let folders = &self.0;
        let list = list(attempt).map_err(|(what, why)| folders.refused(what, why))?;
        let id = attempt.operation_id();
        let text =
            folders.settings.request.as_ref().map(|request| request::worklist(&request.says, &list, &id));
        let text = text.transpose().map_err(|error| folders.refused("request", error))?;
        let task = Task { words: words(&id, ""), text };
        let judge = OfList { list: &list, form: folders.settings.result.form };
        let found = folders.carry_out(attempt, task, &judge).await?;
        self.outcome(attempt, &list, &id, found).await
    }

    async fn recover_begun(&self, begun: &Begun) -> Result<Outcome, Outcome> {
        let list = list(begun.attempt()).map_err(|(_, why)| self.0.not_understood(begun.attempt(), &why))?;
        let id = begun.device_ref();
        let judge = OfList { list: &list, form: self.0.settings.result.form };
        let found = self.0.recover(begun, &words(id, ""), &judge).await?;
        self.outcome(begun.attempt(), &list, id, found).await
    }

    async fn outcome(
        &self,
        attempt: &Attempt,
        list: &TransferList,
        id: &str,
        found: Found,
    ) -> Result<Outcome, Outcome> {
        let folders = &self.0;
        let raw = folders.keep(attempt, &found.bytes).await?;
        let look = |why: String| {
            format!(
                "{why} Its file {} is kept as {raw}. Look at the deck, then record what happened.",
                found.path.display()
            )
        };
        let (transfers, run) = match folders.settings.result.form {
            ResultForm::EchoReport => {
                let report = echo_report(&found.bytes).map_err(|error| {
                    let why = look(format!("What the device says cannot be read: {error}."));
                    folders.unknown(attempt, "unreadable", why)
                })?;
                let account = account::reconcile(list, &report).map_err(|why| {
                    folders.unknown(
                        attempt,
                        "record_mismatch",
                        look(format!("The device did something else than was asked: {why}.")),
                    )
                })?;
                if let Some(first) = account.unmentioned.first() {
                    let why = look(format!(
                        "The device's report does not mention {} of {} transfers, the first of them transfer {first}: whether they were made is unknown.",
                        account.unmentioned.len(),
                        account.transfers.len()
                    ));
                    return Err(folders.unknown(attempt, "record_mismatch", why));
                }
                (account.transfers, report.run_id)
            }
            _ => match Word::read(&found.bytes) {
                Some(Word::Succeeded) => (account::all_done(list), None),
                Some(Word::Failed(why)) => {
                    let why = if why.is_empty() { "it gives no reason".to_owned() } else { why };
                    let message =
                        look(format!("The device says that it failed: {why}. How far it came is unknown."));
                    return Err(folders.unknown(attempt, "device_failed", message));
                }
                None => {
                    let why = "The device's file begins neither with succeeded nor with failed.".to_owned();
                    return Err(folders.unknown(attempt, "unreadable", look(why)));
                }
            },
        };
        let device_run_id = run.unwrap_or_else(|| id.to_owned());
        let done = DispenseResult { transfers, device_run_id, recovered_from_error: false, raw };
        Ok(Outcome::Succeeded { output: Box::new(Output::Dispense(done)) })
    }
}

/// `Err`: a word for what is wrong, and why.
fn list(attempt: &Attempt) -> Result<TransferList, (&'static str, String)> {
    let Work::Dispense(job) = &attempt.lease().work else {
        return Err(("wrong_kind", "the liquid handler carries out dispense jobs only".to_owned()));
    };
    TransferList::check(attempt.lease().job_id, job)
        .map_err(|error| ("transfers", format!("the list of transfers is wrong: {error}")))
}

/// By the plates that a report names; a word does not say whose it is, its name does.
struct OfList<'a> {
    list: &'a TransferList,
    form: ResultForm,
}

impl Judge for OfList<'_> {
    fn verdict(&self, bytes: &[u8]) -> Verdict {
        match self.form {
            ResultForm::EchoReport => match echo_report(bytes) {
                Ok(report) => account::is_of(self.list, &report),
                Err(_) => Verdict::Unreadable,
            },
            _ => Word::read(bytes).map_or(Verdict::Unreadable, |_| Verdict::Ours),
        }
    }
}

#[async_trait]
impl Handler for FolderHandler {
    async fn perform(&self, attempt: &Attempt) -> Outcome {
        self.carry_out(attempt).await.unwrap_or_else(|outcome| outcome)
    }

    async fn recover(&self, begun: &Begun) -> Option<Outcome> {
        Some(self.recover_begun(begun).await.unwrap_or_else(|outcome| outcome))
    }
}
