//! What planning is given of the laboratory as it stands now.

use crate::campaigns::Spec;
use crate::campaigns::spec::Bench;
use crate::planning::{
    self, HandlerProfile, Impossible, IncubatorProfile, Inventory, Plan, PlanInput, PlannedExperiment,
    ReaderProfile,
};
use crate::store::instruments::{Instrument, InstrumentState};
use crate::store::inventory::Wanted;
use crate::store::proposals::{Proposal, Status};
use crate::store::{self, Result};
use serde::de::DeserializeOwned;
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet};

/// Inventory and devices at one moment.
pub(super) struct Laboratory {
    inventory: Inventory,
    devices: std::result::Result<Devices, Impossible>,
}

struct Devices {
    handler: HandlerProfile,
    incubator: IncubatorProfile,
    reader: ReaderProfile,
}

impl Laboratory {
    /// Reads it, as far as a plan for `experiments` depends on it. Whoever will commit a plan holds
    /// [`store::chains::lock_bench`] before.
    pub async fn read(
        conn: &mut PgConnection,
        spec: &Spec,
        experiments: &[PlannedExperiment],
    ) -> Result<Self> {
        let inventory = store::inventory::available_of(conn, &wanted(spec, experiments)).await?;
        Ok(Self { inventory, devices: devices(conn, &spec.bench).await? })
    }

    /// Plans `experiments` as plates of `generation`, the first one numbered `first_ordinal`.
    pub fn plan(
        &self,
        spec: &Spec,
        experiments: &[PlannedExperiment],
        layout_seed: u64,
        generation: u32,
        first_ordinal: u32,
    ) -> std::result::Result<Plan, Impossible> {
        let devices = self.devices.as_ref().map_err(Clone::clone)?;
        planning::plan(&PlanInput {
            spec,
            experiments,
            layout_seed,
            generation,
            first_ordinal,
            inventory: &self.inventory,
            handler: &devices.handler,
            incubator: &devices.incubator,
            reader: &devices.reader,
        })
    }
}

fn wanted<'a>(spec: &'a Spec, experiments: &[PlannedExperiment]) -> Wanted<'a> {
    let edits = experiments.iter().flat_map(|planned| planned.experiment.perturbation.edits());
    let controls = [&spec.controls.negative.content, &spec.controls.positive.content];
    let contents: BTreeSet<&String> = edits.chain(controls).collect();
    Wanted {
        contents: contents.into_iter().cloned().collect(),
        labware: &spec.assay.labware,
        contexts: &spec.design.contexts,
    }
}

/// The chosen of a batch, as planning takes them.
pub(super) fn chosen(proposals: &[Proposal]) -> Vec<PlannedExperiment> {
    proposals
        .iter()
        .filter(|proposal| proposal.status == Status::Selected)
        .map(|proposal| PlannedExperiment { proposal: proposal.id, experiment: proposal.experiment.clone() })
        .collect()
}

async fn devices(conn: &mut PgConnection, bench: &Bench) -> Result<std::result::Result<Devices, Impossible>> {
    let names = [&bench.handler, &bench.incubator, &bench.reader].map(String::as_str);
    let registered = store::instruments::by_names(conn, &names).await?;
    let mut devices = match Devices::of(&registered, bench) {
        Ok(devices) => devices,
        Err(unfit) => return Ok(Err(unfit)),
    };
    let in_use: BTreeSet<String> =
        store::inventory::slots_in_use(conn, &bench.incubator).await?.into_iter().collect();
    devices.incubator.slots.retain(|slot| !in_use.contains(slot));
    Ok(Ok(devices))
}

impl Devices {
    /// Those of the bench, of those `registered`.
    fn of(registered: &BTreeMap<String, Instrument>, bench: &Bench) -> std::result::Result<Self, Impossible> {
        Ok(Self {
            handler: profile(registered.get(&bench.handler), &bench.handler)?,
            incubator: profile(registered.get(&bench.incubator), &bench.incubator)?,
            reader: profile(registered.get(&bench.reader), &bench.reader)?,
        })
    }
}

/// What is registered of an instrument, or why it cannot be planned with.
fn profile<T: DeserializeOwned>(
    registered: Option<&Instrument>,
    name: &str,
) -> std::result::Result<T, Impossible> {
    let unfit = |why: String| Impossible::UnfitInstrument { instrument: name.to_owned(), why };
    let instrument =
        registered.ok_or_else(|| unfit("no instrument of this name is registered".to_owned()))?;
    if instrument.state == InstrumentState::Retired {
        return Err(unfit("it is retired".to_owned()));
    }
    T::deserialize(&instrument.profile).map_err(|error| unfit(format!("its profile says: {error}")))
}
