//! The way that both drivers go: ask by a file, follow to the result, or say what is not known.

use super::asked::{Asked, Standing};
use super::name::{Pattern, TemplateError, Words};
use super::result::{Before, Found, Search, Verdict};
use super::settings::{Device, Settings, SettingsError};
use super::share::{Share, ShareError};
use crate::drivers::Timings;
use crate::drivers::ready::until_ready;
use crate::drivers::steps::{self, Step};
use crate::drivers::timings::Watch;
use async_trait::async_trait;
use jobs::work::Outcome;
use jobs::worker::{Attempt, Begun, Halt, NotBegun};
use jobs::{Digest, Failure, FailureClass};
use std::path::Path;

/// Note in the begun-record: what lay among the results before the device was asked.
const BEFORE: &str = "results_before";

/// One device's folders.
pub(super) struct Folders {
    pub settings: Settings,
    share: Share,
    timings: Timings,
    pub instrument: String,
    /// For codes: `folder_reader`.
    driver: &'static str,
}

/// One job in the device's words.
pub(super) struct Task {
    pub words: Words,
    /// What its request says; `None`: nobody is told but people.
    pub text: Option<String>,
}

/// Says whose a file among the results is.
#[async_trait]
pub(super) trait Judge: Send + Sync {
    /// By what stands in it.
    fn verdict(&self, bytes: &[u8]) -> Verdict;

    /// Why a file that is ours by its verdict is not ours after all. Asked once of each: it may take its time.
    async fn objection(&self, _found: &mut Found) -> Option<String> {
        None
    }
}

impl Folders {
    pub fn open(
        path: &Path,
        device: Device,
        instrument: &str,
        timings: Timings,
        driver: &'static str,
    ) -> Result<Self, SettingsError> {
        let settings = Settings::read(path, device)?;
        let share = Share::new(timings.call);
        Ok(Self { settings, share, timings, instrument: instrument.to_owned(), driver })
    }

    /// What the device made of the job: brought about, or followed after a restart. `Err`: there is nothing to see.
    pub async fn carry_out(
        &self,
        attempt: &Attempt,
        task: Task,
        judge: &dyn Judge,
    ) -> Result<Found, Outcome> {
        let id = attempt.operation_id();
        let (asked, search) = self.places(&task.words, &id).map_err(|error| self.refused("name", error))?;
        let text = task.text.as_deref();
        let before =
            until_ready(attempt, self.timings, || self.prepare(asked.as_ref(), text, &search)).await?;
        self.ask(attempt, asked.as_ref(), &before).await?;
        self.follow(attempt, asked.as_ref(), search.after(before), judge).await
    }

    /// All that can be done without asking: as little as possible stands between the beginning and the request, for work that
    /// may not be repeated and has begun is not tried again by itself, whatever it says.
    async fn prepare(
        &self,
        asked: Option<&Asked<'_>>,
        text: Option<&str>,
        search: &Search,
    ) -> Result<Before, Failure> {
        let unreachable = |error: ShareError| error.nothing_asked(self.driver);
        if let (Some(asked), Some(text)) = (asked, text) {
            asked.make_ready(text.to_owned()).await.map_err(unreachable)?;
            let earlier = asked.clear_earlier().await.map_err(unreachable)?;
            if !earlier.is_empty() {
                tracing::warn!(?earlier, "requests from before lay in the folder, and were taken away");
            }
        }
        search.look_before().await.map_err(unreachable)
    }

    /// Begins, and gives the request to the device. `Err`: it has not got it, and will not; what stands ready stays, so that its
    /// place says so after a kill, until the next request is made.
    async fn ask(
        &self,
        attempt: &Attempt,
        asked: Option<&Asked<'_>>,
        before: &Before,
    ) -> Result<(), Outcome> {
        attempt.begin(attempt.operation_id()).await?;
        attempt.note(BEFORE, before.to_string()).map_err(NotBegun::from)?;
        attempt.checkpoint().map_err(NotBegun::from)?;
        steps::before(Step::AskByFile).await;
        if let Some(asked) = asked
            && let Err(error) = asked.drop_in().await
        {
            // A share that was too slow may do it all the same.
            tracing::warn!(%error, request = asked.name(), "whether the device has got it, its folder will say");
            match self.standing(attempt, asked).await {
                Ok(Standing::Ready) => return Err(failed(error.nothing_asked(self.driver))),
                Ok(Standing::Lying | Standing::Gone) => {}
                Err(error) => return Err(self.in_the_dark(attempt, Some(asked), &error)),
            }
        }
        steps::after(Step::AskByFile).await;
        Ok(())
    }

