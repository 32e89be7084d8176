//! The query cache: answers that are kept until an event touches them, for some time at the most.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hashbrown::HashMap;
use xxhash_rust::xxh3::xxh3_64;

use super::{Params, QueryError, View};
use crate::schema::Delivery;
use crate::time::Timestamp;

/// Queries whose answers are kept, and which events end them. An answer is tagged with all that it
/// rests on; an event that touches something with one of these tags ends it, and so does its time
/// ([`cache_ttl`](crate::engine::EngineBuilder::cache_ttl)).
///
/// ```
/// use asof::prelude::*;
/// use asof::query::QueryRequest;
/// use asof::query::cache::{CachedQueries, CachedQuery};
/// # use std::collections::BTreeMap;
/// # use asof::store::MemoryStore;
/// # use serde::{Deserialize, Serialize};
/// #
/// # enum LightCommand {
/// #     Dim { light_id: String, percent: u8 },
/// # }
/// # asof::commands!(LightCommand by light_id { Dim { percent } });
/// #
/// # #[derive(Serialize, Deserialize)]
/// # enum LightEvent {
/// #     Dimmed { percent: u8 },
/// # }
/// # asof::events!(LightEvent { Dimmed = 1 });
/// #
/// # struct Light;
/// #
/// # impl Decider for Light {
/// #     const AGGREGATE_TYPE: &'static str = "Light";
/// #     type Command = LightCommand;
/// #     type Event = LightEvent;
/// #     type State = ();
/// #     type Facts = ();
/// #
/// #     fn decide(
/// #         command: &LightCommand,
/// #         (): &(),
/// #         (): &(),
/// #     ) -> Result<Vec<LightEvent>, Rejection> {
/// #         let LightCommand::Dim { percent, .. } = command;
/// #         Ok(vec![LightEvent::Dimmed { percent: *percent }])
/// #     }
/// #
/// #     fn evolve((): (), _: &LightEvent) {}
/// # }
/// #
/// # /// How bright each light is, in percent.
/// # #[derive(Default)]
/// # struct Lights(BTreeMap<String, u8>);
/// #
/// # impl Projection for Lights {
/// #     fn name(&self) -> &'static str {
/// #         "lights"
/// #     }
/// #
/// #     fn apply(&mut self, delivery: &Delivery<'_>) -> bool {
/// #         let Some(event) = delivery.decode::<LightEvent>() else { return false };
/// #         let LightEvent::Dimmed { percent } = *event;
/// #         self.0.insert(delivery.event().aggregate_id.to_owned(), percent);
/// #         true
/// #     }
/// # }
/// #
/// const LIGHTS: CachedQueries = CachedQueries {
///     queries: &[CachedQuery {
///         name: "GetLight",
///         question: |params| Ok(params.required_text("lightId")?.into_owned()),
///         answer: |view, params, out, tags| {
///             let light_id = params.required_text("lightId")?;
///             tags.add("light", &light_id);
///             write_value(out, &view.model::<Lights>()?.0.get(&*light_id))
///         },
///     }],
///     touched: |delivery, tags| {
///         if delivery.reads::<LightEvent>() {
///             tags.add("light", delivery.event().aggregate_id);
///         }
///     },
/// };
///
/// let builder = EngineBuilder::new();
/// let builder = builder.aggregate::<Light>().projection::<Lights>().cached_queries(LIGHTS);
/// let mut engine = builder.build(Settings::system(MemoryStore::new())?)?;
/// let mut ask = |engine: &mut Engine| {
///     let (mut out, params) = (String::new(), Params::parse(r#"{"lightId":"hall"}"#)?);
///     let request = QueryRequest { name: "GetLight", params, as_of: None };
///     let kept = engine.answer_cached(&request, &mut out)?;
///     Ok::<_, QueryError>((out, kept))
/// };
/// engine.command("Dim", r#"{"lightId":"hall","percent":40}"#)?;
/// assert_eq!(ask(&mut engine)?, ("40".to_owned(), false));
/// assert_eq!(ask(&mut engine)?, ("40".to_owned(), true));
/// engine.command("Dim", r#"{"lightId":"hall","percent":60}"#)?;
/// assert_eq!(ask(&mut engine)?, ("60".to_owned(), false));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct CachedQueries {
    /// The queries.
    pub queries: &'static [CachedQuery],
    /// What the events touch that these queries rest on.
    pub touched: Touched,
}

