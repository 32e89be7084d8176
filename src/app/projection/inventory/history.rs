//! How the quantities came about: what each product's grew by, and when.

use std::io;
use std::ops::Range;

use super::Quantity;
use super::products::Quantities;
use crate::checkpoint::{Lazy, Reader, Writer};

const ENDS: &str = "inventory/changes/ends";
const CHANGES: &str = "inventory/changes";

/// Between so many changes of a product, at most, its quantities are kept.
const STEP: usize = 64;

/// The changes of all products, those of each in the order in which they came: a bit less than 9
/// bytes a change, which is each item of an order that is created, shipped or cancelled, and 100
/// bytes a product.
///
/// What a checkpoint has of it is read when somebody asks for a moment before that. What comes
/// behind it does not need it.
#[derive(Debug, Default)]
pub(super) struct History {
    restored: Lazy<Restored>,
    /// Of so many products, the first ones, there are restored changes.
    restored_products: u32,
    /// The position of the last restored change.
    restored_until: u64,
    /// By product, those behind the restored ones.
    new: Vec<Changes>,
    /// The position of the last change of all.
    until: u64,
}

/// The changes of a product.
#[derive(Debug, Default)]
struct Changes {
    all: Vec<u64>,
    /// The quantities before each of the changes 0, [`STEP`], 2 * `STEP`, …
    before: Vec<Quantities>,
}

/// The changes of a checkpoint, as they lie there.
#[derive(Debug, Default)]
struct Restored {
    /// Where those of each product end; they start where those of the product before it end.
    ends: Vec<u64>,
    all: Vec<u64>,
    /// The quantities before each of the changes 0, [`STEP`], 2 * `STEP`, … of the product that
    /// the change is of.
    before: Vec<Quantities>,
}

/// A change as it is kept: its position in the upper half, which quantity grew in the next two
/// bits, by how much in the rest.
#[derive(Debug, Clone, Copy)]
struct Change(u64);

impl History {
    /// Notes by how much a quantity of a product grew with the event at a position; 0 is noted, as
    /// a product is there from its first change on. What its quantities were `before` is told.
    pub(super) fn push(
        &mut self,
        product: u32,
        position: u64,
        (towards, mut grown): (Quantity, u32),
        before: Quantities,
    ) {
        let place = product as usize;
        if self.new.len() <= place {
            self.new.resize_with(place + 1, Changes::default);
        }
        let Some(changes) = self.new.get_mut(place) else { return };
        self.until = position;
        let mut before = before;
        while grown > Change::LARGEST {
            changes.push(Change::new(position, towards, Change::LARGEST), before);
            before.add(towards, Change::LARGEST);
            grown -= Change::LARGEST;
        }
        changes.push(Change::new(position, towards, grown), before);
    }

    /// Whether a product was there at a position.
    pub(super) fn is_there(&self, product: u32, position: u64) -> bool {
        let first = if product < self.restored_products {
            if position >= self.restored_until {
                return true;
            }
            self.restored.get().of(product).first()
        } else {
            self.new_of(product).first()
        };
        first.is_some_and(|first| Change(*first).position() <= position)
    }

    /// The quantities of a product at a position, which are `now` what is given.
    pub(super) fn quantities(&self, product: u32, position: u64, now: Quantities) -> Quantities {
        if position < self.restored_until && product < self.restored_products {
            return self.restored.get().quantities(product, position);
        }
        let changes = self.new.get(product as usize);
        changes.and_then(|changes| changes.quantities(position)).unwrap_or(now)
    }

    /// The positions of the events up to `until` that changed a product, ascending.
    pub(super) fn positions(&self, product: u32, until: u64) -> Vec<u64> {
        let restored = self.restored.get().of(product).iter();
        let all = restored.chain(self.new_of(product)).map(|change| Change(*change).position());
        let mut positions: Vec<u64> = all.take_while(|position| *position <= until).collect();
        positions.dedup();
        positions
    }

    /// The position of the last change, which [`restore`](Self::restore) is to be told.
    pub(super) fn until(&self) -> u64 {
        self.until
    }

    /// Writes the changes of so many products: all there are.
    pub(super) fn save(&self, writer: &mut Writer, products: usize) -> io::Result<()> {
        let restored = self.restored.get();
        // The numbers of all products fit into 32 bits.
        let each = || (0..products as u32).map(|of| [restored.of(of), self.new_of(of)]);
        let mut end = 0;
        let ends = each().map(|changes| {
            end += changes.iter().map(|changes| changes.len() as u64).sum::<u64>();
            end
        });
        writer.numbers64(ENDS, ends)?;
        writer.numbers64(CHANGES, each().flatten().flatten().copied())
    }

