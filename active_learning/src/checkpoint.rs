//! A trained cell as bytes: a safetensors file whose metadata carries a JSON header.
//!
//! Layout (safetensors 0.3): eight bytes little-endian header length, JSON header, tensors row by row,
//! little-endian. Our own header stands in `__metadata__.loopwright`. Nothing in it runs code.

use crate::calibration::{Calibration, Reliability};
use crate::data::Block;
use crate::linear::columns::Layout;
use crate::model::Scale;
use crate::readouts::Described;
use crate::{Error, Result, tensor};
use jobs::work::learn::{ModelMetrics, ModelSpec};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tch::{Kind, Tensor};

/// Of the header and the meaning of tensors; raised with every change that an older reader would misread.
pub const VERSION: u32 = 5;

/// What is needed to use the tensors, and to say where they came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    pub version: u32,
    pub code_version: String,
    pub spec: ModelSpec,
    pub seed: u64,
    pub blocks: Vec<Block>,
    /// Known contexts, in the order of their parameters.
    pub contexts: Vec<String>,
    pub scale: Scale,
    /// The value of an experiment that does nothing: the median of what was measured.
    pub reference: f64,
    pub calibration: Calibration,
    pub metrics: ModelMetrics,
    /// What of `metrics.hit_ece` is chance; absent in checkpoints of before, and where nothing was held out.
    #[serde(default)]
    pub reliability: Option<Reliability>,
    /// Other screens entered.
    pub has_prior: bool,
    /// SHA-256 over the vocabulary the model was trained with.
    pub vocabulary: String,
    /// Hit calls came with the data; otherwise the most extreme of the cut stood in for them.
    pub hits_were_called: bool,
    /// Further readouts, in the order of their tensors.
    #[serde(default)]
    pub readouts: Vec<Described>,
    /// Columns of the linear family, and of the readouts, that not every model has.
    #[serde(default, skip_serializing_if = "Layout::is_plain")]
    pub layout: Layout,
}

/// Header and named tensors.
#[derive(Debug)]
pub struct Checkpoint {
    pub header: Header,
    pub tensors: BTreeMap<String, Tensor>,
}

#[derive(Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<i64>,
    data_offsets: (usize, usize),
}

impl Checkpoint {
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let header = serde_json::to_string(&self.header).map_err(|e| Error::Checkpoint(e.to_string()))?;
        let mut entries = serde_json::Map::new();
        entries.insert("__metadata__".into(), json!({ "loopwright": header }));
        let mut body = Vec::new();
        for (name, values) in &self.tensors {
            let from = body.len();
            let dtype = if values.kind() == Kind::Double {
                tensor::to_f64(values)?.iter().for_each(|v| body.extend_from_slice(&v.to_le_bytes()));
                "F64"
            } else {
                tensor::to_f32(values)?.iter().for_each(|v| body.extend_from_slice(&v.to_le_bytes()));
                "F32"
            };
            let entry = json!({ "dtype": dtype, "shape": values.size(), "data_offsets": [from, body.len()] });
            entries.insert(name.clone(), entry);
        }
        let head = Value::Object(entries).to_string();
        let mut bytes = (head.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(head.as_bytes());
        bytes.extend_from_slice(&body);
        Ok(bytes)
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let broken = |reason: &str| Error::Checkpoint(reason.to_owned());
        let (length, rest) = bytes.split_first_chunk::<8>().ok_or_else(|| broken("it is too short"))?;
        let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| broken("header too long"))?;
        let (head, body) = rest.split_at_checked(length).ok_or_else(|| broken("it ends in its header"))?;
        let mut entries: BTreeMap<String, Value> =
            serde_json::from_slice(head).map_err(|e| Error::Checkpoint(e.to_string()))?;
        let metadata = entries.remove("__metadata__").unwrap_or_default();
        let own = metadata.get("loopwright").and_then(Value::as_str);
        let own = own.ok_or_else(|| broken("it is not a checkpoint of this program"))?;
        let header: Header = serde_json::from_str(own).map_err(|e| Error::Checkpoint(e.to_string()))?;
        if header.version != VERSION {
            return Err(Error::Checkpoint(format!("it has version {}, not {VERSION}", header.version)));
        }
        let tensors = entries.into_iter().map(|(name, entry)| {
            let entry: Entry = serde_json::from_value(entry).map_err(|e| Error::Checkpoint(e.to_string()))?;
            let values = read_tensor(&entry, body)?;
            Ok((name, values))
        });
        Ok(Self { header, tensors: tensors.collect::<Result<_>>()? })
    }

    /// The tensor called `name`.
    pub fn tensor(&self, name: &str) -> Result<Tensor> {
        let found = self.tensors.get(name).map(Tensor::shallow_clone);
        found.ok_or_else(|| Error::Checkpoint(format!("it holds no tensor {name:?}")))
    }
}

fn read_tensor(entry: &Entry, body: &[u8]) -> Result<Tensor> {
    let (from, to) = entry.data_offsets;
    let raw = body.get(from..to).ok_or_else(|| Error::Checkpoint("a tensor lies outside the file".into()))?;
    let elements = entry.shape.iter().try_fold(1i64, |all, &size| all.checked_mul(size.max(0)));
    let (size, kind) = match entry.dtype.as_str() {
        "F32" => (4, Kind::Float),
        "F64" => (8, Kind::Double),
        other => return Err(Error::Checkpoint(format!("tensors of type {other} are not used here"))),
    };
    if elements.and_then(|count| usize::try_from(count).ok()?.checked_mul(size)) != Some(raw.len()) {
        return Err(Error::Checkpoint("a tensor's size and shape do not agree".into()));
    }
    if kind == Kind::Float {
        let values: Vec<f32> = raw.as_chunks::<4>().0.iter().map(|c| f32::from_le_bytes(*c)).collect();
        tensor::from_f32(&values, &entry.shape)
    } else {
        let values: Vec<f64> = raw.as_chunks::<8>().0.iter().map(|c| f64::from_le_bytes(*c)).collect();
        tensor::from_f64(&values, &entry.shape)
    }
}
