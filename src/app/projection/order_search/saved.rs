//! Prefix trees as bytes, which a checkpoint keeps.
//!
//! ```text
//! leaf    LEAF, the length of its tails, the tails
//! fork    FORK, the length of its label, the label, its rows, how many lead on, the bytes that do
//! ```
//!
//! The root comes first, and behind each fork its children, each with all that is below it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::prefix_tree::{self, Children, Fork, Node, PrefixTree, ROOT};
use super::tails::{Tails, shared};
use crate::app::projection::row_set::RowSet;

const LEAF: u8 = 0;
const FORK: u8 = 1;

/// What one tree has below one beginning.
enum Part<'a> {
    Leaf(Cow<'a, Tails>),
    Fork {
        tree: &'a PrefixTree,
        fork: &'a Fork,
        /// So many bytes of its label belong to the beginning.
        followed: usize,
    },
}

/// All that has one beginning: the parts of one or more trees, in the order of their rows.
type Parts<'a> = Vec<Part<'a>>;

/// Writes several trees as one. The rows of each lie above those of the trees before it.
pub(super) fn write(trees: &[&PrefixTree]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let roots = trees.iter().filter_map(|tree| Part::of(tree, ROOT)).collect();
    let mut stack = vec![roots];
    while let Some(parts) = stack.pop() {
        match as_leaf(&parts) {
            Some(tails) => {
                bytes.push(LEAF);
                bytes.extend((tails.bytes().len() as u32).to_le_bytes());
                bytes.extend_from_slice(tails.bytes());
            }
            None => stack.extend(write_fork(&mut bytes, &parts).into_values().rev()),
        }
    }
    bytes
}

/// Reads a tree whose rows are all below `rows`; `None` when the bytes are not such a tree.
pub(super) fn read(bytes: &[u8], rows: u32) -> Option<PrefixTree> {
    let mut rest = bytes;
    let (root, keys) = read_node(&mut rest, rows)?;
    let mut nodes = vec![root];
    // The forks on the way down, and which of their children are still to come.
    let mut open = vec![(0, keys)];
    while let Some((fork, keys)) = open.last_mut() {
        let Some((key, behind)) = keys.split_first() else {
            open.pop();
            continue;
        };
        *keys = behind;
        let child = u32::try_from(nodes.len()).ok()?;
        if let Some(Node::Fork(fork)) = nodes.get_mut(*fork) {
            fork.children.put(*key, child);
        }
        let (node, keys) = read_node(&mut rest, rows)?;
        nodes.push(node);
        open.push((child as usize, keys));
    }
    let rooted = matches!(nodes.first(), Some(Node::Fork(root)) if root.label.is_empty());
    (rooted && rest.is_empty()).then(|| PrefixTree::of_nodes(nodes))
}

/// A node, and the bytes that lead on to its children, which follow.
fn read_node<'a>(bytes: &mut &'a [u8], rows: u32) -> Option<(Node, &'a [u8])> {
    let [kind] = take(bytes)?;
    match kind {
        LEAF => {
            let len = u32::from_le_bytes(take(bytes)?);
            let tails = Tails::of_bytes(take_slice(bytes, len as usize)?, rows)?;
            Some((Node::Leaf(tails), &[]))
        }
        FORK => {
            let [len] = take(bytes)?;
            let label = take_slice(bytes, usize::from(len))?.into();
            let of_fork = RowSet::read(bytes)?;
            let keys = u16::from_le_bytes(take(bytes)?);
            let keys = take_slice(bytes, usize::from(keys))?;
            let ascending = keys.is_sorted_by(|key, next| key < next);
            if !ascending || of_fork.last().is_some_and(|last| last >= rows) {
                return None;
            }
            let children = Children::default();
            Some((Node::Fork(Box::new(Fork { label, rows: of_fork, children })), keys))
        }
        _ => None,
    }
}

