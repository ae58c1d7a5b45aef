//! The commands and their options.

use super::client::Client;
use super::output::Output;
use super::{
    audit, backup, batch, calendar, campaign, channel, demo, doctor, instrument, inventory, job, laboratory,
    migrate, model, notification, plate, project, reconciliation, restore, results, round, serve, simulate,
    task, token, user, why,
};
use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Closes the loop of a perturbation laboratory: propose, approve, experiment, learn.
#[derive(Debug, Parser)]
#[command(name = "loopwright", version, propagate_version = true)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the service: API, loop engine, ingestion
    Serve(serve::ServeArguments),
    /// Run a whole laboratory on this machine, with a campaign in fast-forward
    Demo(demo::DemoArguments),
    /// Simulate a campaign file of your own before a plate moves: rounds, plates, hours, cost, what does not fit
    Simulate(simulate::SimulateArguments),
    /// Bring the database's schema up to date
    Migrate(migrate::MigrateArguments),
    /// Stop the laboratory: nothing is given to devices or hands, what runs goes to its next safe point
    StopAll(laboratory::StopAll),
    /// Let the laboratory go on
    ResumeAll(laboratory::ResumeAll),
    /// Whether the laboratory is stopped, and which agents have confirmed
    Laboratory(Connection),
    /// Create, list, show, pause, drain, resume and cancel campaigns; begin rounds by hand
    Campaign(Connected<campaign::Command>),
    /// Show, pause, drain, resume and cancel rounds
    Round(Connected<round::Command>),
    /// The time to come: what happens when, what it needs, what does not fit; blackouts
    Calendar(calendar::CalendarArguments),
    /// Look at batches, edit them, approve or reject them
    Batch(Connected<batch::Command>),
    /// Look at plates; decide on quarantined ones
    Plate(Connected<plate::Command>),
    /// Look at jobs; pause, drain, resume and cancel them; settle those in doubt
    Job(Connected<job::Command>),
    /// Register instruments, list them; pause, drain and resume them
    Instrument(Connected<instrument::Command>),
    /// Register library and assay plates; count them, take them out; see what stands where and what runs out
    Inventory(Connected<inventory::Command>),
    /// List model versions with their calibration; ask for predictions
    Model(Connected<model::Command>),
    /// What waits for a person
    Task(Connected<task::Command>),
    /// What people are told; acknowledge it
    Notification(Connected<notification::Command>),
    /// Webhooks, Slack and mailboxes that are told; what became of each delivery
    Channel(Connected<channel::Command>),
    /// Export observations with their lineage
    Results(Connected<results::Command>),
    /// People who sign in: make, list, grant roles, switch off
    User(user::UserArguments),
    /// Projects: what campaigns belong to and roles are granted on
    Project(Connected<project::Command>),
    /// Make, list and revoke bearer tokens
    Token(token::TokenArguments),
    /// Prove that the record of events is the one that was written; export it
    Audit(audit::AuditArguments),
    /// Back up PostgreSQL and the blobs, of one moment; check a backup
    Backup(backup::BackupArguments),
    /// Restore a backup into an empty database
    Restore(restore::RestoreArguments),
    /// After a failover or a restore: who has told what it did; give robots work again
    Reconciliation(reconciliation::ReconciliationArguments),
    /// Why a job, round or campaign does not move, and whose turn it is
    Why(Connected<why::Command>),
    /// What stands still past its deadline
    Standstills(Connection),
    /// Check an installation and say what to do
    Doctor(doctor::DoctorArguments),
    /// Print the OpenAPI document
    Openapi,
    /// Print the steps of the service at which a test may kill something
    #[command(hide = true)]
    CrashPoints,
}

/// Where the server is and who asks.
#[derive(Clone, Debug, Args)]
pub struct Connection {
    /// The server's address
    #[arg(long, env = "LOOPWRIGHT_SERVER", default_value = "http://127.0.0.1:8460", global = true)]
    pub server: String,
    /// File that holds the bearer token
    #[arg(long, env = "LOOPWRIGHT_TOKEN_FILE", global = true)]
    pub token_file: Option<PathBuf>,
    /// Print JSON instead of tables
    #[arg(long, global = true)]
    pub json: bool,
}

