use proptest::prelude::*;

use super::*;

fn cents(text: &str) -> Result<u64, NotMoney> {
    Money::parse(text).map(Money::cents)
}

#[test]
fn amounts_are_decimal_numbers_however_json_writes_them() {
    for (text, expected) in [
        ("0", 0),
        ("-0", 0),
        ("0e999999999999999999999", 0),
        ("5", 500),
        ("1.5", 150),
        ("1.50", 150),
        ("1.500000000000000000000000", 150),
        ("0.01", 1),
        ("129.97", 12_997),
        ("1e2", 10_000),
        ("1E+2", 10_000),
        ("12997e-2", 12_997),
        ("1299700000e-7", 12_997),
        ("0.0000001e5", 1),
        ("99999999.99", 9_999_999_999),
    ] {
        assert_eq!(cents(text), Ok(expected), "{text}");
    }
}

#[test]
fn other_texts_are_no_amounts() {
    for text in [
        "", "-", ".5", "5.", "05", "00", "+5", " 5", "5 ", "1,5", "1_000", "0x1", "NaN", "inf",
        "Infinity", "1e", "1e+", "1e1.5", "1.2.3", "--1", "1-", "null", "true", "[]", "{}", "٣",
        "1e--2", "1e2e3", "5 USD", "$5",
    ] {
        assert_eq!(cents(text), Err(NotMoney::NotANumber), "{text}");
    }
}

#[test]
fn amounts_are_not_negative_have_two_places_and_a_limit() {
    for (text, expected) in [
        ("-0.01", NotMoney::Negative),
        ("-1e999", NotMoney::Negative),
        ("0.001", NotMoney::TooFine),
        ("129.975", NotMoney::TooFine),
        ("1e-3", NotMoney::TooFine),
        ("1e-99999999999999999999", NotMoney::TooFine),
        ("100000000", NotMoney::TooLarge),
        ("99999999.991", NotMoney::TooFine),
        ("1e8", NotMoney::TooLarge),
        ("1e99999999999999999999", NotMoney::TooLarge),
        ("123456789012345678901234567890", NotMoney::TooLarge),
    ] {
        assert_eq!(cents(text), Err(expected), "{text}");
    }
    let texts = [NotMoney::NotANumber, NotMoney::Negative, NotMoney::TooFine, NotMoney::TooLarge];
    assert_eq!(
        texts.map(|error| error.to_string()),
        [
            "must be a number such as 129.97",
            "must not be negative",
            "must have at most two decimal places",
            "must be at most 99999999.99",
        ]
    );
}

#[test]
fn a_json_string_holds_what_a_json_number_may_look_like() {
    assert_eq!(Money::read("129.97"), Ok(Money(12_997)));
    assert_eq!(Money::read("\"129.97\""), Ok(Money(12_997)));
    assert_eq!(Money::read("\"\\u0035\""), Ok(Money(500)));
    for raw in ["\"\"", "\"5 \"", "\"\\ud800\"", "null", "[5]", "{}", "true"] {
        assert_eq!(Money::read(raw), Err(NotMoney::NotANumber), "{raw}");
    }
}

#[test]
fn sums_and_products_are_exact_and_stop_at_the_limit() {
    let money = |text| Money::parse(text).unwrap();
    assert_eq!(money("0.1").checked_add(money("0.2")), Some(money("0.3")));
    let tenths = (0..10).try_fold(Money::ZERO, |sum, _| sum.checked_add(money("0.1")));
    assert_eq!(tenths, Some(money("1")));
    assert_eq!(money("49.99").checked_times(2), Some(money("99.98")));
    assert_eq!(Money::MAX.checked_add(money("0.01")), None);
    assert_eq!(Money::MAX.checked_times(2), None);
    assert_eq!(Money::MAX.checked_times(u32::MAX), None);
    assert_eq!(Money::ZERO.checked_times(u32::MAX), Some(Money::ZERO));
}

#[test]
fn serde_writes_a_string_and_reads_numbers_too() {
    assert_eq!(serde_json::to_string(&Money(12_990)).unwrap(), "\"129.90\"");
    assert_eq!(serde_json::from_str::<Money>("\"129.9\"").unwrap(), Money(12_990));
    assert_eq!(serde_json::from_str::<Money>("79999999.98").unwrap(), Money(7_999_999_998));
    assert_eq!(serde_json::from_str::<Money>("7").unwrap(), Money(700));
    let error = serde_json::from_str::<Money>("1.005").unwrap_err().to_string();
    assert!(error.starts_with("must have at most two decimal places"), "{error}");
}

