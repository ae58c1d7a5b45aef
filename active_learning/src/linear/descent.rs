//! Many rows down many trees.
//!
//! A block of rows and one tree at a time lie on a [`Desk`] whose arrays are as long as 16 bits can count, so that no
//! index need be checked. Some rows go down beside each other, so that the processor need not wait for one's node before
//! it looks at the next one's; no branch depends on a row's values, which nobody could foretell. After as many steps as
//! a path usually has, those that are not at a leaf go on by themselves. A row's sum is over trees in their order,
//! whatever block, lane or thread it is in: to the bit what one row, one tree, one path would give.

use crate::linear::forest::{Node, Rows};
use crate::threads;

/// Rows that go down all trees one after another.
const BLOCK: usize = 128;
/// Rows that go down a tree beside each other.
const LANES: usize = 8;
/// Steps that every row takes, at a leaf or not; a path among trees of 640 rows has 9 in the mean.
const STEPS: usize = 9;
/// What 16 bits can name: values of a block, nodes of a tree.
const SPACE: usize = 1 << 16;

/// A node to step on. Below the threshold to `left`, else to the node after it.
#[derive(Clone, Copy, Default)]
struct Step {
    threshold: f32,
    left: u16,
    column: u16,
}

impl Step {
    /// Of the node at `at`, both counted from the `root`. A leaf leads to itself: nothing is below NaN.
    fn of(node: &Node, at: usize, root: u32) -> Option<Self> {
        if node.left == 0 {
            return Some(Self { threshold: f32::NAN, left: (at as u16).wrapping_sub(1), column: 0 });
        }
        let left = u16::try_from(node.left.checked_sub(root)?).ok()?;
        let adjacent = node.right == node.left + 1 && left < u16::MAX;
        let column = u16::try_from(node.column).ok()?;
        adjacent.then_some(Self { threshold: node.threshold, left, column })
    }

    fn next(self, below: bool) -> u16 {
        self.left.wrapping_add(u16::from(!below))
    }

    fn is_leaf(self, at: u16) -> bool {
        self.left == at.wrapping_sub(1)
    }
}

/// The corrections of the leaves that each row comes to, added up.
pub fn sums(nodes: &[Node], roots: &[u32], rows: Rows) -> Vec<f64> {
    let mut sums = vec![0.0; rows.values.len() / rows.width.max(1)];
    let trees = if rows.width <= SPACE / LANES { trees(nodes, roots) } else { None };
    threads::over(&mut sums, BLOCK, |first, sums| match &trees {
        Some(trees) => over_blocks(trees, rows, first, sums),
        None => one_by_one(nodes, roots, rows, first, sums),
    });
    sums
}

/// Steps of a tree, and the corrections of its leaves.
type Tree<'a> = (Vec<Step>, &'a [Node]);

/// `None` where a tree is too large, or not of a piece.
fn trees<'a>(nodes: &'a [Node], roots: &[u32]) -> Option<Vec<Tree<'a>>> {
    let ends = roots.iter().skip(1).map(|&end| end as usize).chain([nodes.len()]);
    let tree = |(&root, end): (&u32, usize)| {
        let own = nodes.get(root as usize..end)?;
        let steps: Option<Vec<Step>> =
            own.iter().enumerate().map(|(at, node)| Step::of(node, at, root)).collect();
        let inside = |step: &Step| step.threshold.is_nan() || usize::from(step.left) + 1 < own.len();
        steps.filter(|steps| steps.len() <= SPACE && steps.iter().all(inside)).map(|steps| (steps, own))
    };
    roots.iter().zip(ends).map(tree).collect()
}

fn over_blocks(trees: &[Tree], rows: Rows, first: usize, sums: &mut [f64]) {
    let mut desk = Desk::new(rows.width);
    let block = (SPACE / rows.width.max(1)).min(BLOCK) / LANES * LANES;
    for (number, sums) in sums.chunks_mut(block).enumerate() {
        let start = (first + number * block) * rows.width;
        let values = rows.values.get(start..start + sums.len() * rows.width).unwrap_or_default();
        desk.rows[..values.len()].copy_from_slice(values);
        for (steps, nodes) in trees {
            desk.tree[..steps.len()].copy_from_slice(steps);
            let leaves = desk.leaves(sums.len());
            let corrections = leaves.iter().filter_map(|&leaf| nodes.get(usize::from(leaf)));
            sums.iter_mut().zip(corrections).for_each(|(sum, leaf)| *sum += f64::from(leaf.correction));
        }
    }
}

/// A block of rows, and one tree.
struct Desk {
    width: usize,
    rows: Box<[f32; SPACE]>,
    tree: Box<[Step; SPACE]>,
}

impl Desk {
    fn new(width: usize) -> Self {
        Self { width, rows: Box::new([0.0; SPACE]), tree: Box::new([Step::default(); SPACE]) }
    }

    /// Where the row whose values begin at `base` comes to from `at`.
    fn step(&self, at: u16, base: u16) -> u16 {
        let step = self.tree[usize::from(at)];
        step.next(self.rows[usize::from(base.wrapping_add(step.column))] < step.threshold)
    }

