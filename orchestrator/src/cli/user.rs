//! `loopwright user`: people who sign in, and what they may do.
//!
//! The first administrator is made on the database itself (`--database-url`), by whoever may log in there; all
//! others over HTTP by somebody with the scope `admin`.

use super::arguments::Connection;
use super::client::Client;
use crate::ids::SYSTEM;
use crate::people::manage::{self, NewUser};
use crate::people::{Grant, Role};
use crate::store::events::{self, Origin};
use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

#[derive(Debug, Args)]
pub struct UserArguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a user; the initial password is printed once and must be changed at the first sign-in (--sign-on: there is none)
    Create {
        /// What is typed to sign in
        name: String,
        /// As others see them (the name when absent)
        #[arg(long)]
        display_name: Option<String>,
        #[arg(long)]
        email: Option<String>,
        /// A role, everywhere or in one project: `scientist`, `scientist@PROJECT` (repeat, or separate by commas)
        #[arg(long = "role", value_delimiter = ',')]
        roles: Vec<String>,
        /// Administrator of everything
        #[arg(long)]
        admin: bool,
        /// Signs on by the laboratory's identity provider: whoever it says has this --email
        #[arg(long, requires = "email", conflicts_with = "database_url")]
        sign_on: bool,
        /// Make it on the database itself: for the first administrator of an installation
        #[arg(long, env = "LOOPWRIGHT_USER_DATABASE_URL", hide_env_values = true)]
        database_url: Option<String>,
    },
    /// Who may sign in, and their roles
    List,
    /// Give these roles and no others (none: --no-roles)
    Grant {
        name: String,
        #[arg(long = "role", value_delimiter = ',', required_unless_present = "no_roles")]
        roles: Vec<String>,
        #[arg(long, conflicts_with = "roles")]
        no_roles: bool,
    },
    /// Switch an account off: signed out everywhere, tokens open nothing
    Disable { name: String },
    /// Switch an account on again
    Enable { name: String },
    /// A fresh initial password, printed once; whoever signed on by the provider signs in with it from then on
    ResetPassword { name: String },
    /// Let an account sign on by the identity provider alone: whoever it says has this address, from the next sign-on
    /// (unlinks whoever it was, and takes a password away)
    SignOn {
        name: String,
        /// The address (the account's own when absent)
        #[arg(long)]
        email: Option<String>,
    },
    /// Sign somebody out in every browser
    SignOut { name: String },
}

pub async fn run(arguments: UserArguments) -> anyhow::Result<()> {
    let output = arguments.connection.output();
    if let Command::Create { name, display_name, email, roles, admin, sign_on: _, database_url: Some(url) } =
        &arguments.command
    {
        if !roles.is_empty() || !admin {
            bail!(
                "--database-url is for the first administrator: say --admin and no --role, and make the others over HTTP"
            );
        }
        let created = first_admin(url, name, display_name.as_deref().unwrap_or(name), email.clone()).await?;
        return show_password(output, &created);
    }
    let client = arguments.connection.client()?;
    match arguments.command {
        Command::Create { name, display_name, email, roles, admin, sign_on, database_url: _ } => {
            let mut grants = grants(&client, &roles).await?;
            if admin {
                grants.push(json!({"role": "admin"}));
            }
            let display_name = display_name.unwrap_or_else(|| name.clone());
            let mut body =
                json!({"name": name, "display_name": display_name, "email": email, "grants": grants});
            if sign_on {
                body["signs_in_by"] = json!("provider");
            }
            let made = client.post("/api/v1/users", &body).await?;
            if sign_on {
                output.done(&made, "Made; awaits its first sign-on")
            } else {
                show_password(output, &made)
            }
        }
        Command::List => output.list(
            &flat(client.get("/api/v1/users?limit=1000").await?),
            &[
                ("/name", "name"),
                ("/display_name", "display name"),
                ("/state", "state"),
                ("/roles", "roles"),
                ("/signs_in_by", "signs in by"),
                ("/last_sign_in_at", "last sign-in"),
                ("/id", "id"),
            ],
            "No users yet: loopwright user create NAME --admin --database-url URL",
        ),
        Command::Grant { name, roles, no_roles: _ } => {
            let grants = grants(&client, &roles).await?;
            let id = id_of(&client, &name).await?;
            let answer =
                client.put_json(&format!("/api/v1/users/{id}/grants"), &json!({"grants": grants})).await?;
            output.done(&answer, "Granted")
        }
        Command::Disable { name } => {
            let id = id_of(&client, &name).await?;
            output.done(&client.post(&format!("/api/v1/users/{id}/disable"), &json!({})).await?, "Disabled")
        }
        Command::Enable { name } => {
            let id = id_of(&client, &name).await?;
            output.done(&client.post(&format!("/api/v1/users/{id}/enable"), &json!({})).await?, "Enabled")
        }
        Command::ResetPassword { name } => {
            let id = id_of(&client, &name).await?;
            show_password(output, &client.post(&format!("/api/v1/users/{id}/password"), &json!({})).await?)
        }
        Command::SignOn { name, email } => {
            let user = user(&client, &name).await?;
            let id = user["id"].as_str().context("a user has an id")?;
            let email = email.or_else(|| user["email"].as_str().map(str::to_owned));
            let email = email.with_context(|| format!("{name} has no address: name it with --email"))?;
            let path = format!("/api/v1/users/{id}/sign-on");
            output.done(&client.put_json(&path, &json!({"email": email})).await?, "Awaits the next sign-on")
        }
        Command::SignOut { name } => {
            let id = id_of(&client, &name).await?;
            output
                .done(&client.delete(&format!("/api/v1/users/{id}/sessions")).await?, "Signed out everywhere")
        }
    }
}