    /// The changes of so many products that were saved, the last of them at the position `until`.
    pub(super) fn restore(reader: &Reader, products: usize, until: u64) -> Self {
        Self {
            restored: Lazy::of(reader, move |reader| Restored::read(reader, products)),
            restored_products: u32::try_from(products).unwrap_or(u32::MAX),
            restored_until: until,
            new: Vec::new(),
            until,
        }
    }

    /// Whether what was saved turned out unreadable.
    pub(super) fn damaged(&self) -> bool {
        self.restored.damaged()
    }

    fn new_of(&self, product: u32) -> &[u64] {
        self.new.get(product as usize).map_or(&[], |changes| &changes.all)
    }
}

impl Changes {
    fn push(&mut self, change: Change, before: Quantities) {
        if self.all.len().is_multiple_of(STEP) {
            self.before.push(before);
        }
        if self.all.len() == self.all.capacity() {
            // Doubled, as it is else, half of it would be empty.
            self.all.reserve_exact(self.all.len() / 4 + 4);
        }
        self.all.push(change.0);
    }

    /// The quantities at a position; `None` without a change.
    fn quantities(&self, position: u64) -> Option<Quantities> {
        let known = until(&self.all, position);
        let step = known.saturating_sub(1) / STEP;
        let before = self.before.get(step)?;
        Some(before.after(self.all.get(step * STEP..known)?))
    }
}

impl Restored {
    fn read(reader: &Reader, products: usize) -> Option<Self> {
        let ends = reader.numbers64(ENDS)?;
        let all = reader.numbers64(CHANGES)?;
        let whole = ends.len() == products && ends.last().map_or(0, |end| *end) == all.len() as u64;
        if !whole || !ends.is_sorted() {
            return None;
        }
        let mut restored = Self { ends, all, before: Vec::new() };
        for product in 0..restored.ends.len() as u32 {
            let range = restored.range(product);
            let mut sums = Quantities::default();
            for (place, change) in range.clone().zip(restored.all.get(range)?) {
                if place % STEP == 0 {
                    restored.before.push(sums);
                }
                sums = sums.after(&[*change]);
            }
        }
        Some(restored)
    }

    /// Where the changes of a product lie.
    fn range(&self, product: u32) -> Range<usize> {
        let end =
            |product: usize| self.ends.get(product).map_or(self.all.len(), |end| *end as usize);
        let product = product as usize;
        product.checked_sub(1).map_or(0, end)..end(product)
    }

    fn of(&self, product: u32) -> &[u64] {
        self.all.get(self.range(product)).unwrap_or_default()
    }

    /// The quantities of a product at a position.
    fn quantities(&self, product: u32, position: u64) -> Quantities {
        let start = self.range(product).start;
        let known = start + until(self.of(product), position);
        // The last place before those where quantities are kept, if that is one of the product's.
        let step = known.saturating_sub(1) / STEP;
        let (from, before) = match self.before.get(step) {
            Some(before) if step * STEP >= start => (step * STEP, *before),
            _ => (start, Quantities::default()),
        };
        before.after(self.all.get(from..known).unwrap_or_default())
    }
}

impl Change {
    /// By so much a quantity can grow in one change; more is several changes.
    const LARGEST: u32 = (1 << 30) - 1;

    /// A change at a position, which fits into 32 bits, by at most [`LARGEST`](Self::LARGEST).
    fn new(position: u64, towards: Quantity, grown: u32) -> Self {
        let towards = match towards {
            Quantity::Ordered => 0,
            Quantity::Cancelled => 1,
            Quantity::Shipped => 2,
        };
        Self(position << 32 | towards << 30 | u64::from(grown))
    }

    fn position(self) -> u64 {
        self.0 >> 32
    }

    /// Which quantity grew, and by how much; nothing, if this is no change.
    fn grown(self) -> Option<(Quantity, u32)> {
        let grown = self.0 as u32 & Self::LARGEST;
        let towards = match self.0 >> 30 & 3 {
            0 => Quantity::Ordered,
            1 => Quantity::Cancelled,
            2 => Quantity::Shipped,
            _ => return None,
        };
        Some((towards, grown))
    }
}

impl Quantities {
    /// The quantities after these changes.
    fn after(mut self, changes: &[u64]) -> Self {
        for (towards, grown) in changes.iter().filter_map(|change| Change(*change).grown()) {
            self.add(towards, grown);
        }
        self
    }
}

/// How many of these changes lie at or before a position.
fn until(changes: &[u64], position: u64) -> usize {
    changes.partition_point(|change| Change(*change).position() <= position)
}
