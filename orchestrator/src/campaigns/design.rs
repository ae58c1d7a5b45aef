//! The design space: every experiment that a campaign may ever ask for.

use super::spec::{Combinations, Design};
use jobs::{Context, Experiment, Perturbation};
use std::collections::{BTreeMap, BTreeSet};

/// More experiments than this are refused: a learner scores the whole pool each round.
pub const LARGEST_POOL: u64 = 2_000_000;

/// Why a design space cannot be spanned.
#[derive(Debug, thiserror::Error)]
pub enum DesignError {
    #[error(
        "the genes file has no column `gene`; its columns are {columns}: call the one with the names `gene`, and give the file again"
    )]
    NoGeneColumn { columns: String },
    #[error("the genes file cannot be read as CSV at line {line}: {reason}")]
    NotCsv { line: u64, reason: String },
    #[error("line {line} of the genes file: {reason}")]
    BadGene { line: u64, reason: String },
    #[error(
        "line {line} of the genes file: {tag:?} is no tag: 1 to 100 printable characters; tags are separated by ';'"
    )]
    BadTag { line: u64, tag: String },
    #[error("the design space is empty: {genes} genes are left after exclusions, and {needed} are needed")]
    Empty { genes: usize, needed: usize },
    #[error("design.exclude names {gene:?}, which is not in the genes file; correct or remove it")]
    ExcludesNobody { gene: String },
    #[error(
        "{genes} genes ({combinations}) in {contexts} contexts are {size} experiments, more than {LARGEST_POOL}; \
         use fewer genes or contexts, or leave pairs out"
    )]
    TooLarge { genes: usize, combinations: &'static str, contexts: usize, size: u64 },
}

impl DesignError {
    /// Stable; for interfaces.
    pub fn code(&self) -> &'static str {
        match self {
            DesignError::NoGeneColumn { .. } => "design.no_gene_column",
            DesignError::NotCsv { .. } => "design.not_csv",
            DesignError::BadGene { .. } => "design.bad_gene",
            DesignError::BadTag { .. } => "design.bad_tag",
            DesignError::Empty { .. } => "design.empty",
            DesignError::ExcludesNobody { .. } => "design.excludes_nobody",
            DesignError::TooLarge { .. } => "design.too_large",
        }
    }
}

/// A gene and what it is filed under (column `tags` of the genes file).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaggedGene {
    pub gene: String,
    /// Sorted, each once.
    pub tags: Vec<String>,
}

/// The design space, spanned lazily.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Sorted, each once, none excluded.
    genes: Vec<String>,
    /// As `genes`.
    tags: Vec<Vec<String>>,
    combinations: Combinations,
    /// In the order of the campaign file.
    contexts: Vec<Context>,
    size: u64,
}

impl Pool {
    /// Spans `design` over the genes of `genes_csv`: text of a CSV with a column `gene`, and tags in
    /// a column `tags` if it has one. A gene that stands there twice counts once, with the tags of both.
    pub fn expand(design: &Design, genes_csv: &str) -> Result<Pool, DesignError> {
        let mut genes = read_genes(genes_csv)?;
        for gene in &design.exclude {
            if genes.remove(gene).is_none() {
                return Err(DesignError::ExcludesNobody { gene: gene.clone() });
            }
        }
        let size = pool_size(genes.len(), design.combinations, design.contexts.len());
        if size == 0 {
            let needed = if design.combinations == Combinations::Pairs { 2 } else { 1 };
            return Err(DesignError::Empty { genes: genes.len(), needed });
        }
        if size > LARGEST_POOL {
            return Err(DesignError::TooLarge {
                genes: genes.len(),
                combinations: in_words(design.combinations),
                contexts: design.contexts.len(),
                size,
            });
        }
        let contexts = design.contexts.iter().cloned().map(Context).collect();
        let (genes, tags) = genes.into_iter().map(|(gene, tags)| (gene, tags.into_iter().collect())).unzip();
        Ok(Pool { genes, tags, combinations: design.combinations, contexts, size })
    }

    /// Experiments in it.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Genes it is made of.
    pub fn genes(&self) -> &[String] {
        &self.genes
    }

    /// The same, with their tags.
    pub fn tagged_genes(&self) -> Vec<TaggedGene> {
        let each = self.genes.iter().zip(&self.tags);
        each.map(|(gene, tags)| TaggedGene { gene: gene.clone(), tags: tags.clone() }).collect()
    }

