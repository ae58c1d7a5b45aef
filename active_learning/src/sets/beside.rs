//! New rows beside those trained on, by whatever is fastest where they are.

use crate::device::HOST;
use crate::representation::Encoded;
use crate::sets::cross::Cross;
use crate::sets::gathered::Gathered;
use crate::sets::kernel::{Geometry, Within};
use crate::sets::process::Scaled;
use crate::{Result, tensor};
use tch::{Kind, Tensor};

/// Rows predicted at once: on the host what stays in the processor's cache, on a GPU what keeps it busy (64 MiB a tensor
/// with 4,096 rows trained on).
const ROWS: [i64; 2] = [1_024, 4_096];

pub(super) enum Beside {
    Loops(Cross),
    Tensors(Gathered),
}

/// Of some new rows.
pub(super) struct Weighted {
    /// `[count, N]`: the value's covariances with the rows trained on.
    pub covariances: Tensor,
    /// `[count]` each: what the value's process and the hit's add to their centres.
    pub means: [Vec<f64>; 2],
}

impl Beside {
    /// `new` and `trained` are on one device; `trained_likeness`: `[N, blocks]`.
    pub fn of(
        geometry: &Geometry,
        (new, within): (&Encoded, &Within),
        (trained, trained_likeness): (&Encoded, &Tensor),
    ) -> Result<Self> {
        let likeness = &within.likeness;
        if new.device() == HOST {
            return Ok(Self::Loops(Cross::new(geometry, new, trained, likeness, trained_likeness)?));
        }
        Ok(Self::Tensors(Gathered::new(geometry, new, trained, likeness, trained_likeness)?))
    }

    pub fn rows_at_once(&self) -> i64 {
        match self {
            Self::Loops(_) => ROWS[0],
            Self::Tensors(_) => ROWS[1],
        }
    }