    /// Follows what an earlier life of this process had begun.
    pub async fn recover(&self, begun: &Begun, words: &Words, judge: &dyn Judge) -> Result<Found, Outcome> {
        let attempt = begun.attempt();
        let (asked, search) = self.places(words, begun.device_ref()).map_err(|error| {
            self.not_understood(attempt, &format!("its files have no name any more ({error})"))
        })?;
        // Written down before the request is made.
        let noted = begun.note(BEFORE);
        let standing = match (&asked, noted) {
            (_, None) => Standing::Ready,
            (None, Some(_)) => Standing::Gone,
            (Some(asked), Some(_)) => self
                .standing(attempt, asked)
                .await
                .map_err(|error| self.in_the_dark(attempt, Some(asked), &error))?,
        };
        if standing == Standing::Ready {
            let message = "The device was never asked: nothing was begun.";
            return Err(failed(self.failure(FailureClass::Transient, "never_asked", message)));
        }
        let Some(before) = noted.and_then(Before::parse) else {
            let message = "What lay among the results before is not known any more. Look at the plate and the device, then record what happened.";
            return Err(self.unknown(attempt, "no_record", message.to_owned()));
        };
        self.follow(attempt, asked.as_ref(), search.after(before), judge).await
    }

    /// What was begun for a job that does not check any more, as after an update of this program or other settings: that says
    /// nothing of what the device has done.
    pub fn not_understood(&self, attempt: &Attempt, why: &str) -> Outcome {
        let asked = self.settings.request.as_ref().map_or_else(String::new, |request| {
            format!(" If its request still lies in {}, take it away first.", request.folder.display())
        });
        let message = format!(
            "The work was begun, and what it was to do cannot be read any more: {why}. Look at the plate and the device, then record what happened.{asked}"
        );
        self.unknown(attempt, "not_understood", message)
    }

    fn places(&self, words: &Words, id: &str) -> Result<(Option<Asked<'_>>, Search), TemplateError> {
        let request = self.settings.request.as_ref();
        let asked = request.map(|request| Asked::new(&self.share, request, id, words)).transpose()?;
        let result = &self.settings.result;
        let pattern = Pattern::of(&result.name, words)?;
        Ok((asked, Search::new(&self.share, &result.folder, pattern, result.settled())))
    }

    fn watch(&self) -> Watch {
        let result = &self.settings.result;
        let look_every = result.look_every();
        Watch::new(Timings {
            poll_first: self.timings.poll_first.min(look_every),
            poll_limit: look_every,
            longest_work: result.within(),
            ..self.timings
        })
    }

