use proptest::prelude::*;

use super::*;
use crate::store::EventText;

fn written(line: &EventLine<'_>) -> String {
    let mut out = String::new();
    EventText {
        stored: Some((line.event_id, line.timestamp, line.sequence_number)),
        event_type: &line.event_type,
        event_version: line.event_version,
        aggregate_id: &line.aggregate_id,
        aggregate_type: &line.aggregate_type,
        aggregate_version: line.aggregate_version,
        metadata: line.metadata,
        data: line.data,
    }
    .write(&mut out);
    out
}

fn read(text: &str) -> Result<Vec<EventLine<'_>>, String> {
    let mut lines = Vec::new();
    read_events(text, &mut |line| lines.push(line)).map(|()| lines)
}

fn any_line() -> impl Strategy<Value = EventLine<'static>> {
    let metadata = prop::sample::select(vec![
        "",
        r#""userId":"u""#,
        r#""causationId":"\"data\":","correlationId":"é\\","userId":"}""#,
    ]);
    let data = prop::sample::select(vec![
        "{}",
        r#"{"id":"u1","name":"Ann \"A\" {","tags":[1,{"a":"]}"}],"é":-1.5e3}"#,
        r#"{"data":{"data":"\\"},"n":null}"#,
    ]);
    let micros = Timestamp::MIN.micros()..=Timestamp::MAX.micros();
    let texts = [any::<String>(), any::<String>(), any::<String>()];
    let numbers = (any::<u128>(), any::<u32>(), micros, any::<u64>(), any::<u64>());
    (texts, numbers, metadata, data).prop_map(
        |([event_type, id, of], (uuid, event_version, micros, version, at), metadata, data)| {
            EventLine {
                event_id: Uuid::from_u128(uuid),
                event_type: event_type.into(),
                event_version,
                timestamp: Timestamp::from_micros(micros),
                aggregate_id: id.into(),
                aggregate_type: of.into(),
                aggregate_version: version,
                sequence_number: at,
                metadata,
                data,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_was_written_is_read_and_a_changed_byte_is_never_passed_over(
        lines in prop::collection::vec(any_line(), 0..3),
        place in any::<prop::sample::Index>(),
        byte in 0x09..0x7f_u8,
    ) {
        let texts: Vec<String> = lines.iter().map(written).collect();
        let text = format!("[{}]", texts.join(","));
        prop_assert_eq!(read(&text), Ok(lines.clone()));
        let place = place.index(text.len());
        prop_assert!(read(text.get(..place).unwrap_or_default()).is_err());
        let mut changed = text.clone().into_bytes();
        changed[place] = byte;
        if let Ok(changed) = String::from_utf8(changed) && changed != text {
            prop_assert!(read(&changed) != Ok(lines), "{}", changed);
        }
    }
}

proptest! {
    #[test]
    fn the_end_of_a_flat_object_is_that_of_any(text in r#"[a":,|]{0,40}[{}\[\]"\\|:,an]{0,12}"#) {
        let bytes = text.as_bytes();
        if let Some(end) = flat_end(bytes, 0) {
            prop_assert_eq!(Some(end), json::container_end(bytes, 0));
        }
    }

    #[test]
    fn a_uuid_is_read_where_the_crate_would_write_it_so(
        id in any::<u128>(),
        place in 0..36_usize,
        byte in prop::sample::select(b"0189:/`afgFA-\xc3".to_vec()),
    ) {
        let id = Uuid::from_u128(id);
        let mut text = [0; 36];
        id.hyphenated().encode_lower(&mut text);
        prop_assert_eq!(hyphenated(&text), Some(id));
        text[place] = byte;
        let read = Uuid::try_parse_ascii(&text).ok();
        let as_written = |id: &Uuid| id.to_string().as_bytes() == text;
        prop_assert_eq!(hyphenated(&text), read.filter(as_written));
    }

    #[test]
    fn a_timestamp_is_read_the_same_after_any_other(
        micros in prop::collection::vec(
            prop_oneof![0..3_i64, (0..3_i64).prop_map(|millis| millis * 1000)], 2..6,
        ),
        place in any::<prop::sample::Index>(),
        byte in 0x09..0x7f_u8,
    ) {
        let mut reader = EventReader::default();
        for micros in &micros {
            let line = EventLine { timestamp: Timestamp::from_micros(*micros), ..simple() };
            let text = format!("[{}]", written(&line));
            let mut read = Vec::new();
            prop_assert_eq!(reader.read(&text, &mut |line| read.push(line)), Ok(()));
            prop_assert_eq!(read, [line.clone()]);
            let mut changed = text.into_bytes();
            let place = place.index(changed.len());
            changed[place] = byte;
            let changed = String::from_utf8(changed).unwrap();
            let (mut with, mut without) = (Vec::new(), Vec::new());
            let result = reader.read(&changed, &mut |line| with.push(line));
            prop_assert_eq!(result, read_events(&changed, &mut |line| without.push(line)));
            prop_assert_eq!(with, without);
        }
    }
}

fn simple() -> EventLine<'static> {
    EventLine {
        event_id: Uuid::from_u128(1),
        event_type: "E".into(),
        event_version: 1,
        timestamp: Timestamp::from_micros(0),
        aggregate_id: "a".into(),
        aggregate_type: "A".into(),
        aggregate_version: 1,
        sequence_number: 1,
        metadata: "",
        data: "{}",
    }
}

#[test]
fn other_layouts_are_refused_with_the_place() {
    let start = r#"{"eventId":"01900000-0000-7000-8000-000000000001","eventType":"E""#;
    for (text, error) in [
        ("".to_owned(), "expected [ at byte 0"),
        ("[] ".to_owned(), "expected the end at byte 2"),
        ("[{}]".to_owned(), "expected {\"eventId\":\" at byte 1"),
        (format!("[{start},\"eventVersion\":01}}]"), "expected a whole number at byte 82"),
        (
            format!("[{}]", start.replace("7000", "700G")),
            "expected a UUID in lower case with hyphens at byte 13",
        ),
    ] {
        assert_eq!(read(&text), Err(error.to_owned()), "{text}");
    }
}
