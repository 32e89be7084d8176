//! What the node takes from the world: the time, how long things take, and new ids; each real or
//! deterministic.

use std::io;
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use uuid::{Builder, Uuid};
use xxhash_rust::xxh3::xxh3_64;

use crate::time::Timestamp;

/// Tells the time.
///
/// A clock that a test puts forward:
///
/// ```
/// use std::cell::Cell;
/// use std::rc::Rc;
///
/// use asof::env::Clock;
/// use asof::prelude::*;
/// use asof::store::MemoryStore;
///
/// #[derive(Clone)]
/// struct TestClock(Rc<Cell<Timestamp>>);
///
/// impl Clock for TestClock {
///     fn now(&self) -> Timestamp {
///         self.0.get()
///     }
///
///     fn command_done(&mut self) {}
/// }
///
/// let clock = TestClock(Rc::new(Cell::new(Timestamp::MIN)));
/// let mut settings = Settings::system(MemoryStore::new())?;
/// settings.clock = Box::new(clock.clone());
/// let engine = EngineBuilder::new().build(settings)?;
/// clock.0.set(clock.0.get().plus_millis(1500)); // all that comes now happens 1.5 s later
/// # drop(engine);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Clock {
    /// The present moment. It may go back; the times of events never do.
    fn now(&self) -> Timestamp;

    /// Called once after every command, for clocks that move with the work.
    fn command_done(&mut self);

    /// Called when much is to be done that all happens at one time, up to
    /// [`release`](Self::release): a clock that takes a while to be read may stand still.
    fn hold(&mut self) {}

    /// Called when time goes on.
    fn release(&mut self) {}
}

/// The machine's clock, in whole milliseconds.
#[derive(Debug, Default)]
pub struct SystemClock {
    held: Option<Timestamp>,
}

impl SystemClock {
    fn read() -> Timestamp {
        // A clock set before 1970 reads as 1970: the store never lets time go back anyway.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let millis = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_micros(millis.saturating_mul(1000))
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        self.held.unwrap_or_else(Self::read)
    }

    fn command_done(&mut self) {}

    fn hold(&mut self) {
        self.held = Some(Self::read());
    }

    fn release(&mut self) {
        self.held = None;
    }
}

/// A clock that stands still but for one millisecond a command: the same input then sees the
/// same times.
#[derive(Debug)]
pub struct LogicalClock(Timestamp);

impl LogicalClock {
    /// A clock whose first command happens at `start`.
    pub fn starting_at(start: Timestamp) -> Self {
        Self(start)
    }
}

impl Clock for LogicalClock {
    fn now(&self) -> Timestamp {
        self.0
    }

    fn command_done(&mut self) {
        self.0 = self.0.plus_millis(1);
    }
}

/// Measures how long things take.
pub trait Stopwatch {
    /// The time since the stopwatch was started. Never less than it told before.
    fn elapsed(&self) -> Duration;
}

/// The machine's monotonic clock. A deterministic run has no stopwatch at all.
#[derive(Debug)]
pub struct SystemStopwatch(Instant);

impl SystemStopwatch {
    /// A stopwatch that is started now.
    pub fn start() -> Self {
        Self(Instant::now())
    }
}