/// A query whose answers are kept.
#[derive(Debug, Clone, Copy)]
pub struct CachedQuery {
    /// The name by which messages ask it.
    pub name: &'static str,
    /// The parameters in the one form that they have for all who ask the same; or what is wrong
    /// with them.
    pub question: fn(&Params<'_>) -> Result<String, QueryError>,
    /// Writes the answer, a JSON value, and tags it with all that it rests on.
    pub answer: fn(&View<'_>, &Params<'_>, &mut String, &mut Tags) -> Result<(), QueryError>,
}

/// Tags what an event touches. An answer that an event changes has one of these tags.
pub type Touched = fn(&Delivery<'_>, &mut Tags);

/// What answers rest on and events touch, as hashes: two things with the same one end answers
/// for each other, which does no harm.
#[derive(Debug, Default)]
pub struct Tags(Vec<u64>);

impl Tags {
    /// Adds the thing `name` of some `kind`.
    pub fn add(&mut self, kind: &str, name: &str) {
        self.0.push(xxh3_64(format!("{kind}\n{name}").as_bytes()));
    }

    /// Takes all tags off.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// So many bytes the answers take together at the most, with all that belongs to them.
const CAPACITY: usize = 16 << 20;

/// About what an entry and a tag take beside their texts.
const ENTRY_BYTES: usize = 256;
const TAG_BYTES: usize = 48;

/// Answers by their questions.
#[derive(Debug)]
pub struct QueryCache {
    ttl: Duration,
    capacity: usize,
    bytes: usize,
    /// By number: the oldest come first, which are also the first whose time ends.
    entries: BTreeMap<u64, Entry>,
    numbers: HashMap<String, u64>,
    /// Each tag with the numbers of the answers that have it.
    tagged: BTreeSet<(u64, u64)>,
    next: u64,
}

#[derive(Debug)]
struct Entry {
    question: String,
    answer: Box<str>,
    tags: Tags,
    kept_at: Timestamp,
}

impl Entry {
    fn bytes(&self) -> usize {
        // The question is there twice, and so is each tag.
        let texts = 2 * self.question.len() + self.answer.len();
        ENTRY_BYTES + texts + TAG_BYTES * self.tags.0.len()
    }
}

impl QueryCache {
    /// A cache that keeps an answer no longer than `ttl`; for a `ttl` of 0, none.
    pub fn new(ttl: Duration) -> Self {
        Self {
            ttl,
            capacity: CAPACITY,
            bytes: 0,
            entries: BTreeMap::new(),
            numbers: HashMap::new(),
            tagged: BTreeSet::new(),
            next: 0,
        }
    }

    /// Whether no answer is kept.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The answer to a question, unless its time has ended. Where the clock has gone back behind
    /// the time of the answer, nobody knows how old that is: it has ended, too.
    pub fn get(&mut self, question: &str, now: Timestamp) -> Option<&str> {
        let number = *self.numbers.get(question)?;
        let kept_at = self.entries.get(&number)?.kept_at;
        let age =
            now.micros().checked_sub(kept_at.micros()).and_then(|age| u64::try_from(age).ok());
        if age.is_none_or(|age| Duration::from_micros(age) >= self.ttl) {
            self.end(number);
            return None;
        }
        self.entries.get(&number).map(|entry| entry.answer.as_ref())
    }

    /// Keeps an answer, in the place of the one that there was to the same question, and of the
    /// oldest where there is no more room.
    pub fn keep(&mut self, question: String, answer: &str, tags: Tags, now: Timestamp) {
        if let Some(number) = self.numbers.get(&question).copied() {
            self.end(number);
        }
        let entry = Entry { question, answer: answer.into(), tags, kept_at: now };
        if self.ttl.is_zero() || entry.bytes() > self.capacity {
            return;
        }
        let number = self.next;
        self.next += 1;
        self.bytes += entry.bytes();
        self.numbers.insert(entry.question.clone(), number);
        self.tagged.extend(entry.tags.0.iter().map(|tag| (*tag, number)));
        self.entries.insert(number, entry);
        while self.bytes > self.capacity
            && let Some((oldest, _)) = self.entries.first_key_value()
        {
            self.end(*oldest);
        }
    }

    /// Ends all answers that have one of these tags.
    pub fn end_touched(&mut self, tags: &Tags) {
        for tag in &tags.0 {
            let touched = self.tagged.range((*tag, 0)..=(*tag, u64::MAX));
            let numbers: Vec<u64> = touched.map(|(_, number)| *number).collect();
            numbers.into_iter().for_each(|number| self.end(number));
        }
    }

    /// Ends all answers.
    pub fn clear(&mut self) {
        *self = Self { capacity: self.capacity, ..Self::new(self.ttl) };
    }

    fn end(&mut self, number: u64) {
        let Some(entry) = self.entries.remove(&number) else { return };
        self.bytes -= entry.bytes();
        self.numbers.remove(&entry.question);
        for tag in &entry.tags.0 {
            self.tagged.remove(&(*tag, number));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    fn tags(names: &[&str]) -> Tags {
        let mut tags = Tags::default();
        names.iter().for_each(|name| tags.add("thing", name));
        tags
    }

    fn cache() -> QueryCache {
        QueryCache::new(Duration::from_micros(10))
    }

    /// Which of these questions are answered, and whether the books agree.
    fn answered(cache: &mut QueryCache, questions: &str, now: i64) -> String {
        let found = questions.chars().filter(|it| cache.get(&it.to_string(), at(now)).is_some());
        let found = found.collect();
        assert_eq!(cache.bytes, cache.entries.values().map(Entry::bytes).sum::<usize>());
        assert_eq!(cache.entries.len(), cache.numbers.len());
        let tags = cache.entries.values().map(|entry| entry.tags.0.len()).sum::<usize>();
        assert_eq!(cache.tagged.len(), tags);
        found
    }

    #[test]
    fn an_answer_is_kept_for_its_time_and_not_before_it_was_given() {
        let mut cache = cache();
        cache.keep("q".to_owned(), "1", tags(&[]), at(5));
        assert_eq!(cache.get("q", at(5)), Some("1"));
        assert_eq!(cache.get("other", at(5)), None);
        assert_eq!(cache.get("q", at(14)), Some("1"), "to be asked for does not prolong it");
        assert_eq!(cache.get("q", at(15)), None);
        assert_eq!(cache.get("q", at(14)), None, "it has ended for good");
        cache.keep("q".to_owned(), "2", tags(&[]), at(5));
        assert_eq!(cache.get("q", at(4)), None);
        cache.keep("q".to_owned(), "3", tags(&[]), Timestamp::MIN);
        assert_eq!(cache.get("q", Timestamp::MAX), None);
    }

    #[test]
    fn without_any_time_nothing_is_kept() {
        let mut cache = QueryCache::new(Duration::ZERO);
        cache.keep("q".to_owned(), "1", tags(&[]), at(5));
        assert_eq!(cache.get("q", at(5)), None);
        assert!(cache.is_empty());
    }

    #[test]
    fn what_is_touched_ends_the_answers_that_rest_on_it_and_no_others() {
        let mut cache = cache();
        for (question, on) in [("a", &["x", "y"][..]), ("b", &["y"]), ("c", &["z"]), ("d", &[])] {
            cache.keep(question.to_owned(), "1", tags(on), at(0));
        }
        cache.end_touched(&tags(&["w"]));
        assert_eq!(answered(&mut cache, "abcd", 0), "abcd");
        cache.end_touched(&tags(&["y", "x"]));
        assert_eq!(answered(&mut cache, "abcd", 0), "cd");
        cache.clear();
        assert_eq!(answered(&mut cache, "abcd", 0), "");
    }

    #[test]
    fn a_new_answer_takes_the_place_of_the_old_one_with_its_tags_and_time() {
        let mut cache = cache();
        cache.keep("a".to_owned(), "1", tags(&["x"]), at(0));
        cache.keep("a".to_owned(), "2", tags(&["y"]), at(9));
        cache.end_touched(&tags(&["x"]));
        assert_eq!(answered(&mut cache, "a", 18), "a");
        assert_eq!(cache.get("a", at(18)), Some("2"));
    }

    #[test]
    fn the_oldest_answers_make_room_and_one_that_has_none_is_not_kept() {
        let mut cache = QueryCache { capacity: 3 * (ENTRY_BYTES + 10), ..cache() };
        for question in ["a", "b", "c"] {
            cache.keep(question.to_owned(), "1", tags(&[]), at(0));
        }
        assert_eq!(answered(&mut cache, "abc", 0), "abc");
        cache.keep("d".to_owned(), "1", tags(&[]), at(0));
        assert_eq!(answered(&mut cache, "abcd", 0), "bcd");
        let large = "1".repeat(2 * ENTRY_BYTES);
        cache.keep("e".to_owned(), &large[..ENTRY_BYTES], tags(&[]), at(0));
        assert_eq!(answered(&mut cache, "abcde", 0), "de");
        cache.keep("f".to_owned(), &large.repeat(2), tags(&[]), at(0));
        assert_eq!(answered(&mut cache, "abcdef", 0), "de");
    }
}
