//! Rows by the beginnings of their words.

use std::borrow::Cow;
use std::mem;

use super::tails::{Tails, shared};
use crate::app::projection::row_set::RowSet;

/// A leaf that has grown beyond so many bytes becomes a fork. To look through so many takes a
/// few microseconds; smaller ones would need more forks, and those more time and room.
pub(super) const LEAF: usize = 8192;

/// A tree of words: each way down spells the beginning of some. A fork knows all rows that have
/// a word with its beginning, so a beginning of any length is one way down and no more, however
/// many rows there are. Where few words are left, a leaf lists their ends.
#[derive(Debug)]
pub(super) struct PrefixTree {
    /// The first one is the root, a fork without a label.
    nodes: Vec<Node>,
}

/// The number of the first node.
pub(super) const ROOT: u32 = 0;

#[derive(Debug)]
pub(super) enum Node {
    Leaf(Tails),
    // There are many more leaves than forks.
    Fork(Box<Fork>),
}

#[derive(Debug, Default)]
pub(super) struct Fork {
    /// What stands between the byte that leads here and those that lead on.
    pub(super) label: Box<[u8]>,
    /// All rows that have a word with the beginning that ends here. The root needs none.
    pub(super) rows: RowSet,
    pub(super) children: Children,
}

/// Where each byte leads on to: the number of a node, or the root's, to which nothing leads. A
/// fork stands for so many words that this table is small beside them.
#[derive(Debug)]
pub(super) struct Children(Box<[u32; 256]>);

impl PrefixTree {
    /// The tree of these nodes: the root first, and each child of a fork among them.
    pub(super) fn of_nodes(nodes: Vec<Node>) -> Self {
        Self { nodes }
    }

    /// The rows that have a word with this beginning, which is not empty.
    pub(super) fn find(&self, beginning: &str) -> Cow<'_, RowSet> {
        let found = self.find_bytes(beginning.as_bytes());
        found.unwrap_or_else(|| Cow::Owned(RowSet::default()))
    }

    /// Adds a word of a row, which is not below any that is there; of up to 256 bytes.
    pub(super) fn insert(&mut self, word: &str, row: u32) {
        let (mut at, mut rest) = (ROOT, word.as_bytes());
        while let Some(fork) = self.fork_mut(at) {
            if at != ROOT {
                fork.rows.insert(row);
            }
            let Some((first, behind)) = rest.split_first() else { return };
            let Some(child) = fork.children.get(*first) else {
                return self.add_leaf(at, *first, behind, row);
            };
            match self.nodes.get_mut(child as usize) {
                Some(Node::Leaf(tails)) => {
                    tails.push(behind, row);
                    if tails.bytes().len() > LEAF {
                        self.burst(child);
                    }
                    return;
                }
                Some(Node::Fork(fork)) => {
                    let common = shared(&fork.label, behind).len();
                    if common < fork.label.len() {
                        self.split(child, common);
                    }
                    (at, rest) = (child, behind.get(common..).unwrap_or_default());
                }
                // Each child is there.
                None => return,
            }
        }
    }

    /// The node of this number.
    pub(super) fn node(&self, node: u32) -> Option<&Node> {
        self.nodes.get(node as usize)
    }

    fn find_bytes(&self, beginning: &[u8]) -> Option<Cow<'_, RowSet>> {
        let (mut at, mut rest) = (ROOT, beginning);
        loop {
            match self.node(at)? {
                Node::Leaf(tails) => return Some(Cow::Owned(tails.rows(rest))),
                Node::Fork(fork) => {
                    let common = shared(&fork.label, rest).len();
                    let Some((first, behind)) = rest.get(common..)?.split_first() else {
                        return Some(Cow::Borrowed(&fork.rows));
                    };
                    if common < fork.label.len() {
                        return None;
                    }
                    (at, rest) = (fork.children.get(*first)?, behind);
                }
            }
        }
    }

    fn fork_mut(&mut self, node: u32) -> Option<&mut Fork> {
        match self.nodes.get_mut(node as usize)? {
            Node::Fork(fork) => Some(fork),
            Node::Leaf(_) => None,
        }
    }

    /// Adds a leaf with one tail, to which the byte `first` leads from the fork `at`.
    fn add_leaf(&mut self, at: u32, first: u8, tail: &[u8], row: u32) {
        let mut tails = Tails::default();
        tails.push(tail, row);
        let leaf = self.add(Node::Leaf(tails));
        if let Some(fork) = self.fork_mut(at) {
            fork.children.put(first, leaf);
        }
    }

    /// Puts a fork in front of another one, behind the first `common` bytes of its label.
    fn split(&mut self, node: u32, common: usize) {
        let Some(lower) = self.fork_mut(node) else { return };
        let Some((&first, behind)) = lower.label.get(common..).and_then(<[u8]>::split_first) else {
            return;
        };
        let behind = behind.into();
        let label = mem::replace(&mut lower.label, behind).into_iter().take(common).collect();
        let rows = lower.rows.clone();
        let lower = Node::Fork(Box::new(mem::take(lower)));
        let mut children = Children::default();
        children.put(first, self.add(lower));
        self.put(node, Fork { label, rows, children });
    }

    /// Makes a fork of a leaf, and of each below it that is still too large.
    fn burst(&mut self, leaf: u32) {
        let mut leaves = vec![leaf];
        while let Some(leaf) = leaves.pop() {
            let Some(Node::Leaf(tails)) = self.nodes.get_mut(leaf as usize) else { continue };
            if tails.bytes().len() <= LEAF {
                continue;
            }
            let tails = mem::take(tails);
            let label: Box<[u8]> = tails.shared_beginning().into();
            let mut children = Children::default();
            for (first, tails) in tails.behind(label.len()) {
                let child = self.add(Node::Leaf(tails));
                children.put(first, child);
                leaves.push(child);
            }
            self.put(leaf, Fork { label, rows: tails.rows(&[]), children });
        }
    }

    fn add(&mut self, node: Node) -> u32 {
        self.nodes.push(node);
        // So many as not to fit a u32 have no room in memory.
        (self.nodes.len() - 1) as u32
    }

    fn put(&mut self, node: u32, fork: Fork) {
        if let Some(place) = self.nodes.get_mut(node as usize) {
            *place = Node::Fork(Box::new(fork));
        }
    }
}

impl Default for PrefixTree {
    /// A tree of no words.
    fn default() -> Self {
        Self { nodes: vec![Node::Fork(Box::default())] }
    }
}

impl Children {
    /// The node that a byte leads to.
    pub(super) fn get(&self, byte: u8) -> Option<u32> {
        let node = self.0[usize::from(byte)];
        (node != ROOT).then_some(node)
    }

    /// Lets a byte lead to a node.
    pub(super) fn put(&mut self, byte: u8, node: u32) {
        self.0[usize::from(byte)] = node;
    }

    /// The bytes that lead on, ascending, and the nodes they lead to.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u8, u32)> {
        (0..=u8::MAX).filter_map(|byte| Some((byte, self.get(byte)?)))
    }
}

impl Default for Children {
    /// None.
    fn default() -> Self {
        Self(Box::new([ROOT; 256]))
    }
}
