//! Feature tables: what is known of an edit before anybody perturbs it, in blocks (modalities).

use crate::data::table::{Column, ColumnKind, Table, Words};
use crate::{Error, Result};
use std::borrow::Cow;
use std::collections::HashMap;

/// A modality: neighbouring columns that are there or missing together.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Block {
    pub name: String,
    /// First column.
    pub start: usize,
    /// Columns.
    pub width: usize,
}

/// Genes by numbers, with gaps.
#[derive(Clone, Debug, Default)]
pub struct FeatureTable {
    pub genes: Vec<String>,
    pub index: HashMap<String, usize>,
    pub blocks: Vec<Block>,
    /// `[genes, width]`, row by row, as in the file; 0 in missing blocks, NaN in a gap of a known one.
    pub values: Vec<f32>,
    /// `[genes, blocks]`: whether the block is known of the gene.
    pub present: Vec<bool>,
}

impl FeatureTable {
    /// Parses one table: a name (`gene`, `pubchem_cid`, `drug` or `cell_line`), then numeric columns named
    /// `block_index`, or fingerprints as hexadecimal in columns named `*_hex`, a block each. All numbers of a
    /// `cell_line` are one block.
    ///
    /// A block that is all zero (or empty) for a gene is missing there, as is every block of a gene that
    /// the table does not name.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let table = Table::read("feature table", bytes, kind_of_column)?;
        let key = KEYS.iter().find(|key| table.has(key)).unwrap_or(&KEYS[0]);
        let names = table.text(key)?;
        let (blocks, columns) = group_columns(&table, *key == "cell_line");
        if columns.is_empty() {
            let reason = format!("no numeric column beside `{key}`");
            return Err(Error::Table { table: "feature table", reason });
        }
        let columns: Vec<&[f32]> = columns.iter().map(|column| column.as_ref()).collect();
        let mut features = Self { blocks, ..Self::default() };
        for (row, gene) in names.iter().enumerate() {
            if gene.is_empty() || features.index.contains_key(gene) {
                continue;
            }
            features.index.insert(gene.to_owned(), features.genes.len());
            features.genes.push(gene.to_owned());
            features.push_row(&columns, row);
        }
        Ok(features)
    }

    /// Columns of all blocks together.
    pub fn width(&self) -> usize {
        self.blocks.iter().map(|block| block.width).sum()
    }

    pub fn row(&self, gene: usize) -> &[f32] {
        let width = self.width();
        self.values.get(gene * width..(gene + 1) * width).unwrap_or_default()
    }

    pub fn presence(&self, gene: usize) -> &[bool] {
        let count = self.blocks.len();
        self.present.get(gene * count..(gene + 1) * count).unwrap_or_default()
    }

    fn push_row(&mut self, columns: &[&[f32]], row: usize) {
        let from = self.values.len();
        self.values.extend(columns.iter().map(|column| column.get(row).copied().unwrap_or(f32::NAN)));
        let fresh = self.values.get_mut(from..).unwrap_or_default();
        for block in &self.blocks {
            let cells = fresh.get_mut(block.start..block.start + block.width).unwrap_or_default();
            let known = cells.iter().any(|cell| cell.is_finite() && *cell != 0.0);
            let nothing = if known { f32::NAN } else { 0.0 };
            cells.iter_mut().filter(|cell| !cell.is_finite()).for_each(|cell| *cell = nothing);
            self.present.push(known);
        }
    }

    /// Several tables side by side, over the union of their genes. A block name that comes twice gets the
    /// number of its table.
    pub fn join(tables: Vec<Self>) -> Self {
        let mut tables = tables;
        if tables.len() == 1
            && let Some(only) = tables.pop()
        {
            return only;
        }
        let mut joined = Self::default();
        for (number, table) in tables.iter().enumerate() {
            for block in &table.blocks {
                let taken = joined.blocks.iter().any(|other| other.name == block.name);
                let name = if taken { format!("{}.{}", block.name, number + 1) } else { block.name.clone() };
                joined.blocks.push(Block { name, start: joined.width(), width: block.width });
            }
            for gene in &table.genes {
                if !joined.index.contains_key(gene) {
                    joined.index.insert(gene.clone(), joined.genes.len());
                    joined.genes.push(gene.clone());
                }
            }
        }
        for gene in &joined.genes {
            for table in &tables {
                match table.index.get(gene) {
                    Some(&row) => {
                        joined.values.extend_from_slice(table.row(row));
                        joined.present.extend_from_slice(table.presence(row));
                    }
                    None => {
                        joined.values.extend(std::iter::repeat_n(0.0, table.width()));
                        joined.present.extend(std::iter::repeat_n(false, table.blocks.len()));
                    }
                }
            }
        }
        joined
    }
}

/// What rows are named by, the first that is there.
const KEYS: [&str; 4] = ["gene", "pubchem_cid", "drug", "cell_line"];

