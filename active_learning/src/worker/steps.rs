//! The learner's steps by name, each with the moments at which a test may kill something ([`jobs::crash`]).

jobs::steps! {
    /// What the learner does between the beginning of a job and its outcome.
    pub enum Step {
        Fetch = "learner.fetch" [Before, After],
        Train = "learner.train" [Before, During, After],
        Propose = "learner.propose" [Before, During, After],
        Predict = "learner.predict" [Before, During, After],
        Screen = "learner.screen" [Before, During, After],
        /// After: the result is on this disk, and the outcome is not.
        Keep = "learner.keep" [Before, After],
    }
}
