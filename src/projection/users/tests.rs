use std::collections::HashMap;

use super::*;

fn put(users: &mut Users, id: &str, after: User) {
    let row = users.row(id);
    users.store(id, row, after, Moves { email: true, city: true }, 1);
}

/// Two texts with the same hash.
pub(super) fn alike(users: &Users) -> [String; 2] {
    let text = |number: u32| format!("u{number}@x.io");
    let mut seen = HashMap::new();
    let pair = (0..).find_map(|number| {
        let other = seen.insert(users.seed.hash(&text(number)), number)?;
        Some([text(other), text(number)])
    });
    pair.unwrap()
}

#[test]
fn ids_and_emails_with_the_same_hash_are_told_apart() {
    for gone in [0, 1] {
        let mut users = Users::default();
        let ids = alike(&users);
        let view = |nth: usize| format!(r#"{{"id":"{0}","email":"{0}"}}"#, ids[nth]);
        let found = |users: &Users| {
            let of = |id: &String| [users.get(id), users.by_email(id)].map(|v| v.map(String::from));
            (ids.each_ref().map(of), users.count())
        };
        let living = |nth: usize| User::Living(Fields::parse(&view(nth)).unwrap());
        let both = |nth: usize| [Some(view(nth)), Some(view(nth))];
        put(&mut users, &ids[0], living(0));
        assert_eq!(found(&users), ([both(0), [None, None]], 1));
        put(&mut users, &ids[1], living(1));
        assert_eq!(found(&users), ([both(0), both(1)], 2));
        put(&mut users, &ids[gone], User::Deleted);
        let mut left = [both(0), both(1)];
        left[gone] = [None, None];
        assert_eq!(found(&users), (left, 1));
    }
}