/// The parts as one leaf, if they are leaves and not too large together.
fn as_leaf<'a>(parts: &'a Parts<'_>) -> Option<Cow<'a, Tails>> {
    let mut all: Option<Cow<'a, Tails>> = None;
    for part in parts {
        let Part::Leaf(tails) = part else { return None };
        match &mut all {
            Some(all) => all.to_mut().append(tails),
            None => all = Some(Cow::Borrowed(tails)),
        }
    }
    all.filter(|all| all.bytes().len() <= prefix_tree::LEAF)
}

/// Writes the parts as a fork; returns what is below it, by the bytes that lead there.
fn write_fork<'a>(bytes: &mut Vec<u8>, parts: &Parts<'a>) -> BTreeMap<u8, Parts<'a>> {
    let label = parts.iter().map(Part::label).reduce(shared).unwrap_or_default();
    let mut rows = Cow::Owned::<RowSet>(RowSet::default());
    let mut below: BTreeMap<u8, Parts<'a>> = BTreeMap::new();
    for part in parts {
        if rows.is_empty() {
            rows = part.rows();
        } else {
            rows.to_mut().extend(&part.rows());
        }
        for (key, part) in part.below(label.len()) {
            below.entry(key).or_default().push(part);
        }
    }
    // A word has up to 256 bytes, and the first one leads to the fork or away from it.
    bytes.extend([FORK, label.len() as u8]);
    bytes.extend_from_slice(label);
    rows.write(bytes);
    bytes.extend((below.len() as u16).to_le_bytes());
    bytes.extend(below.keys());
    below
}

impl<'a> Part<'a> {
    fn of(tree: &'a PrefixTree, node: u32) -> Option<Self> {
        Some(match tree.node(node)? {
            Node::Leaf(tails) => Self::Leaf(Cow::Borrowed(tails)),
            Node::Fork(fork) => Self::Fork { tree, fork, followed: 0 },
        })
    }

    /// What all of its words go on with.
    fn label(&self) -> &[u8] {
        match self {
            Self::Leaf(tails) => tails.shared_beginning(),
            Self::Fork { fork, followed, .. } => fork.label.get(*followed..).unwrap_or_default(),
        }
    }

    fn rows(&self) -> Cow<'a, RowSet> {
        match self {
            Self::Leaf(tails) => Cow::Owned(tails.rows(&[])),
            Self::Fork { fork, .. } => Cow::Borrowed(&fork.rows),
        }
    }

    /// What is behind the first `len` bytes of the label, by the next byte.
    fn below(&self, len: usize) -> Vec<(u8, Self)> {
        match self {
            Self::Leaf(tails) => {
                let parts = tails.behind(len);
                parts.map(|(key, tails)| (key, Self::Leaf(Cow::Owned(tails)))).collect()
            }
            Self::Fork { tree, fork, followed } => match fork.label.get(followed + len) {
                Some(key) => {
                    let followed = followed + len + 1;
                    vec![(*key, Self::Fork { tree, fork, followed })]
                }
                None => {
                    let children = fork.children.iter();
                    children.filter_map(|(key, node)| Some((key, Self::of(tree, node)?))).collect()
                }
            },
        }
    }
}

/// Takes so many bytes from the front.
fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*taken)
}

