//! Many rows down many trees as tensors, a level at a time: what a GPU does with a forest. [`descent`](super::descent) is
//! faster on a processor.

use crate::linear::forest::Node;
use crate::{Result, tensor};
use tch::{Kind, Tensor};

/// `[nodes]` each. A leaf leads to itself.
struct Table {
    columns: Tensor,
    thresholds: Tensor,
    left: Tensor,
    right: Tensor,
    corrections: Tensor,
}

/// `[N]`, double precision: the corrections of the leaves that each row of `x`, `[N, P]`, comes to, added up. Columns of
/// `nodes` are below P, and children stand after their parents.
pub fn sums(nodes: &[Node], roots: &[u32], x: &Tensor) -> Result<Tensor> {
    let table = Table::of(nodes, x)?;
    let roots: Vec<i64> = roots.iter().map(|&root| i64::from(root)).collect();
    let shape = [x.size2()?.0, roots.len() as i64];
    let mut at = tensor::indices(&roots, x)?.f_unsqueeze(0)?.f_expand(shape, false)?.f_contiguous()?;
    for _ in 0..depth(nodes) {
        let below =
            x.f_gather(1, &table.columns.f_take(&at)?, false)?.f_lt_tensor(&table.thresholds.f_take(&at)?)?;
        at = table.left.f_take(&at)?.f_where_self(&below, &table.right.f_take(&at)?)?;
    }
    Ok(table.corrections.f_take(&at)?.f_sum_dim_intlist([1i64].as_slice(), false, Kind::Double)?)
}

impl Table {
    fn of(nodes: &[Node], like: &Tensor) -> Result<Self> {
        let places = || nodes.iter().zip(0i64..);
        let child = |node: &Node, at: i64, child: u32| if node.left == 0 { at } else { i64::from(child) };
        let whole = |values: Vec<i64>| tensor::indices(&values, like);
        let single = |values: Vec<f32>| -> Result<Tensor> {
            Ok(tensor::from_f32(&values, &[-1])?.f_to_device(like.device())?)
        };
        Ok(Self {
            columns: whole(nodes.iter().map(|node| i64::from(node.column)).collect())?,
            thresholds: single(nodes.iter().map(|node| node.threshold).collect())?,
            left: whole(places().map(|(node, at)| child(node, at, node.left)).collect())?,
            right: whole(places().map(|(node, at)| child(node, at, node.right)).collect())?,
            corrections: single(nodes.iter().map(|node| node.correction).collect())?
                .f_to_kind(Kind::Double)?,
        })
    }
}

/// Steps of the longest path.
fn depth(nodes: &[Node]) -> usize {
    let mut levels = vec![0; nodes.len()];
    for (at, node) in nodes.iter().enumerate().filter(|(_, node)| node.left != 0) {
        for child in [node.left, node.right] {
            if let Some(level) = levels.get(child as usize).map(|level: &usize| (*level).max(levels[at] + 1))
            {
                levels[child as usize] = level;
            }
        }
    }
    levels.into_iter().max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linear::forest::{Forest, Rows, Surprise};
    use crate::seed::{self, Purpose};

    /// A forest of 300 random rows of 7 columns, hits where two of them are high.
    fn grown() -> (Forest, Vec<f32>) {
        let mut rng = seed::stream(4, Purpose::Trees);
        let values = seed::normals(&mut rng, 300 * 7);
        let hit = |row: &[f32]| if row[1] > 0.2 && row[4] > 0.0 { 1.0 } else { 0.0 };
        let surprises: Vec<Surprise> = values.chunks(7).map(|row| Surprise::of(hit(row), 0.2)).collect();
        (Forest::fit(Rows { values: &values, width: 7 }, &surprises, &mut rng), values)
    }

    #[test]
    fn levels_come_to_the_leaves_that_paths_come_to() {
        let (forest, trained) = grown();
        let depth = depth(&forest.nodes);
        assert!((8..40).contains(&depth), "{depth} levels: fewer would show nothing");
        let new = seed::normals(&mut seed::stream(5, Purpose::Trees), 500 * 7);
        for values in [&trained, &new] {
            let x = tensor::from_f32(values, &[-1, 7]).unwrap();
            let said = tensor::to_f64(&sums(&forest.nodes, &forest.roots, &x).unwrap()).unwrap();
            let trees = forest.roots.len() as f64;
            let by_paths = forest.corrections(Rows { values, width: 7 });
            assert!(by_paths.iter().any(|moved| moved.abs() > 0.1));
            // Double precision, added up in another order.
            let near = said.iter().zip(&by_paths).all(|(one, other)| (one / trees - other).abs() < 1e-12);
            assert!(near && said.len() == by_paths.len());
        }
    }

    #[test]
    fn a_forest_of_leaves_is_their_sum() {
        let leaf = |correction: f32| Node { correction, ..Node::default() };
        let x = tensor::from_f32(&[1.0, 2.0], &[2, 1]).unwrap();
        let said = sums(&[leaf(0.5), leaf(0.25)], &[0, 1], &x).unwrap();
        assert_eq!(tensor::to_f64(&said).unwrap(), [0.75, 0.75]);
    }
}
