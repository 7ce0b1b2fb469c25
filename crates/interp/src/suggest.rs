//! "Did you mean": the closest of several names, by CPython's measure (a Levenshtein distance in which a change of case
//! costs less, cut off at a third of the letters).

const MOVE_COST: usize = 2;
const CASE_COST: usize = 1;
/// Longer names are not compared.
const MAX_NAME: usize = 40;

/// The name closest to `wrong`, if any is close enough.
pub fn closest<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut best: Option<(usize, &str)> = None;
    for name in names {
        if name == wrong {
            continue;
        }
        let most = (name.chars().count() + wrong.chars().count() + 3) * MOVE_COST / 6;
        let most = best.map_or(most, |(cost, _)| most.min(cost.saturating_sub(1)));
        if let Some(cost) = distance(wrong, name, most)
            && best.is_none_or(|(known, _)| cost < known)
        {
            best = Some((cost, name));
        }
    }
    best.map(|(_, name)| name)
}

fn substitution(a: char, b: char) -> usize {
    if a == b {
        0
    } else if a.eq_ignore_ascii_case(&b) {
        CASE_COST
    } else {
        MOVE_COST
    }
}

/// The distance, unless it is above `most`.
fn distance(a: &str, b: &str, most: usize) -> Option<usize> {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len() > MAX_NAME || b.len() > MAX_NAME {
        return None;
    }
    let mut row: Vec<usize> = (0..=b.len()).map(|i| i * MOVE_COST).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = (i + 1) * MOVE_COST;
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + substitution(*x, *y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + MOVE_COST).min(diagonal + MOVE_COST);
        }
        if row.iter().min().is_some_and(|least| *least > most) {
            return None;
        }
    }
    row.last().copied().filter(|cost| *cost <= most)
}
