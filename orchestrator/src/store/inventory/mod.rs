//! What stands in the laboratory: plates, volumes, reservations, places.

mod available;
pub mod by_hand;
mod list;
mod look;
mod places;
mod stock;
mod volumes;

pub use available::{Wanted, available, available_of, slots_in_use};
pub use list::{Filter, Role, StockPlate, list};
pub use look::{StockBlanks, StockContent, StockPlateAll, blanks, contents, look};
pub use places::{place, standing, standing_on, storage};
pub use stock::{
    LibraryPlate, StockState, add_blank_plate, add_library_plate, set_stock_state, withdraw_unused,
};
pub use volumes::{Reserved, release, reserve, reserve_blank, spend, write_off};
