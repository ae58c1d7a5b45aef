//! Extremely randomised trees (Geurts, Ernst & Wehenkel 2006) that correct given log-odds of a hit.
//!
//! Each tree sees all rows; a node looks at a random share of the columns, cuts each at one random place, and
//! keeps the cut that explains most. A leaf moves the log-odds by one damped Newton step (Friedman 2001):
//! sum of (outcome - probability) over (sum of probability (1 - probability) + [`DAMPING`]). Where nothing was
//! measured, and where the given log-odds hold, nothing moves.

use crate::device::HOST;
use crate::linear::{descent, levels};
use crate::{Result, tensor};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use tch::Tensor;

const TREES: usize = 200;
/// Rows a leaf holds at least.
const LEAF: usize = 2;
/// A node looks at one in this many columns.
const COLUMN_SHARE: usize = 5;
/// Draws leaves to no correction: about five rows at a base rate of one in four.
const DAMPING: f64 = 1.0;

/// Rows of equal width, row by row.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    pub values: &'a [f32],
    pub width: usize,
}

impl<'a> Rows<'a> {
    pub fn row(&self, row: usize) -> &'a [f32] {
        self.values.get(row * self.width..(row + 1) * self.width).unwrap_or_default()
    }

    fn at(&self, row: usize, column: usize) -> f32 {
        self.values.get(row * self.width + column).copied().unwrap_or(0.0)
    }
}

/// One row's outcome against the log-odds that it was given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Surprise {
    gradient: f64,
    curvature: f64,
}

impl Surprise {
    pub fn of(hit: f64, probability: f64) -> Self {
        Self { gradient: hit - probability, curvature: (probability * (1.0 - probability)).max(1e-6) }
    }
}

/// A node: a cut, or a leaf where `left` is 0 (the root is nobody's child).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Node {
    pub column: u32,
    pub threshold: f32,
    pub left: u32,
    pub right: u32,
    /// Of a leaf.
    pub correction: f32,
}

/// Trees one after another; no trees correct nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Forest {
    pub nodes: Vec<Node>,
    pub roots: Vec<u32>,
}

#[derive(Clone, Copy, Default)]
struct Sums {
    gradient: f64,
    curvature: f64,
    rows: usize,
}

impl Sums {
    fn add(&mut self, row: &Surprise) {
        self.gradient += row.gradient;
        self.curvature += row.curvature;
        self.rows += 1;
    }

    fn without(self, other: Self) -> Self {
        Self {
            gradient: self.gradient - other.gradient,
            curvature: self.curvature - other.curvature,
            rows: self.rows - other.rows,
        }
    }

    fn explained(&self) -> f64 {
        self.gradient * self.gradient / (self.curvature + DAMPING)
    }

    fn correction(&self) -> f64 {
        self.gradient / (self.curvature + DAMPING)
    }
}

struct Cut {
    column: usize,
    threshold: f32,
    gain: f64,
}

struct Grower<'a> {
    rows: Rows<'a>,
    surprises: &'a [Surprise],
    columns: Vec<usize>,
    rng: &'a mut ChaCha8Rng,
    nodes: Vec<Node>,
}

impl Forest {
    /// `rows` and `surprises` are of the same length.
    pub fn fit(rows: Rows, surprises: &[Surprise], rng: &mut ChaCha8Rng) -> Self {
        let columns = (0..rows.width).collect();
        let mut grower = Grower { rows, surprises, columns, rng, nodes: Vec::new() };
        let roots = (0..TREES).map(|_| {
            let root = grower.nodes.len() as u32;
            grower.grow((0..surprises.len()).collect());
            root
        });
        let roots = roots.collect();
        Self { nodes: grower.nodes, roots }
    }

    /// How far the log-odds of each of `rows` move: the mean over trees.
    pub fn corrections(&self, rows: Rows) -> Vec<f64> {
        let mut moved = descent::sums(&self.nodes, &self.roots, rows);
        let trees = self.roots.len().max(1) as f64;
        moved.iter_mut().for_each(|sum| *sum /= trees);
        moved
    }