impl Connection {
    pub fn client(&self) -> anyhow::Result<Client> {
        let file = self.token_file.as_deref().context(
            "no token: name its file with --token-file or LOOPWRIGHT_TOKEN_FILE (an administrator makes one \
             with `loopwright token create`)",
        )?;
        Client::new(&self.server, file)
    }

    /// For what needs no token.
    pub fn client_without_token(&self) -> anyhow::Result<Client> {
        Client::with_token(&self.server, "")
    }

    pub fn output(&self) -> Output {
        Output { json: self.json }
    }
}

/// A command that speaks to a server.
#[derive(Debug, Args)]
pub struct Connected<C: Subcommand> {
    #[command(flatten)]
    pub connection: Connection,
    #[command(subcommand)]
    pub command: C,
}

impl Arguments {
    pub async fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Serve(arguments) => serve::run(arguments).await,
            Command::Demo(arguments) => demo::run(arguments).await,
            Command::Simulate(arguments) => simulate::run(arguments).await,
            Command::Migrate(arguments) => migrate::run(arguments).await,
            Command::StopAll(arguments) => laboratory::stop_all(arguments).await,
            Command::ResumeAll(arguments) => laboratory::resume_all(arguments).await,
            Command::Laboratory(connection) => laboratory::state(connection).await,
            Command::Campaign(it) => {
                campaign::run(it.command, || it.connection.client(), it.connection.output()).await
            }
            Command::Round(it) => {
                round::run(it.command, &it.connection.client()?, it.connection.output()).await
            }
            Command::Calendar(arguments) => calendar::run(arguments).await,
            Command::Batch(it) => {
                batch::run(it.command, &it.connection.client()?, it.connection.output()).await
            }
            Command::Plate(it) => {
                plate::run(it.command, &it.connection.client()?, it.connection.output()).await
            }
            Command::Job(it) => job::run(it.command, &it.connection.client()?, it.connection.output()).await,
            Command::Instrument(it) => {
                instrument::run(it.command, &it.connection.client()?, it.connection.output()).await
            }
            Command::Inventory(it) => {
                inventory::run(it.command, &it.connection.client()?, it.connection.output()).await
            }
            Command::Model(it) => {
                model::run(it.command, &it.connection.client()?, it.connection.output()).await
            }
            Command::Task(it) => {
                task::run(it.command, &it.connection.client()?, it.connection.output()).await
            }
            Command::Notification(it) => {
                notification::run(it.command, &it.connection.client()?, it.connection.output()).await
            }
            Command::Channel(it) => {
                channel::run(it.command, &it.connection.client()?, it.connection.output()).await
            }
            Command::Results(it) => {
                results::run(it.command, &it.connection.client()?, it.connection.json).await
            }
            Command::User(arguments) => user::run(arguments).await,
            Command::Project(it) => {
                project::run(it.command, &it.connection.client()?, it.connection.output()).await
            }
            Command::Token(arguments) => token::run(arguments).await,
            Command::Audit(arguments) => audit::run(arguments).await,
            Command::Backup(arguments) => backup::run(arguments).await,
            Command::Restore(arguments) => restore::run(arguments).await,
            Command::Reconciliation(arguments) => reconciliation::run(arguments).await,
            Command::Why(it) => why::run(it.command, &it.connection.client()?, it.connection.output()).await,
            Command::Standstills(connection) => why::standstills(connection).await,
            Command::Doctor(arguments) => doctor::run(arguments).await,
            Command::Openapi => {
                println!("{}", serde_json::to_string_pretty(&crate::api::openapi())?);
                Ok(())
            }
            Command::CrashPoints => {
                println!("{}", jobs::crash::list(&[crate::steps::Step::LISTED]));
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn every_command_is_well_described_to_clap() {
        super::Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_says_what_it_is_for() {
        let mut left = vec![("loopwright".to_owned(), super::Arguments::command())];
        let mut silent = Vec::new();
        while let Some((name, command)) = left.pop() {
            if command.get_about().is_none_or(|about| about.to_string().starts_with("What every")) {
                silent.push(name.clone());
            }
            left.extend(
                command.get_subcommands().map(|it| (format!("{name} {}", it.get_name()), it.clone())),
            );
        }
        silent.sort();
        assert_eq!(silent, Vec::<String>::new());
    }
}
