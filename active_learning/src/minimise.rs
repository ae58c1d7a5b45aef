//! Limited-memory BFGS (Nocedal & Wright 2006, algorithm 7.5), each step halved until it helps enough.
//!
//! For smooth functions whose curvature is about one in every direction at the start, as minus a log posterior has in units
//! of its prior: then the first step needs no scale.

use crate::Result;
use std::collections::VecDeque;

/// Steps remembered.
const MEMORY: usize = 8;
/// Share of what the slope promises that a step has to gain (Armijo).
const LEAST_GAIN: f64 = 1e-4;
const MOST_HALVINGS: usize = 12;

/// A step, how the gradient changed along it, and the inverse of their product.
struct Step {
    moved: Vec<f64>,
    bent: Vec<f64>,
    inverse: f64,
}

/// From `start` on, at most `most_steps` steps, until one gains less than `enough`. `function`: value and gradient; a value
/// that is not finite is no place to go.
pub fn minimise(
    start: Vec<f64>,
    (most_steps, enough): (usize, f64),
    mut function: impl FnMut(&[f64]) -> Result<(f64, Vec<f64>)>,
) -> Result<Vec<f64>> {
    let mut at = start;
    let (mut value, mut gradient) = function(&at)?;
    let mut memory: VecDeque<Step> = VecDeque::new();
    for _ in 0..most_steps {
        let direction = direction(&memory, &gradient);
        let slope = dot(&direction, &gradient);
        if slope >= 0.0 {
            break;
        }
        let mut part = 1.0;
        let mut found = None;
        for _ in 0..MOST_HALVINGS {
            let tried: Vec<f64> = at.iter().zip(&direction).map(|(at, way)| at + part * way).collect();
            let (new, new_gradient) = function(&tried)?;
            if new <= value + LEAST_GAIN * part * slope {
                found = Some((tried, new, new_gradient));
                break;
            }
            part /= 2.0;
        }
        let Some((next, new, new_gradient)) = found else { break };
        let between = |one: &[f64], other: &[f64]| one.iter().zip(other).map(|(a, b)| a - b).collect();
        let (moved, bent): (Vec<f64>, Vec<f64>) = (between(&next, &at), between(&new_gradient, &gradient));
        let curvature = dot(&moved, &bent);
        // Where it bends the other way the step teaches nothing, and what was learnt is of elsewhere.
        if curvature > 1e-12 {
            memory.push_back(Step { moved, bent, inverse: curvature.recip() });
        } else {
            memory.clear();
        }
        if memory.len() > MEMORY {
            memory.pop_front();
        }
        let gained = value - new;
        (at, value, gradient) = (next, new, new_gradient);
        if gained < enough {
            break;
        }
    }
    Ok(at)
}

/// Minus the gradient times what the steps say of the inverse of the curvature (algorithm 7.4).
fn direction(memory: &VecDeque<Step>, gradient: &[f64]) -> Vec<f64> {
    let mut way: Vec<f64> = gradient.iter().map(|slope| -slope).collect();
    let add = |way: &mut [f64], times: f64, other: &[f64]| {
        way.iter_mut().zip(other).for_each(|(way, other)| *way += times * other);
    };
    let mut taken = Vec::with_capacity(memory.len());
    for step in memory.iter().rev() {
        let share = step.inverse * dot(&step.moved, &way);
        add(&mut way, -share, &step.bent);
        taken.push(share);
    }
    if let Some(last) = memory.back() {
        let scale = 1.0 / (last.inverse * dot(&last.bent, &last.bent));
        way.iter_mut().for_each(|way| *way *= scale);
    }
    for (step, share) in memory.iter().zip(taken.into_iter().rev()) {
        let back = share - step.inverse * dot(&step.bent, &way);
        add(&mut way, back, &step.moved);
    }
    way
}

fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bottom_of_a_bent_valley_is_found() {
        // Rosenbrock's: 0 at (1, 1).
        let mut asked = 0;
        let found = minimise(vec![-1.2, 1.0], (200, 1e-15), |at| {
            asked += 1;
            let (x, y) = (at[0], at[1]);
            let value = 100.0 * (y - x * x).powi(2) + (1.0 - x).powi(2);
            Ok((value, vec![-400.0 * x * (y - x * x) - 2.0 * (1.0 - x), 200.0 * (y - x * x)]))
        });
        let found = found.unwrap();
        assert!(found.iter().all(|x| (x - 1.0).abs() < 1e-4), "{found:?}");
        assert!(asked < 200, "{asked}");
    }

    #[test]
    fn one_step_is_enough_where_the_curvature_is_one() {
        let found = minimise(vec![3.0, -2.0], (1, 0.0), |at| Ok((0.5 * dot(at, at), at.to_vec()))).unwrap();
        assert_eq!(found, [0.0, 0.0]);
    }

    #[test]
    fn what_is_not_finite_is_not_entered() {
        // -ln(1 - x) has no value from 1 on; with x its minimum is at 0.
        let barrier = |at: &[f64]| {
            let value = if at[0] < 1.0 { -(1.0 - at[0]).ln() - at[0] } else { f64::INFINITY };
            Ok((value, vec![1.0 / (1.0 - at[0]) - 1.0]))
        };
        let found = minimise(vec![-4.0], (50, 1e-14), barrier).unwrap();
        assert!(found[0].abs() < 1e-3, "{found:?}");
    }
}
