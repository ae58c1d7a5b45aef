//! Accounts whose owners sign on by the provider: made, prepared, unlinked. Each command is one transaction with its event.

use crate::ids::ActorId;
use crate::people::manage::{
    Answer, NewUser, Refused, check, is_address, is_last_admin, known, record, refuse, words,
};
use crate::people::password;
use crate::store;
use crate::store::people::accounts::{self, Account, Inserted, NewAccount, SignsInBy};
use crate::store::people::identities::{self, Prepared};
use crate::store::people::{grants, sessions};
use serde_json::json;
use sqlx::PgConnection;

/// Makes an account without a password: whoever the provider says has its e-mail address is its owner, from their first
/// sign-on.
pub async fn create(conn: &mut PgConnection, new: NewUser, by: ActorId) -> Answer<ActorId> {
    if let Err(refused) = check(&new) {
        return Ok(Err(refused));
    }
    let Some(email) = new.email.as_deref() else { return Ok(Err(Refused::EmailMissing)) };
    let mut tx = store::begin(conn).await?;
    if !known(&mut tx, &new.grants).await? {
        return refuse(tx, Refused::UnknownProject).await;
    }
    let account = NewAccount {
        name: &new.name,
        display_name: &new.display_name,
        email: Some(email),
        signs_in_by: SignsInBy::Provider,
        password_phc: password::NOBODYS,
        must_change_password: false,
        is_demo: new.is_demo,
    };
    let id = match accounts::insert(&mut tx, &account).await {
        Ok(Inserted::Created(id)) => id,
        Ok(Inserted::NameTaken) => return refuse(tx, Refused::NameTaken).await,
        Err(error) if error.constraint() == Some("account_awaits_sign_on") => {
            return refuse(tx, Refused::EmailTaken).await;
        }
        Err(error) => return Err(error),
    };
    grants::replace(&mut tx, id, &new.grants, by).await?;
    let body = json!({"name": new.name, "display_name": new.display_name, "grants": words(&new.grants),
        "signs_in_by": SignsInBy::Provider, "email": email});
    record(&mut tx, "UserCreated", id, by, body).await?;
    tx.commit().await?;
    Ok(Ok(id))
}

/// From now on its owner signs on by the provider alone: whoever it says has `email`, from their next sign-on. A password
/// it had is gone, whoever it was linked to is not its owner any more, and every browser is signed out. Tokens stay.
pub async fn prepare(conn: &mut PgConnection, id: ActorId, email: &str, by: ActorId) -> Answer<Account> {
    let mut tx = store::begin(conn).await?;
    let Some(before) = accounts::by_id(&mut tx, id).await? else {
        return refuse(tx, Refused::NotFound).await;
    };
    if !is_address(email) {
        return refuse(tx, Refused::EmailInvalid).await;
    }
    if before.signs_in_by == SignsInBy::Password && is_last_admin(&mut tx, id).await? {
        return refuse(tx, Refused::LastAdmin).await;
    }
    match identities::prepare(&mut tx, id, email).await? {
        Prepared::Done => {}
        Prepared::NoAccount => return refuse(tx, Refused::NotFound).await,
        Prepared::EmailAwaited => return refuse(tx, Refused::EmailTaken).await,
    }
    sessions::end_all(&mut tx, id, None).await?;
    let body = json!({"email": email, "had_password": before.signs_in_by == SignsInBy::Password,
        "was_linked": before.is_linked});
    record(&mut tx, "SignOnPrepared", id, by, body).await?;
    let Some(account) = accounts::by_id(&mut tx, id).await? else {
        return refuse(tx, Refused::NotFound).await;
    };
    tx.commit().await?;
    Ok(Ok(account))
}