    /// Where the first `count` rows end, at most [`BLOCK`].
    fn leaves(&self, count: usize) -> [u16; BLOCK] {
        let mut ends = [0; BLOCK];
        // Rows that are not at a leaf yet, and where they are: the first `open` count.
        let mut under_way = [(0, 0); BLOCK];
        let mut open = 0;
        for (lanes, ends) in ends.chunks_exact_mut(LANES).enumerate().take(count.div_ceil(LANES)) {
            let row = |lane: usize| lanes * LANES + lane;
            let bases: [u16; LANES] = std::array::from_fn(|lane| (row(lane) * self.width) as u16);
            let mut at = [0; LANES];
            for _ in 0..STEPS {
                at.iter_mut().zip(bases).for_each(|(at, base)| *at = self.step(*at, base));
            }
            ends.copy_from_slice(&at);
            for (lane, at) in at.into_iter().enumerate() {
                under_way[open % BLOCK] = (row(lane), at);
                open += usize::from(!self.tree[usize::from(at)].is_leaf(at));
            }
        }
        while open > 0 {
            let mut left = 0;
            for place in 0..open.min(BLOCK) {
                let (row, at) = under_way[place];
                let next = self.step(at, (row * self.width) as u16);
                ends[row % BLOCK] = next;
                under_way[left % BLOCK] = (row, next);
                left += usize::from(!self.tree[usize::from(next)].is_leaf(next));
            }
            open = left;
        }
        ends
    }
}

/// The same, for what no desk has room for.
fn one_by_one(nodes: &[Node], roots: &[u32], rows: Rows, first: usize, sums: &mut [f64]) {
    for (row, sum) in sums.iter_mut().enumerate() {
        let values = rows.row(first + row);
        *sum = roots.iter().map(|&root| f64::from(leaf(nodes, root, values).correction)).sum();
    }
}

/// A column that the row does not have is 0, as anything that nobody knows.
fn leaf(nodes: &[Node], root: u32, row: &[f32]) -> Node {
    let node = |at: u32| nodes.get(at as usize).copied().unwrap_or_default();
    let mut here = node(root);
    while here.left != 0 {
        let below = row.get(here.column as usize).copied().unwrap_or(0.0) < here.threshold;
        here = node(if below { here.left } else { here.right });
    }
    here
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A path of `depth` cuts of one column at 1, 2, 3 .. whose right ends are leaves that say how deep they are.
    fn path(depth: u32) -> Vec<Node> {
        let mut nodes = Vec::new();
        for level in 0..depth {
            let left = 2 * level + 1;
            let threshold = (depth - level) as f32;
            nodes.push(Node { column: 1, threshold, left, right: left + 1, correction: 0.0 });
            nodes.push(Node { correction: (level + 1) as f32, ..Node::default() });
        }
        // The cut of the next level stands where the left child is, its leaf behind it.
        let mut ordered = vec![Node::default(); nodes.len() + 1];
        for (level, pair) in nodes.chunks_exact(2).enumerate() {
            let at = if level == 0 { 0 } else { 2 * level - 1 };
            ordered[at] = pair[0];
            ordered[2 * level + 2] = pair[1];
        }
        ordered[2 * depth as usize - 1] = Node { correction: 0.5, ..Node::default() };
        ordered
    }

    fn rows(values: &[f32]) -> Vec<f32> {
        values.iter().flat_map(|&value| [f32::NAN, value, 0.0]).collect()
    }

    #[test]
    fn paths_longer_than_the_sure_steps_end_where_they_should() {
        let nodes = path(40);
        let values: Vec<f32> = (0..300).map(|i| (i % 42) as f32).collect();
        let expected = |value: &f32| if *value < 1.0 { 0.5 } else { f64::from((41.0 - value).max(1.0)) };
        let by_hand: Vec<f64> = values.iter().map(expected).collect();
        assert!(trees(&nodes, &[0]).is_some());
        assert_eq!(sums(&nodes, &[0], Rows { values: &rows(&values), width: 3 }), by_hand);
    }

    #[test]
    fn what_no_desk_has_room_for_goes_one_by_one() {
        let nodes = path(40_000);
        assert!(trees(&nodes, &[0]).is_none(), "more nodes than 16 bits name");
        let values: Vec<f32> = [0.0, 1.0, 39_999.0, 40_000.0].to_vec();
        let said = sums(&nodes, &[0], Rows { values: &rows(&values), width: 3 });
        assert_eq!(said, [0.5, 40_000.0, 2.0, 1.0]);
        // And rows too wide.
        let wide: Vec<f32> =
            (0..2).flat_map(|row| (0..SPACE).map(move |at| (row * at.min(9)) as f32)).collect();
        assert_eq!(sums(&path(3), &[0], Rows { values: &wide, width: SPACE }), [0.5, 3.0]);
    }

    #[test]
    fn trees_that_are_not_of_a_piece_are_not_put_on_the_desk() {
        let mut nodes = path(3);
        nodes.extend(path(2));
        // The second tree's nodes count from its own root in `path`: they lead out of it.
        assert!(trees(&nodes, &[0, 7]).is_none());
    }
}
