//! Jobs: for the workers that hold them ([`worker`]) and for people ([`people`], [`orders`], [`by_hand`]).

mod by_hand;
mod orders;
mod people;
mod worker;

use super::access::Routes;

pub(super) fn routes() -> Routes {
    Routes::new()
        .merge(worker::routes())
        .merge(people::routes())
        .merge(orders::routes())
        .merge(by_hand::routes())
}
