//! Devices in this process that speak the devices' own protocols and do as a test says.

pub mod line;
pub mod robot;
pub mod server;
pub mod small;

/// How a piece of work ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Success,
    Failure,
}

/// What every fake device can be told, and asked.
#[async_trait::async_trait]
pub trait Fake: Send + Sync {
    fn url(&self) -> String;
    fn line(&self) -> &line::Line;
    /// Work that is asked for from now on ends at once, like this.
    fn will_end(&self, ending: Ending);
    /// Work that is asked for from now on goes half way and waits there.
    fn will_wait(&self);
    /// Comes back when work waits half way.
    async fn half_way(&self);
    /// Lets the work that waits go on to its end.
    fn go_on(&self, ending: Ending);
    /// Cuts the power and puts it back: what was under way is lost.
    fn lose_power(&self);
    /// How often anything physical was begun.
    fn times_begun(&self) -> usize;
}