fn take_slice<'a>(bytes: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(len)?;
    *bytes = rest;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    /// Letters of one to four bytes, some of which begin alike.
    const LETTERS: [&str; 6] = ["a", "b", "é", "è", "京", "𝐱"];

    /// Words of which many begin alike, up to the longest.
    fn word() -> impl Strategy<Value = String> {
        let letters = prop::collection::vec(prop::sample::select(&LETTERS[..]), 1..5);
        let run = (prop::sample::select(&LETTERS[..]), prop_oneof![0..3_usize, 50..60_usize]);
        (run, letters)
            .prop_map(|((letter, times), letters)| letter.repeat(times) + &letters.concat())
    }

    fn rows() -> impl Strategy<Value = Vec<BTreeSet<String>>> {
        prop::collection::vec(prop::collection::btree_set(word(), 0..6), 0..150)
    }

    fn tree<'a>(rows: impl Iterator<Item = (u32, &'a BTreeSet<String>)>) -> PrefixTree {
        let mut tree = PrefixTree::default();
        for (row, words) in rows {
            words.iter().for_each(|word| tree.insert(word, row));
        }
        tree
    }

    /// Each beginning of a word, and the rows that have such a word.
    fn beginnings(rows: &[BTreeSet<String>]) -> BTreeMap<&str, BTreeSet<u32>> {
        let mut beginnings: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
        for (words, row) in rows.iter().zip(0..) {
            for word in words {
                let ends = word.char_indices().map(|(start, letter)| start + letter.len_utf8());
                for end in ends {
                    beginnings.entry(&word[..end]).or_default().insert(row);
                }
            }
        }
        beginnings
    }

    fn check(tree: &PrefixTree, rows: &[BTreeSet<String>]) {
        let beginnings = beginnings(rows);
        for (beginning, rows) in &beginnings {
            assert_eq!(tree.find(beginning).iter().collect::<BTreeSet<_>>(), *rows, "{beginning}");
            for letter in LETTERS {
                let longer = format!("{beginning}{letter}");
                if !beginnings.contains_key(&*longer) {
                    assert!(tree.find(&longer).is_empty(), "{longer}");
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn a_beginning_finds_the_rows_that_have_a_word_with_it(rows in rows()) {
            check(&tree((0..).zip(&rows)), &rows);
        }

        #[test]
        fn trees_are_read_as_the_one_that_they_were_written_as(
            rows in rows(),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 2),
        ) {
            let mut cuts: Vec<u32> =
                cuts.iter().map(|cut| cut.index(rows.len() + 1) as u32).collect();
            cuts.sort_unstable();
            let [first, second] = cuts[..] else { unreachable!() };
            let count = rows.len() as u32;
            let all = || (0..).zip(&rows);
            let [one, two, three] = [0..first, first..second, second..count]
                .map(|part| tree(all().filter(|(row, _)| part.contains(row))));
            let merged = read(&write(&[&one, &two]), second).unwrap();
            check(&merged, &rows[..second as usize]);
            let mut merged = read(&write(&[&merged, &three]), count).unwrap();
            check(&merged, &rows);
            prop_assert!(!write(&[&one, &two, &three]).is_empty());
            check(&read(&write(&[&one, &two, &three]), count).unwrap(), &rows);
            // It goes on as any other.
            for (row, words) in all() {
                words.iter().for_each(|word| merged.insert(word, count + row));
            }
            check(&merged, &[&rows[..], &rows].concat());
        }

        #[test]
        fn of_other_bytes_no_tree_is_read_that_can_not_be_used(
            rows in rows(),
            flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
            in_front in any::<bool>(),
            len in any::<prop::sample::Index>(),
        ) {
            let mut bytes = write(&[&tree((0..).zip(&rows))]);
            let count = rows.len() as u32;
            let short = &bytes[..len.index(bytes.len())];
            prop_assert!(read(short, count).is_none(), "a part of one is none");
            for (at, flip) in flips {
                let most = if in_front { bytes.len().min(64) } else { bytes.len() };
                bytes[at.index(most)] ^= flip;
            }
            if let Some(mut tree) = read(&bytes, count) {
                for beginning in beginnings(&rows).keys() {
                    prop_assert!(tree.find(beginning).iter().all(|row| row < count));
                    tree.insert(beginning, count);
                    prop_assert!(tree.find(beginning).contains(count));
                }
                prop_assert!(read(&write(&[&tree, &tree]), count + 1).is_some());
            }
        }
    }

    #[test]
    fn rows_beyond_the_last_are_not_read() {
        let words = BTreeSet::from(["a".to_owned()]);
        let bytes = write(&[&tree([(6, &words)].into_iter())]);
        assert!(read(&bytes, 7).is_some());
        assert!(read(&bytes, 6).is_none());
    }
}
