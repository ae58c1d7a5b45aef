//! Hit calls of other screens by rows of the vocabulary: labels to learn a representation from, before this screen has any.

use crate::prior::PriorScreens;
use crate::{Result, tensor};
use std::collections::HashMap;
use tch::{Device, Kind, Tensor};

/// G genes that S screens of as many `studies` or fewer know.
#[derive(Debug)]
pub struct Calls {
    /// `[G + 1, S]`, bytes: 1 a hit, 0 none, -1 not measured; the last gene is in no screen.
    calls: Tensor,
    /// `[rows of the vocabulary]`: the gene of each.
    genes: Tensor,
    /// `[S]`: the study of each screen, from 0.
    pub study: Tensor,
    pub studies: usize,
    /// `[1, S]`: what each screen counts.
    pub weights: Tensor,
}

impl Calls {
    /// `genes`: of each row of the vocabulary, the place among those of `screens`.
    pub fn of(screens: &PriorScreens, weights: &[f64], genes: &[Option<usize>]) -> Result<Self> {
        let count = screens.screens.len();
        let call = |call: &f32| if call.is_nan() { -1i8 } else { i8::from(*call > 0.5) };
        let calls: Vec<i8> = screens.hit.iter().map(call).chain(std::iter::repeat_n(-1, count)).collect();
        let last = screens.genes.len();
        let genes: Vec<i64> = genes.iter().map(|gene| gene.unwrap_or(last) as i64).collect();
        let (study, studies) = studies(&screens.groups, count);
        Ok(Self {
            calls: Tensor::f_from_slice(&calls)?.f_reshape([-1, count as i64])?,
            genes: Tensor::f_from_slice(&genes)?,
            study: Tensor::f_from_slice(&study)?,
            studies,
            weights: tensor::from_f64(weights, &[1, count as i64])?.f_to_kind(Kind::Float)?,
        })
    }

    pub fn screens(&self) -> i64 {
        self.study.numel() as i64
    }

    /// `[n, S]` each, of `rows` of the vocabulary: 1 a hit; and 1 where it was measured.
    pub fn of_rows(&self, rows: &Tensor, device: Device) -> Result<(Tensor, Tensor)> {
        let genes = self.genes.f_index_select(0, rows)?;
        let calls = self.calls.f_index_select(0, &genes)?.f_to_device(device)?;
        let is = |what: Tensor| what.f_to_kind(Kind::Float);
        Ok((is(calls.f_gt(0)?)?, is(calls.f_ge(0)?)?))
    }
}

/// A screen of which no study is known is one by itself.
fn studies(groups: &[String], screens: usize) -> (Vec<i64>, usize) {
    let mut numbers: HashMap<&str, i64> = HashMap::new();
    let mut count = 0;
    let study = (0..screens).map(|screen| {
        let mut new = || {
            count += 1;
            count - 1
        };
        match groups.get(screen).map(String::as_str).filter(|group| !group.is_empty()) {
            Some(group) => *numbers.entry(group).or_insert_with(new),
            None => new(),
        }
    });
    let study = study.collect();
    (study, count as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn calls_are_by_row_and_what_was_not_measured_is_no_miss() {
        let text = "screen_id,group,gene,score,hit\na,g,A,1,1\na,g,B,2,0\na,g,C,3,0\nb,,A,1,0\nb,,B,2,1\nb,,D,3,0\n\
                    c,g,A,1,0\nc,g,B,2,0\nc,g,C,3,1\n";
        let screens = PriorScreens::read("p", text.as_bytes(), &HashSet::new(), &HashSet::new()).unwrap();
        let gene = |name: &str| screens.index.get(name).copied();
        let calls = Calls::of(&screens, &[0.5, 1.0, 0.5], &[gene("D"), gene("A"), None]).unwrap();
        assert_eq!((calls.screens(), calls.studies), (3, 2), "`b` is a study by itself");
        assert_eq!(Vec::<i64>::try_from(&calls.study).unwrap(), [0, 1, 0]);
        let rows = Tensor::from_slice(&[1i64, 0, 2]);
        let (hits, measured) = calls.of_rows(&rows, Device::Cpu).unwrap();
        assert_eq!(tensor::to_f32(&hits).unwrap(), [1., 0., 0., 0., 0., 0., 0., 0., 0.]);
        assert_eq!(tensor::to_f32(&measured).unwrap(), [1., 1., 1., 0., 1., 0., 0., 0., 0.]);
    }
}