    /// Of `count` new rows from `first` on, by the value's process and the hit's.
    pub fn weighted(&self, first: i64, count: i64, processes: [&Scaled; 2]) -> Result<Weighted> {
        match self {
            Self::Loops(cross) => {
                let values = cross.weighted(first as usize, count as usize, processes)?;
                let width = (values.len() / count.max(1) as usize) as i64;
                let mean = |place: usize| -> Vec<f64> {
                    let rows = values.chunks_exact(width as usize);
                    rows.map(|row| f64::from(row[width as usize - 2 + place])).collect()
                };
                Ok(Weighted {
                    means: [mean(0), mean(1)],
                    covariances: tensor::from_f32(&values, &[count, width])?.f_narrow(1, 0, width - 2)?,
                })
            }
            Self::Tensors(gathered) => {
                let covariances = gathered.weighted(first, count, processes)?;
                let mean = |place: usize| -> Result<Vec<f64>> {
                    let covariances = covariances[place].f_to_kind(Kind::Double)?;
                    let alpha = processes[place].process.alpha.f_to_device(covariances.device())?;
                    tensor::to_f64(&covariances.f_matmul(&alpha)?)
                };
                let means = [mean(0)?, mean(1)?];
                let [covariances, _] = covariances;
                Ok(Weighted { covariances, means })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::FeatureTable;
    use crate::representation::Vocabulary;
    use crate::sets::amplitude::Amplitudes;
    use crate::sets::around::Around;
    use crate::sets::process::{self, Doubt, Process};
    use crate::sets::student::{Student, boldness};
    use jobs::{Context, Experiment};

    /// Ten edits of two blocks, every third without the second.
    fn vocabulary() -> Vocabulary {
        let mut text = String::from("gene,a_0,a_1,a_2,b_0,b_1\n");
        for edit in 0..10 {
            let x = |k: i32| f64::from((edit * 7 + k * 5) % 11) - 5.0;
            let b = if edit % 3 == 0 { "0,0".to_owned() } else { format!("{},{}", x(3), x(4)) };
            text.push_str(&format!("E{edit},{},{},{},{b}\n", x(0), x(1), x(2)));
        }
        Vocabulary::build(&FeatureTable::read(text.as_bytes()).unwrap(), None).unwrap()
    }

    #[test]
    fn tensors_say_of_sets_what_loops_say() {
        let vocabulary = vocabulary();
        let geometry = Geometry::new(&vocabulary).unwrap();
        let encoded = |rows: &[(&str, &str)]| {
            let experiment = |(key, context): &(&str, &str)| Experiment {
                perturbation: key.parse().unwrap(),
                context: Context((*context).into()),
            };
            let experiments: Vec<Experiment> = rows.iter().map(experiment).collect();
            Encoded::of(&experiments, &vocabulary, &["line".to_owned(), "E4".to_owned()]).unwrap()
        };
        // Single edits, three, doses, contexts by features, by name and never seen, an edit that nobody knows.
        let trained =
            encoded(&[("E1+E2", "line"), ("E3+E4+E5", "E4"), ("E0@10uM", "line"), ("E7+X", "line")]);
        let new =
            encoded(&[("E1+E2", "line"), ("E6", "E4"), ("E1+E3+E8", "E4"), ("X+Y", "third"), ("E0", "line")]);
        let within = geometry.within(&new).unwrap();
        let likeness = geometry.likeness(&trained).unwrap();
        let amplitudes = Amplitudes {
            edits: [(1, 0.4), (3, -0.3), (7, 0.2)].into_iter().collect(),
            contexts: [(0, 0.3), (1, -0.2)].into_iter().collect(),
        };
        let process = |weights, alpha: [f64; 4]| Process {
            weights,
            noise: 1.0,
            centre: 0.0,
            amplitudes: amplitudes.clone(),
            alpha: tensor::from_f64(&alpha, &[4, 1]).unwrap(),
        };
        let value = process([0.3, 0.2, 0.5, 0.4, 0.1, 0.6], [0.5, -1.0, 2.0, 0.25]);
        let hit = process([0.7, 0.1, 0.9, 0.2, 0.3, 0.05], [1.5, 0.5, -0.5, 1.0]);
        let loops = Cross::new(&geometry, &new, &trained, &within.likeness, &likeness).unwrap();
        let gathered = Gathered::new(&geometry, &new, &trained, &within.likeness, &likeness).unwrap();
        let scaled = [&value, &hit].map(|process| Scaled::of(process, &new, &trained).unwrap());
        let said = [Beside::Loops(loops), Beside::Tensors(gathered)]
            .map(|beside| beside.weighted(1, 4, [&scaled[0], &scaled[1]]).unwrap());
        // Single precision, sums in another order.
        let near = |one: f64, other: f64| (one - other).abs() < 1e-5 * (1.0 + other.abs());
        let covariances = said.each_ref().map(|said| tensor::to_f64(&said.covariances).unwrap());
        assert_eq!(covariances[0].len(), 16);
        assert!(
            covariances[0].iter().zip(&covariances[1]).all(|(one, other)| near(*one, *other)),
            "{covariances:?}"
        );
        for place in [0, 1] {
            let pairs = said[0].means[place].iter().zip(&said[1].means[place]);
            assert!(pairs.clone().count() == 4 && pairs.clone().all(|(one, other)| near(*one, *other)));
        }
        // And so is how sure they are.
        let root = value
            .root(
                &geometry
                    .parts(&trained, &trained)
                    .unwrap()
                    .scaled(&amplitudes.between(&trained).unwrap())
                    .unwrap(),
            )
            .unwrap()
            .to_kind(Kind::Float);
        let of_new = scaled[0].of_new(&new).unwrap();
        let own =
            within.own.scaled(&of_new.square()).unwrap().weighted(&value.weights).unwrap().narrow(0, 1, 4);
        let around = Around::of(&geometry, &value, (&new, &within), (&trained, &likeness, &root)).unwrap();
        let around = around.at(1, 4).unwrap();
        // Without contexts and likeness the process says what is left of its forecast, and of its variance.
        let mut weights = value.weights;
        weights[4..].fill(0.0);
        let of_trained = tensor::from_f32(&scaled[0].trained, &[1, -1]).unwrap();
        let by = of_new.unsqueeze(1) * of_trained;
        let parts = geometry.parts(&new, &trained).unwrap().scaled(&by).unwrap();
        let of_edits = parts.weighted(&weights).unwrap().narrow(0, 1, 4);
        let by_hand = tensor::to_f64(&of_edits.to_kind(Kind::Double).matmul(&value.alpha)).unwrap();
        let length =
            process::solve(&of_edits, &root).unwrap().square().sum_dim_intlist(1i64, false, Kind::Float);
        let Doubt { foretold, .. } = process::doubt(&own, &said[0].covariances, &root, &around).unwrap();
        let left = said[0].means[0].iter().zip(&around.means).map(|(mean, around)| mean - around);
        assert!(left.zip(&by_hand).all(|(one, other)| near(one, *other)), "{by_hand:?}");
        let lengths = tensor::to_f64(&length).unwrap();
        assert!(
            foretold.iter().zip(&lengths).all(|(one, other)| near(*one, *other)),
            "{foretold:?} {lengths:?}"
        );
        let student = Student { freedom: 2.0, scale: 0.5 };
        let [loops, tensors] = said.map(|said| {
            let Doubt { sd, foretold } = process::doubt(&own, &said.covariances, &root, &around).unwrap();
            let of_edits = said.means[0].iter().zip(&around.means).map(|(mean, around)| mean - around);
            let bold = of_edits.zip(foretold).map(|(away, foretold)| boldness(away, foretold));
            bold.zip(sd).map(|(bold, sd)| student.factor(bold) * sd).collect::<Vec<f64>>()
        });
        assert!(loops.iter().zip(&tensors).all(|(one, other)| near(*one, *other)), "{loops:?} {tensors:?}");
        assert!(loops.iter().any(|one| (one - loops[0]).abs() > 0.1), "{loops:?}");
    }
}