#[test]
fn serde_reads_an_amount_wherever_it_lies() {
    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    #[serde(tag = "kind")]
    enum Tagged {
        Paid { amount: Money },
    }
    let paid = Tagged::Paid { amount: Money(1250) };
    let text = serde_json::to_string(&paid).unwrap();
    assert_eq!(text, r#"{"kind":"Paid","amount":"12.50"}"#);
    assert_eq!(serde_json::from_str::<Tagged>(&text).unwrap(), paid);
    assert_eq!(serde_json::from_value::<Money>(serde_json::json!(12.5)).unwrap(), Money(1250));
    assert_eq!(serde_json::from_reader::<_, Money>(&b"\"12.50\""[..]).unwrap(), Money(1250));
    let error = serde_json::from_str::<Money>("true").unwrap_err().to_string();
    assert!(error.contains("expected an amount of money"), "{error}");
}

proptest! {
    #[test]
    fn serde_reads_the_number_of_any_amount(cents in 0..=Money::MAX.cents()) {
        let number = format!("{}.{:02}", cents / 100, cents % 100);
        prop_assert_eq!(serde_json::from_str::<Money>(&number).unwrap(), Money(cents));
    }
}

#[test]
fn an_amount_is_written_with_two_decimal_places_and_no_zero_in_front() {
    for (cents, expected) in [
        (0, "0.00"),
        (9, "0.09"),
        (10, "0.10"),
        (100, "1.00"),
        (12_997, "129.97"),
        (9_999_999_999, "99999999.99"),
    ] {
        let money = Money(cents);
        let mut out = "=".to_owned();
        money.write(&mut out);
        assert_eq!((out, money.to_string()), (format!("={expected}"), expected.to_owned()));
        assert_eq!(serde_json::to_string(&money).unwrap(), format!("\"{expected}\""));
    }
}

proptest! {
    #[test]
    fn any_number_of_cents_is_written_by_its_digits(bits in any::<u64>(), less in 0..64_u32) {
        let cents = bits >> less;
        let expected = format!("{}.{:02}", cents / 100, cents % 100);
        let mut buffer = [0; WIDEST];
        prop_assert_eq!(written(&mut buffer, cents), expected);
    }

    #[test]
    fn a_plain_amount_is_what_any_way_to_write_it_comes_to(
        text in "-?[0-9]{0,10}([.][0-9]{0,3})?(e[0-9])?|[-+.,/:0-9e]{0,5}",
    ) {
        prop_assert_eq!(Money::parse(&text), Money::parse_any(&text), "{}", text);
    }

    #[test]
    fn what_is_written_is_read_back(cents in 0..=Money::MAX.0) {
        let money = Money(cents);
        let text = money.to_string();
        prop_assert_eq!(Money::parse(&text), Ok(money));
        prop_assert_eq!(Money::read(&format!("\"{text}\"")), Ok(money));
        let written = serde_json::to_string(&money).unwrap();
        prop_assert_eq!(serde_json::from_str::<Money>(&written).unwrap(), money);
    }

    #[test]
    fn an_amount_is_the_same_wherever_its_point_is_and_whatever_zeros_follow(
        cents in 0..=Money::MAX.0,
        zeros in 0..20_usize,
        places in 0..20_i64,
    ) {
        let text = format!("{cents}{}e{}", "0".repeat(zeros), -2 - zeros as i64);
        prop_assert_eq!(Money::parse(&text), Ok(Money(cents)));
        let text = format!("0.{cents:030}e{}", 28);
        prop_assert_eq!(Money::parse(&text), Ok(Money(cents)));
        let text = format!("{}{}e{}", Money(cents), "0".repeat(zeros), places);
        let scaled = u128::from(cents) * 10_u128.pow(places as u32);
        let expected = u64::try_from(scaled).ok().and_then(Money::from_cents);
        prop_assert_eq!(Money::parse(&text).ok(), expected);
    }

    #[test]
    fn any_text_is_an_amount_only_if_json_reads_it_as_a_number(text in "[-+0-9.eE]{0,12}") {
        let number = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
        prop_assert_eq!(Money::parse(&text) == Err(NotMoney::NotANumber), !number, "{}", text);
    }
}