    /// The same of `x`, `[N, P]`, single precision, wherever it is.
    pub fn corrections_of(&self, x: &Tensor) -> Result<Vec<f64>> {
        let width = usize::try_from(x.size2()?.1).unwrap_or(0);
        // Loops of our own are twice as fast as tensors on a processor; and a column that is not there, which no tensor
        // can gather, is theirs wherever `x` is.
        if x.device() == HOST || self.nodes.iter().any(|node| node.column as usize >= width) {
            return Ok(self.corrections(Rows { values: &tensor::to_f32(x)?, width }));
        }
        let trees = self.roots.len().max(1) as f64;
        tensor::to_f64(&levels::sums(&self.nodes, &self.roots, x)?.f_div_scalar(trees)?)
    }

    /// Whether every path ends: children exist, and come after their parents.
    pub fn is_sound(&self) -> bool {
        let exists = |at: u32| (at as usize) < self.nodes.len();
        let later = |(at, node): (usize, &Node)| {
            node.left == 0
                || [node.left, node.right].iter().all(|&child| child as usize > at && exists(child))
        };
        self.nodes.iter().enumerate().all(later) && self.roots.iter().all(|&root| exists(root))
    }
}

impl Grower<'_> {
    /// Grows the tree of `members` behind the last node; children come after their parent.
    fn grow(&mut self, members: Vec<usize>) {
        let root = self.nodes.len();
        self.nodes.push(Node::default());
        let mut open = vec![(root, members)];
        while let Some((at, members)) = open.pop() {
            let Some(cut) = self.best_cut(&members) else {
                self.nodes[at].correction = self.sums(&members).correction() as f32;
                continue;
            };
            let left = self.nodes.len();
            self.nodes.extend([Node::default(); 2]);
            self.nodes[at] = Node {
                column: cut.column as u32,
                threshold: cut.threshold,
                left: left as u32,
                right: left as u32 + 1,
                correction: 0.0,
            };
            let below = |row: &usize| self.rows.at(*row, cut.column) < cut.threshold;
            let (low, high) = members.into_iter().partition(below);
            open.push((left, low));
            open.push((left + 1, high));
        }
    }

    fn sums(&self, members: &[usize]) -> Sums {
        let mut sums = Sums::default();
        members.iter().for_each(|&row| sums.add(&self.surprises[row]));
        sums
    }

    /// The best of one random cut in each of some random columns; `None` where nothing is to be told apart.
    fn best_cut(&mut self, members: &[usize]) -> Option<Cut> {
        let hits = members.iter().filter(|&&row| self.surprises[row].gradient > 0.0).count();
        if members.len() < 2 * LEAF || hits == 0 || hits == members.len() {
            return None;
        }
        let total = self.sums(members);
        let wanted = self.columns.len().div_ceil(COLUMN_SHARE);
        let (mut looked_at, mut best) = (0, None::<Cut>);
        for place in 0..self.columns.len() {
            if looked_at == wanted {
                break;
            }
            let other = self.rng.random_range(place..self.columns.len());
            self.columns.swap(place, other);
            let column = self.columns[place];
            let Some(threshold) = self.random_threshold(members, column) else { continue };
            looked_at += 1;
            let gain = self.gain(members, column, threshold, total);
            if gain.is_some_and(|gain| best.as_ref().is_none_or(|best| gain > best.gain)) {
                best = Some(Cut { column, threshold, gain: gain.unwrap_or_default() });
            }
        }
        best
    }

    /// Uniform between the column's ends among `members`; `None` for a constant column.
    fn random_threshold(&mut self, members: &[usize], column: usize) -> Option<f32> {
        let mut ends = (f32::INFINITY, f32::NEG_INFINITY);
        for &row in members {
            let value = self.rows.at(row, column);
            ends = (ends.0.min(value), ends.1.max(value));
        }
        let (low, high) = ends;
        // Drawn from the upper end down: both sides hold a row.
        (high > low).then(|| high - (high - low) * self.rng.random::<f32>()).map(|cut| cut.max(low.next_up()))
    }

    fn gain(&self, members: &[usize], column: usize, threshold: f32, total: Sums) -> Option<f64> {
        let mut left = Sums::default();
        for &row in members {
            if self.rows.at(row, column) < threshold {
                left.add(&self.surprises[row]);
            }
        }
        let right = total.without(left);
        let fits = left.rows >= LEAF && right.rows >= LEAF;
        fits.then(|| left.explained() + right.explained() - total.explained())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::{self, Purpose};

    /// Rows of two columns; hits where both are high: no line tells them apart from the rest well.
    fn corner() -> (Vec<f32>, Vec<f64>) {
        let at = |i: usize| [(i % 20) as f32 / 20.0, (i / 20) as f32 / 20.0];
        let values: Vec<f32> = (0..400).flat_map(at).collect();
        let hits = values.chunks(2).map(|v| f64::from(u8::from(v[0] > 0.5 && v[1] > 0.5))).collect();
        (values, hits)
    }

    fn correction(forest: &Forest, row: &[f32]) -> f64 {
        forest.corrections(Rows { values: row, width: row.len() })[0]
    }

    fn grown(values: &[f32], hits: &[f64], probability: f64) -> Forest {
        let surprises: Vec<Surprise> = hits.iter().map(|&hit| Surprise::of(hit, probability)).collect();
        let mut rng = seed::stream(1, Purpose::Trees);
        Forest::fit(Rows { values, width: 2 }, &surprises, &mut rng)
    }

    #[test]
    fn a_corner_is_found_and_the_rest_is_lowered() {
        let (values, hits) = corner();
        let forest = grown(&values, &hits, 0.2);
        assert!(correction(&forest, &[0.9, 0.9]) > 1.0);
        assert!([[0.1, 0.1], [0.1, 0.9], [0.9, 0.1]].iter().all(|row| correction(&forest, row) < -0.3));
    }

    #[test]
    fn the_same_seed_grows_the_same_trees() {
        let (values, hits) = corner();
        assert_eq!(grown(&values, &hits, 0.2), grown(&values, &hits, 0.2));
    }

    #[test]
    fn a_single_leaf_is_the_damped_newton_step() {
        // Constant columns cannot be cut: 3 hits in 10 at probability .1: (3 - 1) / (.9 + 1).
        let hits = [1., 1., 1., 0., 0., 0., 0., 0., 0., 0.];
        let forest = grown(&[0.5; 20], &hits, 0.1);
        assert!((correction(&forest, &[0.5, 0.5]) - 2.0 / 1.9).abs() < 1e-6);
    }

    #[test]
    fn no_rows_correct_nothing() {
        assert_eq!(correction(&grown(&[], &[], 0.1), &[1.0, 1.0]), 0.0);
        assert_eq!(correction(&Forest::default(), &[1.0]), 0.0);
    }

    /// One row, one tree, one path: what the loops over blocks and lanes have to come to.
    fn by_hand(forest: &Forest, row: &[f32]) -> f64 {
        let path = |root: &u32| {
            let mut node = forest.nodes[*root as usize];
            while node.left != 0 {
                let left = row[node.column as usize] < node.threshold;
                node = forest.nodes[if left { node.left } else { node.right } as usize];
            }
            f64::from(node.correction)
        };
        forest.roots.iter().map(path).sum::<f64>() / forest.roots.len() as f64
    }

    #[test]
    fn many_rows_say_what_each_says_alone() {
        let (values, hits) = corner();
        let forest = grown(&values, &hits, 0.2);
        // More than two blocks and no whole number of lanes.
        let many: Vec<f32> = values.iter().cycle().take(2 * 1_157).copied().collect();
        let alone: Vec<f64> = many.chunks(2).map(|row| by_hand(&forest, row)).collect();
        assert_eq!(forest.corrections(Rows { values: &many, width: 2 }), alone);
    }
}