/// Other words that tables of compounds carry are left out.
fn kind_of_column(name: &str) -> Option<ColumnKind> {
    match name {
        "name" | "smiles" => None,
        key if KEYS.contains(&key) || key.ends_with("_hex") => Some(ColumnKind::Text),
        _ => Some(ColumnKind::Number),
    }
}

/// Columns ordered by block, blocks in order of appearance. `as_one`: all numbers are one block.
fn group_columns(table: &Table, as_one: bool) -> (Vec<Block>, Vec<Cow<'_, [f32]>>) {
    let mut grouped: Vec<(&str, Vec<Cow<[f32]>>)> = Vec::new();
    for (name, column) in &table.columns {
        let (block, new) = match column {
            Column::Number(values) if as_one => ("cell_line", vec![Cow::Borrowed(values.as_slice())]),
            Column::Number(values) => (block_name(name), vec![Cow::Borrowed(values.as_slice())]),
            Column::Text(words) => match name.strip_suffix("_hex") {
                Some(name) => (name, bits(words).into_iter().map(Cow::Owned).collect()),
                None => continue,
            },
        };
        match grouped.iter_mut().find(|(known, _)| *known == block) {
            Some((_, columns)) => columns.extend(new),
            None => grouped.push((block, new)),
        }
    }
    let mut start = 0;
    let mut blocks = Vec::new();
    let mut columns = Vec::new();
    for (name, members) in grouped {
        blocks.push(Block { name: name.to_owned(), start, width: members.len() });
        start += members.len();
        columns.extend(members);
    }
    (blocks, columns)
}

/// One column a bit, most significant first; as many as the longest has.
fn bits(words: &Words) -> Vec<Vec<f32>> {
    let digits = words.words.iter().map(String::len).max().unwrap_or(0);
    let of = |word: &str, bit: usize| {
        let digit = word.as_bytes().get(bit / 4).and_then(|&byte| char::from(byte).to_digit(16)).unwrap_or(0);
        ((digit >> (3 - bit % 4)) & 1) as f32
    };
    (0..4 * digits).map(|bit| words.iter().map(|word| of(word, bit)).collect()).collect()
}

/// `go_17` is of block `go`, `cell_line_3` of `cell_line`; `scalar_log1p_ppi`, whose index is a word, of `scalar`.
fn block_name(column: &str) -> &str {
    match column.rsplit_once('_') {
        Some((block, index)) if index.bytes().all(|byte| byte.is_ascii_digit()) => block,
        _ => column.split_once('_').map_or(column, |(block, _)| block),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_all_zero_is_missing() {
        let table = FeatureTable::read(b"gene,a_0,a_1,b_0\nX,0,0,2\nY,1,,0\n").unwrap();
        assert_eq!(table.blocks.iter().map(|b| b.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(table.presence(0), [false, true]);
        assert_eq!(table.presence(1), [true, false]);
        assert!(table.row(1)[0] == 1.0 && table.row(1)[1].is_nan() && table.row(1)[2] == 0.0);
    }

    #[test]
    fn compounds_and_cell_lines_have_features_too() {
        let text = b"name,pubchem_cid,smiles,morgan_hex\nx,12,C,a1\ny,7,CC,0f\n";
        let drugs = FeatureTable::read(text).unwrap();
        assert_eq!(
            (drugs.genes[1].as_str(), drugs.blocks[0].name.as_str(), drugs.width()),
            ("7", "morgan", 8)
        );
        assert_eq!(drugs.row(0), [1., 0., 1., 0., 0., 0., 0., 1.]);
        let cells = FeatureTable::read(b"cell_line,A1CF,TP53\nK,1,2\n").unwrap();
        assert_eq!((cells.genes[0].as_str(), cells.blocks.len(), cells.width()), ("K", 1, 2));
    }

    #[test]
    fn joined_tables_keep_each_others_genes() {
        let one = FeatureTable::read(b"gene,a_0\nX,1\n").unwrap();
        let two = FeatureTable::read(b"gene,a_0,c_0\nY,3,4\n").unwrap();
        let joined = FeatureTable::join(vec![one, two]);
        assert_eq!(joined.genes, ["X", "Y"]);
        assert_eq!(joined.blocks.iter().map(|b| b.name.as_str()).collect::<Vec<_>>(), ["a", "a.2", "c"]);
        assert_eq!(joined.row(1), [0.0, 3.0, 4.0]);
        assert_eq!(joined.presence(1), [false, true, true]);
    }

    #[test]
    fn words_as_indices_stay_in_their_block() {
        assert_eq!(block_name("scalar_log1p_ppi"), "scalar");
        assert_eq!(block_name("cell_line_3"), "cell_line");
        assert_eq!(block_name("go_95"), "go");
    }
}
