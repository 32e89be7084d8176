//! The texts of an event as one: metadata and data, and of the first event of a stream the
//! aggregate's id. Most ids stand in the data as well, and are only pointed at then.

/// The texts of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    /// The id of the aggregate; empty unless the event is the first of its stream.
    pub(super) aggregate_id: &'a str,
    pub(super) metadata: &'a str,
    pub(super) data: &'a str,
}

/// What has to be known of an event to take its text apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// Whether it is the first of its stream.
    pub(super) has_id: bool,
    pub(super) has_metadata: bool,
}

impl<'a> Parts<'a> {
    /// Appends the texts to `out`: the lengths that there are, the id if it does not stand in the
    /// data, metadata, data.
    pub(super) fn write(&self, layout: Layout, out: &mut String) {
        let Self { aggregate_id, metadata, data } = *self;
        out.reserve(aggregate_id.len() + metadata.len() + data.len() + 16);
        let mut own_id = "";
        if layout.has_id {
            let place = place_of(aggregate_id, data);
            own_id = if place.is_none() { aggregate_id } else { "" };
            push_number(out, aggregate_id.len());
            push_number(out, place.unwrap_or(0));
        }
        if layout.has_metadata {
            push_number(out, metadata.len());
        }
        for text in [own_id, metadata] {
            if !text.is_empty() {
                out.push_str(text);
            }
        }
        out.push_str(data);
    }

    /// Takes apart what [`write`](Self::write) wrote with this layout.
    pub(super) fn read(text: &'a str, layout: Layout) -> Self {
        match layout {
            Layout { has_id: false, has_metadata: false } => {
                Self { aggregate_id: "", metadata: "", data: text }
            }
            Layout { has_id: true, has_metadata: false } => match pointer(text.as_bytes()) {
                Some((place, length)) => {
                    let data = &text[2..];
                    Self { aggregate_id: &data[place..place + length], metadata: "", data }
                }
                None => Self::read_any(text, layout),
            },
            Layout { has_metadata: true, .. } => Self::read_any(text, layout),
        }
    }

    fn read_any(text: &'a str, layout: Layout) -> Self {
        let mut rest = text;
        let mut length = |is_there| if is_there { take_number(&mut rest) } else { 0 };
        let (id_length, place) = (length(layout.has_id), length(layout.has_id));
        let metadata_length = length(layout.has_metadata);
        let own_length = if place == 0 { id_length } else { 0 };
        let (own_id, rest) = rest.split_at(own_length);
        let (metadata, data) = rest.split_at(metadata_length);
        let aggregate_id = if place == 0 { own_id } else { &data[place..place + id_length] };
        Self { aggregate_id, metadata, data }
    }
}

/// The id with which a text begins that was written with this layout, whatever follows it. `None`
/// when it is not to be had so easily.
pub(super) fn id_of(text: &str, layout: Layout) -> Option<&str> {
    if !layout.has_id || layout.has_metadata {
        return None;
    }
    let (place, length) = pointer(text.as_bytes())?;
    text.get(place + 2..place + 2 + length)
}

/// Where in the data, of which there is no metadata before, the id stands, and its length: if it
/// does and these are short numbers, which is the way of nearly all.
fn pointer(text: &[u8]) -> Option<(usize, usize)> {
    let [length, place, ..] = *text else { return None };
    let is_short = (length | place) < MORE && place > 0;
    is_short.then_some((usize::from(place), usize::from(length)))
}

/// Where an id stands in the data, if it is the value of the first member; never at 0. Data are
/// an object, so that is where an aggregate's id is most often.
fn place_of(id: &str, data: &str) -> Option<usize> {
    let place = data.bytes().position(|byte| byte == b':')? + 2; // behind the quote
    data.get(place..)?.starts_with(id).then_some(place)
}

/// So many bits of a number are in each letter of it, the lowest first.
const BITS: u32 = 6;

/// A letter that others follow has this bit, too.
const MORE: u8 = 1 << BITS;

/// Appends a number in letters of ASCII.
fn push_number(out: &mut String, mut number: usize) {
    while number >= usize::from(MORE) {
        out.push(char::from((number as u8 % MORE) | MORE));
        number >>= BITS;
    }
    out.push(char::from(number as u8));
}

/// Takes the number that a text begins with.
fn take_number(text: &mut &str) -> usize {
    let (mut number, mut letters) = (0, 0);
    for letter in text.bytes() {
        number |= usize::from(letter % MORE) << (letters * BITS);
        letters += 1;
        if letter < MORE {
            break;
        }
    }
    *text = &text[letters as usize..];
    number
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(parts: Parts<'_>, layout: Layout) -> String {
        let mut out = String::new();
        parts.write(layout, &mut out);
        out
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(
            id in ".{0,5}|[a-z]{60,70}|[é]{2040,2060}",
            metadata in ".{0,5}|[a-z\"]{4090,4100}",
            data in prop::sample::select(vec![
                "", ":", "{}", "{\"i\":\"", "{\"id\":\"ID\",\"n\":1}", "{\"n\":1,\"id\":\"ID\"}", "{\"é\":éIDé}",
            ]),
            (has_id, has_metadata) in any::<(bool, bool)>(),
        ) {
            let data = data.replace("ID", &id);
            let layout = Layout { has_id, has_metadata };
            let aggregate_id = if has_id { &*id } else { "" };
            let metadata = if has_metadata { &*metadata } else { "" };
            let parts = Parts { aggregate_id, metadata, data: &data };
            let text = written(parts, layout);
            prop_assert_eq!(Parts::read(&text, layout), parts);
        }
    }

    #[test]
    fn an_id_that_the_data_begin_with_costs_two_bytes() {
        let layout = Layout { has_id: true, has_metadata: false };
        let data = r#"{"id":"user-1234567","name":"Ann"}"#;
        let parts = Parts { aggregate_id: "user-1234567", metadata: "", data };
        assert_eq!(written(parts, layout).len(), data.len() + 2);
        let parts = Parts { aggregate_id: "Ann", metadata: "", data };
        assert_eq!(written(parts, layout).len(), data.len() + 2 + 3);
    }
}