    /// Every experiment: contexts in the campaign's order; in each the singles, then the pairs, by name.
    pub fn experiments(&self) -> impl Iterator<Item = Experiment> + '_ {
        self.contexts.iter().flat_map(move |context| {
            self.perturbations()
                .map(move |perturbation| Experiment { perturbation, context: context.clone() })
        })
    }

    /// The pool as learners read it: CSV with header `perturbation,context`.
    pub fn to_csv(&self) -> Vec<u8> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let in_memory = "a Vec takes every byte";
        writer.write_record(["perturbation", "context"]).expect(in_memory);
        for experiment in self.experiments() {
            let perturbation = experiment.perturbation.to_string();
            writer.write_record([perturbation.as_str(), &experiment.context.0]).expect(in_memory);
        }
        writer.into_inner().expect(in_memory)
    }

    fn perturbations(&self) -> impl Iterator<Item = Perturbation> + '_ {
        let singles = self.combinations != Combinations::Pairs;
        let pairs = self.combinations != Combinations::Singles;
        let named = "genes were checked as they were read";
        let singles = self
            .genes
            .iter()
            .filter(move |_| singles)
            .map(move |gene| Perturbation::new([gene.as_str()]).expect(named));
        let pairs = self.genes.iter().enumerate().filter(move |_| pairs).flat_map(move |(index, a)| {
            self.genes
                .iter()
                .skip(index + 1)
                .map(move |b| Perturbation::new([a.as_str(), b.as_str()]).expect(named))
        });
        singles.chain(pairs)
    }
}

/// Each gene with its tags.
fn read_genes(genes_csv: &str) -> Result<BTreeMap<String, BTreeSet<String>>, DesignError> {
    let text = genes_csv.strip_prefix('\u{feff}').unwrap_or(genes_csv);
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).comment(Some(b'#')).from_reader(text.as_bytes());
    let header = reader.headers().map_err(not_csv)?.clone();
    let column = header
        .iter()
        .position(|name| name == "gene")
        .ok_or_else(|| DesignError::NoGeneColumn { columns: header.iter().collect::<Vec<_>>().join(", ") })?;
    let tags_column = header.iter().position(|name| name == "tags");
    let mut genes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for record in reader.records() {
        let record = record.map_err(not_csv)?;
        let line = record.position().map_or(0, csv::Position::line);
        let gene = record.get(column).unwrap_or_default();
        Perturbation::new([gene]).map_err(|e| DesignError::BadGene { line, reason: e.to_string() })?;
        let tags = genes.entry(gene.to_owned()).or_default();
        tags.extend(read_tags(tags_column.and_then(|column| record.get(column)).unwrap_or_default(), line)?);
    }
    Ok(genes)
}

fn read_tags(cell: &str, line: u64) -> Result<Vec<String>, DesignError> {
    let tags = cell.split(';').map(str::trim).filter(|tag| !tag.is_empty());
    tags.map(|tag| {
        let holds = tag.chars().count() <= 100 && !tag.chars().any(char::is_control);
        if holds { Ok(tag.to_owned()) } else { Err(DesignError::BadTag { line, tag: tag.to_owned() }) }
    })
    .collect()
}

fn not_csv(error: csv::Error) -> DesignError {
    let line = error.position().map_or(0, csv::Position::line);
    DesignError::NotCsv { line, reason: error.to_string() }
}

/// Experiments of a design space over so many genes.
pub fn pool_size(genes: usize, combinations: Combinations, contexts: usize) -> u64 {
    let [genes, contexts] = [genes, contexts].map(|n| u64::try_from(n).unwrap_or(u64::MAX));
    let pairs = genes.saturating_mul(genes.saturating_sub(1)) / 2;
    let perturbations = match combinations {
        Combinations::Singles => genes,
        Combinations::Pairs => pairs,
        Combinations::SinglesAndPairs => genes.saturating_add(pairs),
    };
    perturbations.saturating_mul(contexts)
}