impl Stopwatch for SystemStopwatch {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// What program this is: a hash of its executable file, so the same for the same build. 0 where
/// the system does not tell which file that is, or it can't be read.
/// Read once in a process: the file may be replaced while it runs.
pub fn program() -> u64 {
    static PROGRAM: OnceLock<u64> = OnceLock::new();
    *PROGRAM.get_or_init(|| {
        let read = std::env::current_exe().and_then(std::fs::read);
        read.map_or(0, |executable| xxh3_64(&executable))
    })
}

/// Makes new ids: of events, and those that commands ask for
/// ([`Occasion::new_id`](crate::domain::Occasion::new_id)).
///
/// Ids that count, for tests to whom they are of no concern (`Uuid` is that of the crate `uuid`,
/// 1.x):
///
/// ```
/// use asof::env::IdGenerator;
/// use asof::time::Timestamp;
/// use uuid::Uuid;
///
/// struct Counted(u128);
///
/// impl IdGenerator for Counted {
///     fn next_id(&mut self, _at: Timestamp) -> Uuid {
///         self.0 += 1;
///         Uuid::from_u128(self.0)
///     }
/// }
///
/// let id = Counted(0).next_id(Timestamp::MIN);
/// assert_eq!(id.to_string(), "00000000-0000-0000-0000-000000000001");
/// ```
pub trait IdGenerator {
    /// An id that no other call returns, for something that happens at `at`. An id that is in the
    /// store already must not come again after a restart either.
    fn next_id(&mut self, at: Timestamp) -> Uuid;
}

/// Makes UUIDs of version 7 (RFC 9562) that sort in the order they were made: the
/// millisecond, a 12-bit counter within it (method 1 of section 6.2), 62 random bits.
#[derive(Debug)]
pub struct UuidV7 {
    random: Xoshiro256PlusPlus,
    millis: u64,
    counter: u16,
}

/// The largest value of the counter: the 12 bits of the field `rand_a`.
const COUNTER_MAX: u16 = 0xfff;

impl UuidV7 {
    /// A generator with randomness from the operating system.
    ///
    /// # Errors
    /// When the operating system has none to give.
    pub fn from_os() -> io::Result<Self> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(io::Error::other)?;
        Ok(Self::new(Xoshiro256PlusPlus::from_seed(seed)))
    }

