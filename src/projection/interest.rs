//! Which projections want which events, so that an event is not shown to those that it can't
//! concern.

use super::Running;

/// So many names of events are kept; those of others can be any number.
const KEPT: usize = 64;

/// What the projections have said of the names of events.
#[derive(Debug, Default)]
pub(super) struct Interest {
    known: Vec<(Box<str>, Wanting)>,
    /// Where the one lies that was asked for last: the same often comes again.
    last: usize,
}

/// Which projections want an event, by their number: a bit for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanting(u64);

impl Wanting {
    /// Whether the projection with this number wants the event. Of those that have no bit, each
    /// does.
    pub(super) fn has(self, nth: usize) -> bool {
        nth >= u64::BITS as usize || self.0 >> nth & 1 == 1
    }
}

impl Interest {
    /// Which of the projections want events of this name.
    pub(super) fn of(&mut self, event_type: &str, running: &[Running]) -> Wanting {
        if let Some((name, wanting)) = self.known.get(self.last)
            && **name == *event_type
        {
            return *wanting;
        }
        if let Some(nth) = self.known.iter().position(|(name, _)| **name == *event_type) {
            self.last = nth;
            return self.known[nth].1;
        }
        let wants = running.iter().take(u64::BITS as usize).enumerate();
        let bits = wants.map(|(nth, it)| u64::from(it.projection.wants(event_type)) << nth);
        let wanting = Wanting(bits.fold(0, |all, bit| all | bit));
        if self.known.len() < KEPT {
            self.known.push((event_type.into(), wanting));
        }
        wanting
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::projection::{NewProjection, Projection};
    use crate::schema::Delivery;

    /// Wants the events whose names have this letter.
    struct Wants(char);

    impl Projection for Wants {
        fn name(&self) -> &'static str {
            "wants"
        }

        fn apply(&mut self, _: &Delivery<'_>) -> bool {
            true
        }

        fn wants(&self, event_type: &str) -> bool {
            event_type.contains(self.0)
        }
    }

    fn wanting(interest: &mut Interest, running: &[Running], event_type: &str) -> Vec<usize> {
        let wanting = interest.of(event_type, running);
        (0..running.len()).filter(|nth| wanting.has(*nth)).collect()
    }

    #[test]
    fn an_event_is_wanted_by_those_who_say_so_of_its_name_however_often_it_comes() {
        let new: [NewProjection; 2] = [|| Box::new(Wants('a')), || Box::new(Wants('b'))];
        let running: Vec<Running> = new.into_iter().map(Running::new).collect();
        let mut interest = Interest::default();
        for _ in 0..2 {
            for nth in 0..2 * KEPT {
                for (name, expected) in [("", vec![]), ("b", vec![1]), ("ab", vec![0, 1])] {
                    assert_eq!(wanting(&mut interest, &running, name), expected);
                    let other = format!("a{nth}");
                    assert_eq!(wanting(&mut interest, &running, &other), [0]);
                }
            }
        }
        assert_eq!(interest.known.len(), KEPT);
    }

    #[test]
    fn those_beyond_the_64th_are_shown_every_event() {
        let new: [NewProjection; 66] = [|| Box::new(Wants('a')); 66];
        let running: Vec<Running> = new.into_iter().map(Running::new).collect();
        assert_eq!(wanting(&mut Interest::default(), &running, "b"), [64, 65]);
    }
}
