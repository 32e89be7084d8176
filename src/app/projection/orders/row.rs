//! A row of the read model: the view of an order, of which an event changes only those members
//! that are to be changed.

use super::changes::Brief;
use super::view::{
    CREATED_AT, Newest, Places, STATUS, UPDATED_AT, VERSION, write_happened, write_newest,
    write_view, write_what_led_to,
};
use crate::app::domain::order::{PlacedOrder, Status};
use crate::app::projection::rows::Row;
use crate::checkpoint::{pack, unpack};
use crate::domain::Money;
use crate::json;
use crate::time::Timestamp;

/// The view of an order.
#[derive(Debug)]
pub(super) struct OrderRow {
    view: Box<str>,
    /// Where the members begin that change, as in [`Places`]; 0 where that has to be looked for:
    /// in a view that comes from a checkpoint, or one of gigabytes.
    status: u32,
    happened: u32,
}

/// What a row tells of its order without being read as a whole, and the parts of the view that
/// are copied.
#[derive(Debug)]
pub(super) struct Known<'a> {
    /// What is counted of the order.
    pub(super) brief: Brief,
    /// When it was created.
    pub(super) created_at: Timestamp,
    /// The ids, up to the status.
    start: &'a str,
    /// What the order comes to, the items and the address, from behind the status on.
    placed: &'a str,
    /// What has happened to it.
    happened: &'a str,
    /// The member that tells when it was created.
    created: &'a str,
}

impl OrderRow {
    /// The row of the order `id`, which is written into `out` first: whatever is there gives way.
    pub(super) fn new(
        out: &mut String,
        id: &str,
        order: &PlacedOrder,
        (created_at, newest): (Timestamp, Newest),
    ) -> Self {
        out.clear();
        let places = write_view(out, id, order, (created_at, newest));
        Self::of(out, places)
    }

    /// The view.
    pub(super) fn view(&self) -> &str {
        &self.view
    }

    /// Whether this is the order `id`.
    pub(super) fn has_id(&self, id: &str) -> bool {
        let Some(rest) = self.view.strip_prefix("{\"order_id\":") else { return false };
        // Most ids stand in the view as they are.
        let plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
        if id.bytes().all(plain) {
            let rest = rest.strip_prefix('"').and_then(|rest| rest.strip_prefix(id));
            return rest.is_some_and(|rest| rest.starts_with("\","));
        }
        rest.strip_prefix(&*json::quoted(id)).is_some_and(|rest| rest.starts_with(','))
    }

    /// What the row tells of its order; `None` when the view is none.
    pub(super) fn known(&self) -> Option<Known<'_>> {
        let Places { status, happened } = self.places()?;
        let (status, rest) = quoted(self.view.get(status..)?, STATUS)?;
        let (total, _) = quoted(rest, "\",\"total_amount\":\"")?;
        let placed = self.view.len() - rest.len();
        let start = self.view.get(..placed - status.len())?;
        let (placed, rest) = rest.split_at_checked(happened.checked_sub(placed)?)?;
        let (happened, created, created_at) = split_created(rest)?;
        let (status, total) = (Status::parse(status)?, Money::parse(total).ok()?);
        let paid = match quoted(happened, ",\"paid_amount\":\"") {
            Some((paid, _)) => Money::parse(paid).ok()?,
            None => Money::ZERO,
        };
        // Nothing is paid back of what is not cancelled.
        let back = (status == Status::Cancelled).then(|| happened.find(REFUND)).flatten();
        let back = match back.and_then(|at| quoted(happened.get(at..)?, REFUND)) {
            Some((back, _)) => Money::parse(back).ok()?,
            None => Money::ZERO,
        };
        let brief = Brief { status, total, spent: paid.saturating_sub(back) };
        Some(Known { brief, created_at, start, placed, happened, created })
    }

    fn of(view: &str, Places { status, happened }: Places) -> Self {
        let place = |place: usize| u32::try_from(place).unwrap_or(0);
        Self { view: view.into(), status: place(status), happened: place(happened) }
    }

    fn places(&self) -> Option<Places> {
        if self.status > 0 && self.happened > 0 {
            let (status, happened) = (self.status as usize, self.happened as usize);
            return Some(Places { status, happened });
        }
        // Quotes in a text are escaped, so what is found are members, and not parts of a text.
        let status = self.view.find(STATUS)?;
        let zip = ",\"shipping_zip\":\"";
        let zip = self.view.find(zip)? + zip.len();
        let (happened, _) = json::string_end(self.view.as_bytes(), zip)?;
        Some(Places { status, happened })
    }
}

impl Known<'_> {
    /// The row after an event that led to this order and added no item; it is written into `out`
    /// first: whatever is there gives way.
    pub(super) fn with(&self, out: &mut String, order: &PlacedOrder, newest: Newest) -> OrderRow {
        out.clear();
        out.push_str(self.start);
        out.push_str(order.status.as_str());
        out.push_str(self.placed);
        let happened = out.len();
        if self.brief.status < order.status {
            // As nothing leads back, nothing has happened yet that would stand behind what an
            // order comes to.
            out.push_str(self.happened);
            write_what_led_to(out, order, order.status);
        } else {
            write_happened(out, order);
        }
        out.push_str(self.created);
        write_newest(out, newest);
        OrderRow::of(out, Places { status: self.start.len() - STATUS.len(), happened })
    }
}

impl Row for OrderRow {
    fn pack(rows: &[&Self]) -> String {
        pack(rows.iter().map(|row| row.view()))
    }

    fn unpack(block: &str) -> Option<Box<[Self]>> {
        let row = |view: &str| Self { view: view.into(), status: 0, happened: 0 };
        Some(unpack(block)?.into_iter().map(row).collect())
    }
}

/// How the member begins that tells what was paid back.
const REFUND: &str = ",\"refund_amount\":\"";

/// What stands between what the text begins with and the next quote, and what comes from there on.
fn quoted<'a>(text: &'a str, before: &str) -> Option<(&'a str, &'a str)> {
    let text = text.strip_prefix(before)?;
    let end = text.bytes().position(|byte| byte == b'"')?;
    Some(text.split_at(end))
}

/// Splits the end of a view before and behind the member that tells when the order was created,
/// and reads that one. It is looked for from the end: behind it are a time and a number, before
/// it are texts of any length.
fn split_created(view: &str) -> Option<(&str, &str, Timestamp)> {
    let digits = view.bytes().rev().skip(1).take_while(u8::is_ascii_digit).count();
    let rest = view.get(..view.len().checked_sub(digits + 1)?)?.strip_suffix(VERSION)?;
    let (rest, _) = before_time(rest)?;
    let rest = rest.strip_suffix(UPDATED_AT)?;
    let (happened, time) = before_time(rest)?;
    let happened = happened.strip_suffix(CREATED_AT)?;
    let created_at = Timestamp::read_written(time.as_bytes())?;
    Some((happened, rest.get(happened.len()..)?, created_at))
}

/// What stands before the time, in its quotes, at the end of a text, and the time.
fn before_time(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_suffix('"')?;
    let long = text.len().checked_sub(27)?;
    // Times are of one of two lengths, and have no quotes in them.
    let start = if text.as_bytes().get(long + 2) == Some(&b'"') { long + 3 } else { long };
    let (before, time) = text.split_at_checked(start)?;
    Some((before.strip_suffix('"')?, time))
}

#[cfg(test)]
mod tests;
