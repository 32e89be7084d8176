use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

/// What is done to a table, and to the list that it stands for.
#[derive(Debug, Clone)]
enum Step {
    Insert(u32),
    Remove(Index),
    Renumber(Index),
    Rebuild(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Many belong to the same lines, the first and the last ones among them.
    let hash = prop_oneof![
        4 => (0..3_u32, 0..4_u32).prop_map(|(line, hash)| (line << LOWER) + hash),
        4 => 0..5_u32 << LOWER,
        2 => (u32::MAX - (3 << LOWER))..=u32::MAX,
        1 => any::<u32>(),
    ];
    let step = prop_oneof![
        20 => hash.prop_map(Step::Insert),
        4 => any::<Index>().prop_map(Step::Remove),
        2 => any::<Index>().prop_map(Step::Renumber),
        1 => (HOMES..3 * HOMES).prop_map(Step::Rebuild),
    ];
    prop::collection::vec(step, 0..200)
}

fn sorted(pairs: impl Iterator<Item = (u32, u32)>) -> Vec<(u32, u32)> {
    let mut pairs: Vec<_> = pairs.collect();
    pairs.sort_unstable();
    pairs
}

proptest! {
    #[test]
    fn a_table_holds_what_a_list_of_pairs_does(steps in steps()) {
        let (mut table, mut list) = (Table::default(), Vec::<(u32, u32)>::new());
        for (number, step) in (0..).zip(&steps) {
            match step {
                Step::Insert(hash) => {
                    table.insert(*hash, number);
                    list.push((*hash, number));
                }
                Step::Remove(which) if !list.is_empty() => {
                    let (hash, number) = list.swap_remove(which.index(list.len()));
                    prop_assert!(table.replace(hash, number, None));
                    prop_assert!(!table.replace(hash, number, None));
                    prop_assert_eq!(table.find(hash, |other| other == number), None);
                }
                Step::Renumber(which) if !list.is_empty() => {
                    let which = which.index(list.len());
                    let (hash, before) = list[which];
                    prop_assert!(table.replace(hash, before, Some(number)));
                    prop_assert!(!table.replace(hash, before, Some(number)));
                    list[which].1 = number;
                }
                Step::Rebuild(homes) => table.rebuild(*homes),
                Step::Remove(_) | Step::Renumber(_) => {}
            }
            for (hash, number) in &list {
                let found = table.find(*hash, |other| other == *number);
                prop_assert_eq!(found, Some(*number));
            }
            prop_assert_eq!((table.len, table.is_empty()), (list.len(), list.is_empty()));
        }
        prop_assert_eq!(sorted(table.iter()), sorted(list.into_iter()));
    }

    #[test]
    fn a_line_and_a_tag_tell_the_hash(hash: u32, homes in HOMES..1 << 24, far in 0..REACH) {
        let mut line = Line::EMPTY;
        prop_assert!(line.push(Tag::new(hash, far), 7));
        prop_assert_eq!(line.hash(0, home(hash, homes) + far, homes), hash);
        prop_assert!(home(hash, homes) < homes);
    }
}

fn hash(number: u32) -> u32 {
    (spread(number) >> 20) as u32
}

#[test]
fn a_table_that_grows_keeps_nearly_all_in_full_lines() {
    let mut table = Table::default();
    for number in 0..200_000 {
        assert_eq!(table.find(hash(number), |other| other == number), None);
        table.insert(hash(number), number);
        if table.len == table.homes * USUAL {
            assert!(table.rest.len() * 20 < table.len, "{} of {number}", table.rest.len());
            assert!(table.lines.len() * size_of::<Line>() < table.len * 9);
        }
    }
    assert!((0..200_000).all(|number| table.find(hash(number), |it| it == number).is_some()));
    assert!(table.lines.len() > HOMES * 16);
    assert_eq!(size_of::<Line>(), 64);
}

#[test]
fn what_was_passed_on_is_forgotten_once_more_are_removed_than_there_is_room_for() {
    let mut table = Table::default();
    let mut round = || {
        (0..1000).for_each(|number| table.insert(5, number));
        let state = table.lines[0].state;
        assert_eq!((state, table.rest.len()), (PASSED_ON | 9, 1000 - REACH * WIDTH));
        (0..1000).for_each(|number| assert!(table.replace(5, number, None)));
        (table.lines[0].state, table.rest.len(), table.len)
    };
    // There is room for 8192.
    assert_eq!([(); 8].map(|()| round()), [(PASSED_ON, 0, 0); 8]);
    table.insert(5, 0);
    (0..192).for_each(|_| {
        assert!(table.replace(5, 0, None));
        table.insert(5, 0);
    });
    assert_eq!(table.lines[0].state, PASSED_ON | 1);
    assert!(table.replace(5, 0, None));
    assert_eq!((table.lines[0].state, table.len), (0, 0));
}