async fn first_admin(
    url: &str,
    name: &str,
    display_name: &str,
    email: Option<String>,
) -> anyhow::Result<Value> {
    let mut conn = crate::store::addresses::connect_once(url).await.context("cannot reach the database")?;
    let new = NewUser {
        name: name.to_owned(),
        display_name: display_name.to_owned(),
        email,
        grants: vec![Grant { project: None, role: Role::Admin }],
        is_demo: false,
        password: None,
    };
    let made = events::from(Origin::of_this_process(), manage::create(&mut conn, new, SYSTEM)).await?;
    let (id, initial) = made?;
    Ok(json!({"user": {"id": id, "name": name}, "initial_password": initial}))
}

fn show_password(output: super::output::Output, answer: &Value) -> anyhow::Result<()> {
    if output.json {
        return output.raw(answer);
    }
    eprintln!("The initial password; it is not shown again, and must be changed at the first sign-in:");
    println!("{}", answer["initial_password"].as_str().context("the server sent no password")?);
    Ok(())
}

/// `scientist@PROJECT` as the API takes it.
async fn grants(client: &Client, roles: &[String]) -> anyhow::Result<Vec<Value>> {
    let projects = client.get("/api/v1/projects").await?;
    roles
        .iter()
        .map(|text| {
            let (role, project) = match text.split_once('@') {
                Some((role, project)) => (role, Some(project)),
                None => (text.as_str(), None),
            };
            let role: Role = role.parse()?;
            let Some(project) = project else { return Ok(json!({"role": role})) };
            let known = projects["items"].as_array().into_iter().flatten();
            let found = known.into_iter().find(|known| known["name"] == project || known["id"] == project);
            let found =
                found.with_context(|| format!("there is no project {project:?}: loopwright project list"))?;
            Ok(json!({"role": role, "project_id": found["id"]}))
        })
        .collect()
}

async fn id_of(client: &Client, name: &str) -> anyhow::Result<String> {
    let user = user(client, name).await?;
    Ok(user["id"].as_str().context("a user has an id")?.to_owned())
}

async fn user(client: &Client, name: &str) -> anyhow::Result<Value> {
    let users = client.get("/api/v1/users?limit=1000").await?;
    let mut all = users["items"].as_array().into_iter().flatten();
    let found = all.find(|user| user["name"] == name || user["id"] == name);
    found.cloned().with_context(|| format!("there is no user {name:?}: loopwright user list"))
}

/// Roles in one column.
fn flat(mut users: Value) -> Value {
    for user in users["items"].as_array_mut().into_iter().flatten() {
        let word = |grant: &Value| {
            let role = grant["role"].as_str().unwrap_or_default();
            grant["project"].as_str().map_or_else(|| role.to_owned(), |project| format!("{role}@{project}"))
        };
        let roles: Vec<String> = user["grants"].as_array().into_iter().flatten().map(word).collect();
        user["roles"] = json!(roles);
    }
    users
}