    /// A generator that makes the same ids for the same `seed` and the same moments.
    pub fn seeded(seed: u64) -> Self {
        Self::new(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// As [`seeded`](Self::seeded), for a store that has come to the position `head` already: its
    /// ids are not made again.
    pub fn seeded_at(seed: u64, head: u64) -> Self {
        match head {
            0 => Self::seeded(seed),
            _ => {
                // Both are spread over all bits: small numbers as they are make ids of zeros.
                let mut bytes = [0; 32];
                Xoshiro256PlusPlus::seed_from_u64(seed).fill_bytes(&mut bytes[..16]);
                Xoshiro256PlusPlus::seed_from_u64(head).fill_bytes(&mut bytes[16..]);
                Self::new(Xoshiro256PlusPlus::from_seed(bytes))
            }
        }
    }

    fn new(random: Xoshiro256PlusPlus) -> Self {
        Self { random, millis: 0, counter: COUNTER_MAX }
    }
}

impl IdGenerator for UuidV7 {
    fn next_id(&mut self, at: Timestamp) -> Uuid {
        let random = self.random.next_u64().to_be_bytes();
        let millis = at.unix_millis();
        if millis > self.millis {
            self.millis = millis;
            // Starts in the lower half, so that a millisecond has room for 2,048 ids or more.
            self.counter = u16::from_be_bytes([random[0] & 0x07, random[1]]);
        } else if self.counter == COUNTER_MAX {
            self.millis += 1;
            self.counter = 0;
        } else {
            self.counter += 1;
        }
        let mut bytes = [0; 10];
        bytes[..2].copy_from_slice(&self.counter.to_be_bytes());
        bytes[2..].copy_from_slice(&self.random.next_u64().to_be_bytes());
        Builder::from_unix_timestamp_millis(self.millis, &bytes).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_version_7_and_sort_in_the_order_they_were_made() {
        let mut ids = UuidV7::seeded(1);
        let moment = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
        let mut last = Uuid::nil();
        for nth in 0..10_000 {
            let id = ids.next_id(moment.plus_millis(nth / 5_000));
            assert!(id > last, "{id} after {last}");
            assert_eq!(id.get_version_num(), 7);
            assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
            last = id;
        }
    }

    #[test]
    fn a_millisecond_has_room_for_2048_ids_and_then_the_next_one_is_taken() {
        let mut ids = UuidV7::seeded(1);
        let moment = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
        let millis: Vec<u128> = (0..5000).map(|_| ids.next_id(moment).as_u128() >> 80).collect();
        let first = u128::from(moment.unix_millis());
        assert_eq!(millis[..2048], [first; 2048]);
        assert_eq!((millis[4095], millis[4999]), (first + 1, first + 1));
    }

    #[test]
    fn an_id_begins_with_its_millisecond() {
        let moment = Timestamp::parse("2026-01-01T00:00:00.123Z").unwrap();
        let id = UuidV7::seeded(7).next_id(moment);
        assert_eq!(id.as_u128() >> 80, u128::from(moment.unix_millis()));
    }

    #[test]
    fn the_same_seed_makes_the_same_ids_and_another_seed_others() {
        let moment = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
        let first: Vec<_> = (0..3).map(|_| UuidV7::seeded(5).next_id(moment)).collect();
        assert_eq!(first[0], first[1]);
        assert_ne!(first[0], UuidV7::seeded(6).next_id(moment));
        assert_ne!(
            UuidV7::from_os().unwrap().next_id(moment),
            UuidV7::from_os().unwrap().next_id(moment)
        );
    }

    #[test]
    fn a_seeded_store_that_is_gone_on_with_gets_other_ids_than_it_has_and_always_the_same() {
        let moment = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
        let first = |mut ids: UuidV7| ids.next_id(moment);
        assert_eq!(first(UuidV7::seeded_at(5, 0)), first(UuidV7::seeded(5)));
        assert_eq!(first(UuidV7::seeded_at(5, 7)), first(UuidV7::seeded_at(5, 7)));
        let ids = [(5, 0), (5, 1), (5, 7), (6, 0), (6, 7)];
        let ids = ids.map(|(seed, head)| first(UuidV7::seeded_at(seed, head)));
        let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len());
    }

    #[test]
    fn the_random_bits_of_an_id_are_random_whatever_the_seed_and_the_store() {
        let moment = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
        let mut ones = 0;
        for seed in 0..10 {
            for head in 0..100 {
                let id = UuidV7::seeded_at(seed, head).next_id(moment).as_u128();
                let random = id & ((1 << 62) - 1);
                assert!((8..=54).contains(&random.count_ones()), "{seed}, {head}: {random:x}");
                ones += random.count_ones();
            }
        }
        assert!((30_500..=31_500).contains(&ones), "{ones} of 62,000");
    }

    #[test]
    fn the_logical_clock_starts_where_told_and_moves_a_millisecond_a_command() {
        let start = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
        let mut clock = LogicalClock::starting_at(start);
        assert_eq!((clock.now(), clock.now()), (start, start));
        clock.command_done();
        assert_eq!(clock.now(), start.plus_millis(1));
    }

    #[test]
    fn the_system_stopwatch_starts_near_0_and_never_goes_back() {
        let stopwatch = SystemStopwatch::start();
        let readings: Vec<Duration> = (0..1000).map(|_| stopwatch.elapsed()).collect();
        assert!(readings.is_sorted());
        assert!(readings[0] < Duration::from_secs(60), "{:?}", readings[0]);
    }

    #[test]
    fn the_system_clock_tells_whole_milliseconds_of_the_present() {
        let now = SystemClock::default().now();
        assert_eq!(now.micros() % 1000, 0);
        assert!(now > Timestamp::parse("2026-01-01T00:00:00Z").unwrap());
    }

    #[test]
    fn the_system_clock_stands_still_while_it_is_held_and_goes_on_when_it_is_released() {
        let mut clock = SystemClock::default();
        clock.hold();
        let held = clock.now();
        while SystemClock::default().now() <= held {
            std::hint::spin_loop();
        }
        assert_eq!(clock.now(), held);
        clock.release();
        assert!(clock.now() > held);
    }
}
