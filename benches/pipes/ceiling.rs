//! The ceiling: a node that reads in large chunks, decodes every field of each request and answers
//! a constant. No node that decodes its messages with `serde_json` is faster.

use std::hint::black_box;
use std::io::{self, Read, Write};

use memchr::memchr_iter;
use serde::Deserialize;

/// So much is read at a time.
const CHUNK: usize = 1 << 18;

#[derive(Debug, Deserialize)]
struct Message<'a> {
    src: &'a str,
    dest: &'a str,
    #[serde(borrow)]
    body: Body<'a>,
}

#[derive(Debug, Deserialize)]
struct Body<'a> {
    r#type: &'a str,
    msg_id: u64,
    #[serde(borrow)]
    command: Option<Asked<'a>>,
    #[serde(borrow)]
    query: Option<Asked<'a>>,
}

#[derive(Debug, Deserialize)]
struct Asked<'a> {
    r#type: &'a str,
    #[serde(borrow, alias = "params")]
    payload: Fields<'a>,
}

/// The fields of all requests that are in the files.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
struct Fields<'a> {
    id: Option<&'a str>,
    #[serde(rename = "userId")]
    user_id: Option<&'a str>,
    name: Option<&'a str>,
    email: Option<&'a str>,
    age: Option<u32>,
    order_id: Option<&'a str>,
    #[serde(rename = "orderId")]
    order: Option<&'a str>,
    customer_id: Option<&'a str>,
    #[serde(borrow)]
    items: Option<Vec<Item<'a>>>,
    #[serde(borrow)]
    shipping_address: Option<Address<'a>>,
    amount: Option<&'a str>,
    method: Option<&'a str>,
    tracking_number: Option<&'a str>,
    carrier: Option<&'a str>,
    reason: Option<&'a str>,
}

#[derive(Debug, Deserialize)]
struct Item<'a> {
    product_id: &'a str,
    quantity: u32,
    unit_price: &'a str,
}

#[derive(Debug, Deserialize)]
struct Address<'a> {
    street: &'a str,
    city: &'a str,
    state: &'a str,
    zip: &'a str,
}

/// Answers stdin on stdout, to its end.
pub fn serve() {
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let (mut read, mut replies) = (Vec::new(), Vec::new());
    let mut chunk = vec![0; CHUNK];
    loop {
        let bytes = input.read(&mut chunk).unwrap();
        if bytes == 0 {
            return;
        }
        read.extend_from_slice(&chunk[..bytes]);
        let mut start = 0;
        let whole = memchr::memrchr(b'\n', &read).map_or(0, |end| end + 1);
        let text = std::str::from_utf8(&read[..whole]).unwrap();
        for end in memchr_iter(b'\n', text.as_bytes()) {
            answer(&text[start..end], &mut replies);
            start = end + 1;
        }
        read.drain(..whole);
        output.write_all(&replies).unwrap();
        output.flush().unwrap();
        replies.clear();
    }
}

fn answer(line: &str, replies: &mut Vec<u8>) {
    let message: Message<'_> = serde_json::from_str(line).unwrap();
    let Message { src, dest, body } = black_box(&message);
    let start = format_args!(
        r#"{{"src":"{dest}","dest":"{src}","body":{{"type":"command_result","in_reply_to":{},"#,
        body.msg_id
    );
    replies.write_fmt(start).unwrap();
    replies.extend_from_slice(b"\"success\":true,\"events\":[]}}\n");
}
