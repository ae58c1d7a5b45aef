//! Many rows down many trees.
//!
//! Trees are the outer loop over a block of rows, so that both stay in the cache; some rows go down a tree beside each
//! other, so that the processor need not wait for one's node before it looks at the next one's; and no branch depends on
//! a row's values, which nobody could foretell. A row's sum is over trees in their order, whatever block, lane or thread
//! it is in: to the bit what one row, one tree, one path would give.

use crate::linear::forest::{Node, Rows};
use crate::threads;

/// Rows that go down all trees one after another.
const BLOCK: usize = 128;
/// Rows that go down a tree beside each other.
const LANES: usize = 8;

/// A node to step on: a leaf leads to itself.
#[derive(Clone, Copy)]
struct Step {
    column: u32,
    threshold: f32,
    /// Below the threshold, and not.
    next: [u32; 2],
}

impl Step {
    fn of((node, at): (&Node, u32)) -> Self {
        let next = if node.left == 0 { [at, at] } else { [node.left, node.right] };
        Self { column: node.column, threshold: node.threshold, next }
    }
}

/// The corrections of the leaves that each row comes to, added up.
pub fn sums(nodes: &[Node], roots: &[u32], rows: Rows) -> Vec<f64> {
    let steps: Vec<Step> = nodes.iter().zip(0..).map(Step::of).collect();
    let mut sums = vec![0.0; rows.values.len() / rows.width.max(1)];
    threads::over(&mut sums, BLOCK, |first, sums| {
        for (block, sums) in sums.chunks_mut(BLOCK).enumerate() {
            for &root in roots {
                for (lanes, sums) in sums.chunks_mut(LANES).enumerate() {
                    let first = first + block * BLOCK + lanes * LANES;
                    let leaves = leaves(&steps, root, rows, first, sums.len());
                    let corrections = leaves.iter().filter_map(|&leaf| nodes.get(leaf as usize));
                    sums.iter_mut()
                        .zip(corrections)
                        .for_each(|(sum, leaf)| *sum += f64::from(leaf.correction));
                }
            }
        }
    });
    sums
}

/// Where `count` rows from `first` on, at most [`LANES`], end.
fn leaves(steps: &[Step], root: u32, rows: Rows, first: usize, count: usize) -> [u32; LANES] {
    let row_of: [&[f32]; LANES] = std::array::from_fn(|lane| rows.row(first + lane.min(count - 1)));
    let mut at = [root; LANES];
    loop {
        let mut moved = 0;
        for (at, row) in at.iter_mut().zip(row_of) {
            let step = &steps[*at as usize];
            // A column that the row does not have is 0, as anything that nobody knows.
            let value = row.get(step.column as usize).copied().unwrap_or(0.0);
            let below = value < step.threshold;
            let next = step.next[usize::from(!below)];
            moved |= next ^ *at;
            *at = next;
        }
        if moved == 0 {
            return at;
        }
    }
}
