use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

type Plain = BTreeSet<u32>;

/// Sets of a few rows and of many, close together and far apart.
fn plain() -> impl Strategy<Value = Plain> {
    let most = FEW + 200;
    let row = prop_oneof![
        4 => 0..2000_u32,
        2 => any::<u32>(),
        1 => 65_500..65_600_u32,
        1 => u32::MAX - 300..=u32::MAX,
    ];
    prop_oneof![
        prop::collection::btree_set(row.clone(), 0..4),
        prop::collection::btree_set(row.clone(), 0..100),
        prop::collection::btree_set(row, most - 400..most),
        (any::<u32>(), 0..5000_u32)
            .prop_map(|(first, len)| { (first..first.saturating_add(len)).collect() }),
    ]
}

/// Rows at which something begins, ends or changes.
fn edges(plain: &Plain, at: &[prop::sample::Index]) -> Vec<u32> {
    let mut edges = vec![0, 1, 65_535, 65_536, u32::MAX - 1, u32::MAX];
    if !plain.is_empty() {
        let rows = at.iter().filter_map(|at| plain.iter().nth(at.index(plain.len())));
        edges.extend(rows.flat_map(|row| [*row, row.saturating_add(1)]));
    }
    edges
}

fn check(set: &RowSet, plain: &Plain, edges: &[u32]) {
    assert_eq!(set.iter().collect::<Vec<_>>(), plain.iter().copied().collect::<Vec<_>>());
    assert_eq!(set.len(), plain.len() as u64);
    assert_eq!(set.is_empty(), plain.is_empty());
    assert_eq!(set.last(), plain.last().copied());
    for &start in edges {
        assert_eq!(set.contains(start), plain.contains(&start));
        for &end in edges {
            // A range that ends before it begins is an empty one.
            let within: Vec<u32> = plain.range(start.min(end)..end).copied().rev().collect();
            let rows = start..end;
            assert_eq!(set.within(rows.clone()), within.len() as u64, "{rows:?}");
            let len = within.len();
            for skip in [0, 1, len / 2, len.saturating_sub(1), len, len + 1] {
                let newest = set.newest(rows.clone(), skip as u64).take(40);
                let expected: Vec<u32> = within.iter().copied().skip(skip).take(40).collect();
                assert_eq!(newest.collect::<Vec<_>>(), expected, "{rows:?} behind {skip}");
            }
            assert_eq!(set.newest(rows, u64::MAX).next(), None);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_set_is_what_a_plain_one_is_while_it_grows_and_shrinks(
        start in plain(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 0..1500),
        removing in any::<bool>(),
        at in prop::collection::vec(any::<prop::sample::Index>(), 2),
    ) {
        let mut set: RowSet = start.iter().copied().collect();
        let mut plain = start.clone();
        check(&set, &plain, &edges(&plain, &at));
        let mut known: Vec<u32> = start.into_iter().collect();
        known.extend(0..50);
        for (at, other) in changes {
            let row = known[at.index(known.len())];
            if removing == other {
                prop_assert_eq!(set.insert(row ^ 1), plain.insert(row ^ 1));
            }
            prop_assert_eq!(set.remove(row), plain.remove(&row));
        }
        check(&set, &plain, &edges(&plain, &at));
        for row in plain.clone() {
            prop_assert!(set.remove(row));
        }
        check(&set, &Plain::new(), &edges(&plain, &at));
    }

    #[test]
    fn two_sets_have_in_common_and_together_what_plain_ones_have(
        one in plain(),
        two in plain(),
        at in prop::collection::vec(any::<prop::sample::Index>(), 2),
    ) {
        let sets = [&one, &two].map(|plain| plain.iter().copied().collect::<RowSet>());
        let both: Plain = one.intersection(&two).copied().collect();
        let all: Plain = one.union(&two).copied().collect();
        check(&sets[0].both(&sets[1]), &both, &edges(&both, &at));
        check(&sets[1].both(&sets[0]), &both, &edges(&both, &at));
        let mut extended = sets[0].clone();
        extended.extend(&sets[1]);
        check(&extended, &all, &edges(&all, &at));
    }

    #[test]
    fn toggled_is_a_row_that_is_in_one_of_the_set_and_those_given_an_odd_number_of_times(
        start in plain(),
        rows in prop::collection::vec(prop_oneof![0..3000_u32, 65_500..65_600_u32], 0..3000),
        at in prop::collection::vec(any::<prop::sample::Index>(), 2),
    ) {
        let mut plain = start.clone();
        for row in &rows {
            if !plain.remove(row) {
                plain.insert(*row);
            }
        }
        let set: RowSet = start.into_iter().collect();
        let end = rows.iter().max().map_or(0, |row| row + 1);
        check(&set.toggled(rows.into_iter(), end), &plain, &edges(&plain, &at));
    }

    #[test]
    fn sets_are_read_as_they_were_written(
        plain in prop::collection::vec(plain(), 0..4),
        at in prop::collection::vec(any::<prop::sample::Index>(), 2),
        behind in prop::collection::vec(any::<u8>(), 0..9),
    ) {
        let mut bytes = Vec::new();
        for plain in &plain {
            plain.iter().copied().collect::<RowSet>().write(&mut bytes);
        }
        bytes.extend(&behind);
        let mut rest = &bytes[..];
        for plain in &plain {
            check(&RowSet::read(&mut rest).unwrap(), plain, &edges(plain, &at));
        }
        prop_assert_eq!(rest, behind);
    }

    #[test]
    fn of_other_bytes_nothing_is_read_that_is_no_set(
        plain in plain(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        in_front in any::<bool>(),
        len in any::<prop::sample::Index>(),
    ) {
        let mut bytes = Vec::new();
        plain.iter().copied().collect::<RowSet>().write(&mut bytes);
        for (at, flip) in flips {
            let most = if in_front { bytes.len().min(24) } else { bytes.len() };
            bytes[at.index(most)] ^= flip;
        }
        let len = len.index(bytes.len() * 2).min(bytes.len());
        let mut rest = &bytes[..len];
        if let Some(set) = RowSet::read(&mut rest) {
            let rows: Plain = set.iter().collect();
            check(&set, &rows, &[0, 1, 1000, 65_536, u32::MAX]);
        }
    }
}

#[test]
fn a_set_takes_24_bytes_and_one_row_no_room_beside_them() {
    assert_eq!(size_of::<RowSet>(), 24);
    assert!(matches!(RowSet::from_iter([7]), RowSet::One(7)));
}

#[test]
fn a_set_changes_its_form_when_it_grows_and_much_later_back() {
    let few = FEW as u32;
    let mut set: RowSet = (0..few).collect();
    assert!(matches!(set, RowSet::Few(_)));
    set.insert(few);
    assert!(matches!(set, RowSet::Many(_)));
    (0..=few / 2).for_each(|row| _ = set.remove(row));
    assert!(matches!(set, RowSet::Many(_)));
    set.remove(few);
    assert!(matches!(set, RowSet::Few(_)));
}

#[test]
fn what_is_toggled_lies_below_the_end() {
    let set: RowSet = [1, 7, 8].into_iter().collect();
    let rows = |end| set.toggled([7, 6, 70, u32::MAX].into_iter(), end).iter().collect::<Vec<_>>();
    assert_eq!(rows(8), [1, 6, 8]);
    assert_eq!(rows(71), [1, 6, 8, 70]);
}
