//! One bench: a world, its specimen and its faults, shared by every device.

use crate::faults::Faults;
use crate::library::initial_plates;
use crate::settings::{self, Laws, Settings};
use crate::specimen::Specimen;
use crate::specimen::reading::Observer;
use crate::world::{self, Event, World, log};
use chrono::Utc;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub struct Bench {
    pub settings: Settings,
    pub laws: Laws,
    pub specimen: Arc<dyn Specimen>,
    pub faults: Faults,
    /// A run of the liquid handler is under way: no plate of its deck may be touched.
    pub handler_busy: AtomicBool,
    world: Mutex<World>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Settings(#[from] settings::Error),
    #[error("making the folder {path}")]
    Folder {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the world")]
    World(#[from] world::Error),
    #[error(
        "{path} holds another world, created with {created}; this start asks for {asked}. \
         Start it with the settings it was created with, or choose another --dir"
    )]
    OtherWorld { path: PathBuf, created: String, asked: String },
}

impl Bench {
    /// The world of `settings.dir`: as its log says, or created now. `crash` ends the process when a
    /// fault asks for it.
    pub fn open(settings: Settings, crash: impl Fn() + Send + Sync + 'static) -> Result<Arc<Self>, Error> {
        let (specimen, laws) = settings.specimen()?;
        for folder in [settings.dir.clone(), settings.dir.join("reads")] {
            std::fs::create_dir_all(&folder).map_err(|source| Error::Folder { path: folder, source })?;
        }
        let world = open_world(&settings, &laws, specimen.as_ref())?;
        Ok(Arc::new(Self {
            settings,
            laws,
            specimen,
            faults: Faults::new(crash),
            handler_busy: AtomicBool::new(false),
            world: Mutex::new(world),
        }))
    }

    /// The world, for as long as nobody else needs it: hold it for one step.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn truth_path(&self) -> PathBuf {
        truth_path(&self.settings)
    }

    pub fn observer(&self) -> Observer<'_> {
        Observer {
            specimen: self.specimen.as_ref(),
            seed: self.laws.seed,
            saturating_dose: self.settings.saturating_dose(),
        }
    }
}

fn truth_path(settings: &Settings) -> PathBuf {
    settings.dir.join("truth.jsonl")
}

fn open_world(settings: &Settings, laws: &Laws, specimen: &dyn Specimen) -> Result<World, Error> {
    let path = truth_path(settings);
    let asked = serde_json::to_value(laws).map_err(|source| world::Error::Log(log::Error::Encode(source)))?;
    if !path.exists() {
        let plates = initial_plates(settings, specimen).into_iter().map(Event::PlateCreated);
        let genesis = std::iter::once(Event::WorldCreated { laws: asked }).chain(plates).collect();
        return Ok(World::create(&path, settings.fsync, Utc::now, genesis)?);
    }
    let mut world = World::replay(&path, settings.fsync, Utc::now)?;
    match world.state().laws() {
        Some(created) if *created == asked => {}
        created => {
            let created = created.map_or_else(|| "nothing".to_owned(), ToString::to_string);
            return Err(Error::OtherWorld { path, created, asked: asked.to_string() });
        }
    }
    world.record(Event::Restarted)?;
    Ok(world)
}
