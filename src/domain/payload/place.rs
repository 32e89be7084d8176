//! Where an object of a payload lies, and how messages call its fields.

/// Where an object lies. Only messages tell, so it is written when there is one.
#[derive(Debug)]
pub(super) enum Place {
    /// It is the payload.
    Payload,
    /// It is the value of a field.
    Field {
        /// What messages write before the name of the field: nothing in the payload itself.
        prefix: String,
        key: &'static str,
        /// Whether the field is given under its name in camelCase.
        in_camel_case: bool,
        /// Which item it is, if the field is an array.
        nth: Option<usize>,
    },
}

impl Place {
    /// The object as messages call it: `Payload`, `Items[0]`.
    pub(super) fn name(&self) -> String {
        let Self::Field { prefix, key, in_camel_case, nth } = self else {
            return "Payload".to_owned();
        };
        let name =
            if *in_camel_case { called(prefix, &to_camel_case(key)) } else { called(prefix, key) };
        match nth {
            Some(nth) => format!("{name}[{nth}]"),
            None => name,
        }
    }

    /// What messages write before the names of the object's fields.
    pub(super) fn prefix(&self) -> String {
        match self {
            Self::Payload => String::new(),
            Self::Field { .. } => self.name() + ".",
        }
    }
}

/// A name as messages write it: behind the path to its object, which begins with a capital:
/// `Email`, `Items[0].quantity`.
pub(super) fn called(prefix: &str, name: &str) -> String {
    if !prefix.is_empty() {
        return format!("{prefix}{name}");
    }
    let mut letters = name.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}

/// The camelCase of the snake_case name `field`.
pub(super) fn to_camel_case(field: &str) -> String {
    let mut capital = false;
    let letters = field.chars().filter_map(|letter| match letter {
        '_' => {
            capital = true;
            None
        }
        _ if std::mem::take(&mut capital) => Some(letter.to_ascii_uppercase()),
        _ => Some(letter),
    });
    letters.collect()
}

/// Whether `name` is the camelCase of the snake_case name `field`.
pub(super) fn camel_case(field: &str, name: &str) -> bool {
    let mut letters = name.bytes();
    let mut capital = false;
    for letter in field.bytes() {
        if letter == b'_' {
            capital = true;
        } else if letters.next() != Some(if capital { letter.to_ascii_uppercase() } else { letter })
        {
            return false;
        } else {
            capital = false;
        }
    }
    letters.next().is_none()
}