fn in_words(combinations: Combinations) -> &'static str {
    match combinations {
        Combinations::Singles => "singles",
        Combinations::Pairs => "pairs",
        Combinations::SinglesAndPairs => "singles and pairs",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn design(combinations: Combinations, contexts: &[&str], exclude: &[&str]) -> Design {
        Design {
            genes_file: "genes.csv".into(),
            combinations,
            contexts: contexts.iter().map(ToString::to_string).collect(),
            exclude: exclude.iter().map(ToString::to_string).collect(),
        }
    }

    fn csv_of(design: &Design, genes: &str) -> String {
        String::from_utf8(Pool::expand(design, genes).unwrap().to_csv()).unwrap()
    }

    #[test]
    fn singles_and_pairs_are_spanned_in_every_context() {
        let design = design(Combinations::SinglesAndPairs, &["donor-1", "donor-2"], &["MYC"]);
        let pool = Pool::expand(&design, "id,gene\n1,RASA2\n2,CBLB\n3,MYC\n4,CBLB\n").unwrap();
        assert_eq!(pool.size(), 6);
        assert_eq!(
            csv_of(&design, "id,gene\n1,RASA2\n2,CBLB\n3,MYC\n"),
            "perturbation,context\nCBLB,donor-1\nRASA2,donor-1\nCBLB+RASA2,donor-1\n\
             CBLB,donor-2\nRASA2,donor-2\nCBLB+RASA2,donor-2\n"
        );
    }

    #[test]
    fn tags_are_kept_beside_the_pool_and_change_nothing_in_it() {
        let design = design(Combinations::Singles, &["K562"], &["MYC"]);
        let text = "gene,tags\nRASA2,gap; ras \nCBLB,\nMYC,tf\nRASA2,known;;gap\n";
        let pool = Pool::expand(&design, text).unwrap();
        let tagged = |gene: &str, tags: &[&str]| TaggedGene {
            gene: gene.into(),
            tags: tags.iter().map(ToString::to_string).collect(),
        };
        assert_eq!(
            pool.tagged_genes(),
            [tagged("CBLB", &[]), tagged("RASA2", &["gap", "known", "ras"])],
            "of the excluded one nothing"
        );
        assert_eq!(csv_of(&design, text), "perturbation,context\nCBLB,K562\nRASA2,K562\n");
        let long = format!("gene,tags\nMYC,\nCBLB,{}\n", "x".repeat(101));
        let error = Pool::expand(&design, &long).unwrap_err();
        assert_eq!(error.code(), "design.bad_tag");
        assert!(error.to_string().starts_with("line 3 of the genes file"), "{error}");
    }

    #[test]
    fn a_pool_beyond_the_bound_is_refused_in_words_before_it_is_spanned() {
        let genes: String = (0..3_000).map(|i| format!("G{i}\n")).collect();
        let error = Pool::expand(&design(Combinations::Pairs, &["K562"], &[]), &format!("gene\n{genes}"))
            .unwrap_err();
        assert_eq!(error.code(), "design.too_large");
        assert!(
            error.to_string().starts_with("3000 genes (pairs) in 1 contexts are 4498500 experiments"),
            "{error}"
        );
    }

    #[test]
    fn a_compound_at_each_dose_is_an_edit_of_its_own() {
        let design = design(Combinations::Singles, &["A375"], &["TAXOL@1uM"]);
        let text = "gene\nTAXOL@10uM\nTAXOL@1uM\nCBLB\n";
        assert_eq!(csv_of(&design, text), "perturbation,context\nCBLB,A375\nTAXOL@10uM,A375\n");
        let error = Pool::expand(&design, "gene\nTAXOL@1uM\nTAXOL@10\n").unwrap_err();
        assert_eq!(error.code(), "design.bad_gene");
        let said = error.to_string();
        assert!(said.starts_with("line 3 of the genes file: \"TAXOL@10\" does not say a dose"), "{said}");
    }

    #[test]
    fn what_is_no_gene_list_is_refused_with_its_line() {
        let singles = design(Combinations::Singles, &["K562"], &[]);
        let code = |text: &str| Pool::expand(&singles, text).unwrap_err().code();
        assert_eq!(code("symbol\nCBLB\n"), "design.no_gene_column");
        assert_eq!(code("gene\n"), "design.empty");
        assert_eq!(code("gene,id\nCBLB\n"), "design.not_csv");
        let error = Pool::expand(&singles, "gene\nCBLB\nA+B\n").unwrap_err().to_string();
        assert!(error.starts_with("line 3 of the genes file"), "{error}");
        let excluded = design(Combinations::Singles, &["K562"], &["CBLb"]);
        assert_eq!(Pool::expand(&excluded, "gene\nCBLB\n").unwrap_err().code(), "design.excludes_nobody");
    }

    proptest! {
        #[test]
        fn the_pool_has_its_size_and_no_experiment_twice(genes in 0usize..12, contexts in 0usize..3, which in 0usize..3) {
            let combinations = [Combinations::Singles, Combinations::Pairs, Combinations::SinglesAndPairs][which];
            let names: Vec<String> = (0..contexts).map(|i| format!("c{i}")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let text: String = std::iter::once("gene\n".to_owned()).chain((0..genes).map(|i| format!("G{i}\n"))).collect();
            match Pool::expand(&design(combinations, &names, &[]), &text) {
                Ok(pool) => {
                    let all: BTreeSet<Experiment> = pool.experiments().collect();
                    prop_assert_eq!(u64::try_from(all.len()).unwrap(), pool.size());
                    prop_assert_eq!(pool.experiments().count(), all.len());
                }
                Err(error) => prop_assert_eq!(error.code(), "design.empty"),
            }
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,60}") {
            let _ = Pool::expand(&design(Combinations::Singles, &["K562"], &[]), &text);
        }
    }
}
