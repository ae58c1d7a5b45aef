//! How a cost grows with the size of what is stored: pure.

use serde::Serialize;

/// The slope up to which a cost counts as flat: a hundred times as much costs three times as much at most.
const FLAT: f64 = 0.25;
/// The slope up to which it counts as linear; the tenth is noise.
const LINEAR: f64 = 1.1;

/// A size, and what something cost at it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Point {
    pub size: f64,
    pub cost: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Flat,
    Linear,
    Worse,
}

impl Verdict {
    pub fn of(slope: f64) -> Self {
        if slope <= FLAT {
            Verdict::Flat
        } else if slope <= LINEAR {
            Verdict::Linear
        } else {
            Verdict::Worse
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Flat => "flat",
            Verdict::Linear => "linear",
            Verdict::Worse => "worse",
        }
    }
}

/// Of the straight line through the logarithms of size and cost (least squares): 0 is flat, 1 linear. `None` of fewer
/// than two sizes.
pub fn slope(points: &[Point]) -> Option<f64> {
    let logs: Vec<(f64, f64)> = points.iter().map(|point| (point.size.ln(), point.cost.ln())).collect();
    let n = logs.len() as f64;
    let (x, y) =
        (logs.iter().map(|log| log.0).sum::<f64>() / n, logs.iter().map(|log| log.1).sum::<f64>() / n);
    let squares: f64 = logs.iter().map(|log| (log.0 - x).powi(2)).sum();
    let products: f64 = logs.iter().map(|log| (log.0 - x) * (log.1 - y)).sum();
    (squares > 0.0).then(|| products / squares)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(costs: &[f64]) -> Option<f64> {
        let points: Vec<Point> = costs
            .iter()
            .zip(1..)
            .map(|(cost, power)| Point { size: 10f64.powi(power), cost: *cost })
            .collect();
        slope(&points)
    }

    #[test]
    fn the_slope_is_the_power_of_the_size() {
        assert_eq!(of(&[5.0, 5.0, 5.0]), Some(0.0));
        assert!((of(&[2.0, 20.0, 200.0]).expect("three sizes") - 1.0).abs() < 1e-12);
        assert!((of(&[1.0, 100.0]).expect("two sizes") - 2.0).abs() < 1e-12);
        assert_eq!((of(&[1.0]), of(&[])), (None, None));
    }

    #[test]
    fn a_hundred_times_as_much_may_cost_three_times_as_much_and_be_flat() {
        let verdict = |costs: &[f64]| Verdict::of(of(costs).expect("sizes"));
        assert_eq!(verdict(&[1.0, 1.7, 3.0]), Verdict::Flat);
        assert_eq!(verdict(&[1.0, 8.0, 90.0]), Verdict::Linear);
        assert_eq!(verdict(&[1.0, 20.0, 400.0]), Verdict::Worse);
    }
}