    /// Where the request is, as soon as its folder can be looked into.
    async fn standing(&self, attempt: &Attempt, asked: &Asked<'_>) -> Result<Standing, ShareError> {
        let mut watch = self.watch();
        loop {
            match asked.standing().await {
                Ok(standing) => return Ok(standing),
                Err(error) if watch.is_patience_over() => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, "looking again");
                    attempt.progress("the folder of requests cannot be reached; waiting for it", None);
                }
            }
            watch.pause().await;
        }
    }

    async fn follow(
        &self,
        attempt: &Attempt,
        asked: Option<&Asked<'_>>,
        mut search: Search,
        judge: &dyn Judge,
    ) -> Result<Found, Outcome> {
        let mut watch = self.watch();
        // Of a device that only reads its requests nothing can be taken back.
        let mut in_our_hands = asked.filter(|asked| asked.can_be_taken_back());
        loop {
            steps::during(Step::FollowFile).await;
            if let Some(halt) = halted(attempt) {
                match in_our_hands {
                    Some(asked) => match asked.take_back().await {
                        Ok(true) => return Err(NotBegun::from(halt).into()),
                        Ok(false) => in_our_hands = None,
                        Err(error) => tracing::warn!(%error, "taking the request back again"),
                    },
                    // Nobody was told anything that could go on.
                    None if asked.is_none() => return Err(NotBegun::from(halt).into()),
                    None => {}
                }
            }
            match search.look(&|bytes| judge.verdict(bytes)).await {
                Ok(Some(mut found)) => match self.is_untaken(in_our_hands).await {
                    Ok(true) => search.pass_over(found, "the device has not taken its request yet"),
                    Ok(false) => {
                        if let Some(why) = judge.objection(&mut found).await {
                            search.pass_over(found, &why);
                            continue;
                        }
                        if let Some(asked) = asked {
                            self.tidy(asked).await;
                        }
                        return Ok(found);
                    }
                    Err(error) => tracing::warn!(%error, "looking again"),
                },
                Ok(None) => {
                    watch.answered();
                    self.say_progress(attempt, in_our_hands).await;
                }
                Err(error) if watch.is_patience_over() => {
                    return Err(self.in_the_dark(attempt, asked, &error));
                }
                Err(error) => {
                    tracing::warn!(%error, "looking again");
                    attempt.progress("the folder of results cannot be reached; waiting for it", None);
                }
            }
            if watch.is_overdue() {
                return Err(self.overdue(attempt, asked, in_our_hands, &search).await);
            }
            tokio::select! {
                () = watch.pause() => {}
                () = attempt.stop_requested(), if (in_our_hands.is_some() || asked.is_none()) && !attempt.is_stop_requested() => {}
            }
        }
    }

    /// Whether the request lies there, and the device takes them away before it begins.
    async fn is_untaken(&self, in_our_hands: Option<&Asked<'_>>) -> Result<bool, ShareError> {
        match in_our_hands {
            Some(asked) => Ok(asked.standing().await? == Standing::Lying),
            None => Ok(false),
        }
    }

    async fn say_progress(&self, attempt: &Attempt, in_our_hands: Option<&Asked<'_>>) {
        let folder = self.settings.result.folder.display();
        let said = match in_our_hands {
            Some(asked) => match asked.standing().await {
                Ok(Standing::Lying) => format!("the device has not taken {} yet", asked.name()),
                Ok(_) => format!("the device has taken {}; waiting for its file in {folder}", asked.name()),
                Err(_) => "the folder of requests cannot be reached; waiting for it".to_owned(),
            },
            None => format!("waiting for its file in {folder}"),
        };
        attempt.progress(said, None);
    }

    async fn overdue(
        &self,
        attempt: &Attempt,
        asked: Option<&Asked<'_>>,
        in_our_hands: Option<&Asked<'_>>,
        search: &Search,
    ) -> Outcome {
        let hours = self.settings.result.within_hours;
        if let Some(asked) = in_our_hands
            && let Ok(true) = asked.take_back().await
        {
            let message = format!(
                "The device has not taken {} within {hours} h, and it was taken back: nothing was begun. Look whether the device's software runs and watches its folder.",
                asked.name()
            );
            return failed(self.failure(FailureClass::NeedsPerson, "not_taken", message));
        }
        let others = search.passed_over().map(|why| format!(" Passed over was {why}.")).unwrap_or_default();
        let message = format!(
            "No result has come within {hours} h.{others} Look at the plate, the device and {}, then record what happened.{}",
            self.settings.result.folder.display(),
            left_lying(asked)
        );
        self.unknown(attempt, "overdue", message)
    }

    /// The device is done with it.
    async fn tidy(&self, asked: &Asked<'_>) {
        if let Err(error) = asked.discard().await {
            tracing::warn!(%error, request = asked.name(), "it stays behind; the next request takes it away");
        }
    }

    fn in_the_dark(&self, attempt: &Attempt, asked: Option<&Asked<'_>>, error: &ShareError) -> Outcome {
        let message = format!(
            "The device's folder was lost in the middle of its work and did not come back: {error}. Look at the plate and the device, then record what happened.{}",
            left_lying(asked)
        );
        self.unknown(attempt, "lost", message)
    }

    /// Work that may be repeated is tried again; of work that may not be, a person says what happened.
    pub fn unknown(&self, attempt: &Attempt, what: &str, message: String) -> Outcome {
        if attempt.lease().repeatable {
            return failed(self.failure(FailureClass::Transient, what, message));
        }
        Outcome::Unknown { failure: self.failure(FailureClass::NeedsPerson, what, message) }
    }

    pub fn refused(&self, what: &str, why: impl std::fmt::Display) -> Outcome {
        failed(self.failure(FailureClass::Permanent, what, format!("Nothing was begun: {why}.")))
    }

    pub fn failure(&self, class: FailureClass, what: &str, message: impl Into<String>) -> Failure {
        Failure::new(class, format!("{}.{what}", self.driver), message)
    }

    pub async fn keep(&self, attempt: &Attempt, bytes: &[u8]) -> Result<Digest, Outcome> {
        attempt.put_blob(bytes).await.map_err(|error| {
            let message = format!("The device's file could not be kept on this disk: {error}.");
            self.unknown(attempt, "spool_unusable", message)
        })
    }
}

/// Whoever records that nothing happened must not leave the device the means to do it.
fn left_lying(asked: Option<&Asked<'_>>) -> String {
    asked.map_or_else(String::new, |asked| {
        format!(" If {} still lies there, take it away first.", asked.path().display())
    })
}

/// A server that cannot be reached is no reason to let go of what waits for its result.
fn halted(attempt: &Attempt) -> Option<Halt> {
    match attempt.checkpoint() {
        Err(halt @ (Halt::StopRequested | Halt::AuthorityLost)) => Some(halt),
        _ => None,
    }
}

pub(super) fn failed(failure: Failure) -> Outcome {
    Outcome::Failed { failure }
}

pub(super) fn words(id: &str, barcode: &str) -> Words {
    Words::of([("id", id.to_owned()), ("barcode", barcode.to_owned())])
}
