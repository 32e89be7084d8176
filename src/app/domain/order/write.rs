//! Members of JSON objects, as events of orders and views of them have them. What goes `before`
//! the value is given as it is to stand there: `,"amount":`.

use crate::domain::Money;
use crate::json;
use crate::time::Timestamp;

/// Appends a string.
pub(crate) fn text(out: &mut String, before: &str, text: &str) {
    out.push_str(before);
    json::push_string(out, text);
}

/// Appends a number.
pub(crate) fn number(out: &mut String, before: &str, number: u64) {
    out.push_str(before);
    json::push_number(out, number);
}

/// Appends an amount of money, as the string that it is in JSON.
pub(crate) fn amount(out: &mut String, before: &str, amount: Money) {
    out.push_str(before);
    out.push('"');
    amount.write(out);
    out.push('"');
}

/// Appends a moment, as the string that it is in JSON.
pub(crate) fn time(out: &mut String, before: &str, moment: Timestamp) {
    out.push_str(before);
    out.push('"');
    moment.write(out);
    out.push('"');
}

/// Appends what is there with the function for its kind; nothing for what is not there.
pub(crate) fn if_there<T>(
    out: &mut String,
    before: &str,
    value: Option<T>,
    append: impl FnOnce(&mut String, &str, T),
) {
    if let Some(value) = value {
        append(out, before, value);
    }
}
