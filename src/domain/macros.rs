//! Commands and events whose names and fields are those of an enum.

/// Implements [`Event`](crate::domain::Event) for an enum: the name of a variant is that of the
/// event, and its content is the event's data. The enum derives serde's `Serialize` and
/// `Deserialize`, renames no variant, and each variant stands here with the version of its schema;
/// one that is missing, or is none, is an error of the compiler.
///
/// Names and fields are a storage format: what is stored under them has to stay readable. A field
/// that is added later gets `#[serde(default)]`, or the event a new version and an
/// [`Upcaster`](crate::schema::Upcaster).
///
/// ```
/// use asof::domain::{Event, Money};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize)]
/// enum AccountEvent {
///     AccountOpened { owner: String },
///     MoneyDeposited { amount: Money },
///     AccountClosed,
/// }
///
/// asof::events!(AccountEvent { AccountOpened = 2, MoneyDeposited = 1, AccountClosed = 1 });
///
/// let opened = AccountEvent::AccountOpened { owner: "Ada".to_owned() };
/// assert_eq!(opened.event_type(), "AccountOpened");
/// assert_eq!(opened.data(), r#"{"owner":"Ada"}"#);
/// assert_eq!(AccountEvent::decode("AccountOpened", "a1", r#"{"owner":"Ada"}"#), Some(opened));
/// assert_eq!(AccountEvent::AccountClosed.data(), "{}");
/// assert_eq!(AccountEvent::TYPES[0], ("AccountOpened", 2));
/// ```
#[macro_export]
macro_rules! events {
    ($events:ident { $($name:ident = $version:literal),+ $(,)? }) => {
        impl $crate::domain::Event for $events {
            const TYPES: &'static [(&'static str, u32)] = &[$((stringify!($name), $version)),+];

            fn event_type(&self) -> &'static str {
                match self {
                    $($events::$name { .. } => stringify!($name),)+
                }
            }

            fn data(&self) -> ::std::borrow::Cow<'_, str> {
                $crate::domain::tagged::data(self, self.event_type()).into()
            }

            fn decode(event_type: &str, _aggregate_id: &str, data: &str) -> Option<Self> {
                $crate::domain::tagged::decode(event_type, data)
            }
        }
    };
}

/// Implements [`Command`](crate::domain::Command) for an enum: the name of a variant is that of
/// the command, and its fields are those of the payload, each read by its type
/// ([`FromPayload`](crate::domain::FromPayload)). All mistakes of a payload are told at once, a
/// field that is not known among them; a field may be given in snake_case or camelCase.
///
/// The field behind `by` is the id of the aggregate: a `String` that every variant has, beside
/// those that stand here. Commands behind `own` only the node itself gives: those by which a run
/// goes on (see [`ProcessManager`](crate::saga::ProcessManager)).
///
/// ```
/// use asof::domain::{Command, Money, Occasion, Payload};
/// use asof::json::Json;
/// use asof::time::Timestamp;
///
/// #[derive(Debug, PartialEq)]
/// enum AccountCommand {
///     OpenAccount { account_id: String, owner: String },
///     Deposit { account_id: String, amount: Money, note: Option<String> },
/// }
///
/// asof::commands!(AccountCommand by account_id {
///     OpenAccount { owner },
///     Deposit { amount, note },
/// });
///
/// let decode = |name, payload| {
///     let payload = Payload::new(Some(Json::read(payload)?));
///     let occasion = Occasion { now: Timestamp::MIN, new_id: &mut || "n1".to_owned() };
///     Ok::<_, String>(AccountCommand::decode(name, payload, occasion))
/// };
/// let open = decode("OpenAccount", r#"{"accountId":"a1","owner":"Ada"}"#)?;
/// let (account_id, owner) = ("a1".to_owned(), "Ada".to_owned());
/// assert_eq!(open, Ok(AccountCommand::OpenAccount { account_id, owner }));
///
/// let mistakes = ["Colour is not a known field", "Account_id is required", "Owner must be a string"];
/// let open = decode("OpenAccount", r#"{"owner":7,"colour":"red"}"#)?;
/// assert_eq!(open, Err(mistakes.map(str::to_owned).to_vec()));
/// # Ok::<(), String>(())
/// ```
#[macro_export]
macro_rules! commands {
    (
        $commands:ident by $id:ident {
            $($name:ident { $($field:ident),* $(,)? }),* $(,)?
        }
        $(own { $($own:ident { $($own_field:ident),* $(,)? }),+ $(,)? })?
    ) => {
        impl $crate::domain::Command for $commands {
            const NAMES: &'static [&'static str] = &[$(stringify!($name)),*];
            const OWN_NAMES: &'static [&'static str] = &[$($(stringify!($own)),+)?];

            fn decode(
                name: &str,
                mut payload: $crate::domain::Payload<'_>,
                _occasion: $crate::domain::Occasion<'_>,
            ) -> Result<Self, Vec<String>> {
                let command = match name {
                    $(stringify!($name) => {
                        payload.only(&[$crate::domain::tagged::name(stringify!($id)) $(, $crate::domain::tagged::name(stringify!($field)))*]);
                        $crate::read_fields!(payload, Self::$name { $id $(, $field)* })
                    })*
                    $($(stringify!($own) => {
                        payload.only(&[$crate::domain::tagged::name(stringify!($id)) $(, $crate::domain::tagged::name(stringify!($own_field)))*]);
                        $crate::read_fields!(payload, Self::$own { $id $(, $own_field)* })
                    })+)?
                    _ => None,
                };
                payload.finish(command)
            }

            fn aggregate_id(&self) -> &str {
                match self {
                    $(Self::$name { $id, .. } => $id,)*
                    $($(Self::$own { $id, .. } => $id,)+)?
                }
            }
        }
    };
}

/// Reads the fields of a struct, or of a variant, from a payload, each by its type
/// ([`FromPayload`](crate::domain::FromPayload)): `read_fields!(payload, Plan { from, to })`. `None`
/// after a mistake; all of them are noted, as all fields are read before any is missed.
#[macro_export]
macro_rules! read_fields {
    ($payload:ident, $($path:ident)::+ { $($field:ident),+ $(,)? }) => {{
        $(let $field = $payload.field($crate::domain::tagged::name(stringify!($field)));)+
        match ($($field,)+) {
            ($(Some($field),)+) => Some($($path)::+ { $($field),+ }),
            _ => None,
        }
    }};
}
