//! How fast a run goes, and how long it will take.

/// Points that are looked back, at least.
const POINTS: usize = 20;
/// Seconds that are looked back, at least: the pace of a moment jumps.
const SECONDS: f64 = 10.0;

/// Seconds a step, evaluations included, over the last points of (step, seconds); nothing if they do not tell.
pub fn pace(points: &[(u64, f64)]) -> Option<f64> {
    let timed = points.iter().filter(|(_, seconds)| seconds.is_finite());
    let timed: Vec<&(u64, f64)> = timed.collect();
    let (last, now) = timed.last()?;
    let mut back = timed.iter().rev().skip(POINTS);
    let far = |point: &&&(u64, f64)| now - point.1 >= SECONDS;
    let (first, begun) = back.find(far).or(timed.first())?;
    let steps = last.checked_sub(*first).filter(|steps| *steps > 0)?;
    let pace = (now - begun) / steps as f64;
    (pace >= 0.0).then_some(pace)
}

/// Seconds until the last step, of which `age` have gone since the last one that was told.
pub fn left(pace: f64, done: u64, planned: u64, age: f64) -> f64 {
    (pace * planned.saturating_sub(done) as f64 - age).max(0.0)
}

/// A duration as people say it.
pub fn duration(seconds: f64) -> String {
    if seconds < 9.95 {
        return format!("{seconds:.1} s");
    }
    // Beyond this nobody waits for it; as a number it still is one.
    let whole = seconds.round().min(1e15) as u64;
    let (days, hours, minutes) = (whole / 86_400, whole / 3600 % 24, whole / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{whole} s"),
        (0, 0, _) => format!("{minutes} min {:02} s", whole % 60),
        (0, _, _) => format!("{hours} h {minutes:02} min"),
        _ => format!("{days} d {hours:02} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_is_that_of_recent_steps() {
        // A slow beginning that is forgotten.
        let mut points: Vec<(u64, f64)> = (0..50).map(|step| (step, 10.0 * step as f64)).collect();
        points.extend((50..80).map(|step| (step, 490.0 + 0.5 * (step - 49) as f64)));
        assert_eq!(pace(&points), Some(0.5));
        assert_eq!(pace(&points[..30]), Some(10.0));
        // Twenty fast points are too short a time: a slow one is among them.
        let mut points = vec![(0, 0.0), (1, 20.0)];
        points.extend((2..40).map(|step| (step, 20.0 + 0.01 * step as f64)));
        assert_eq!(pace(&points), Some(20.39 / 39.0));
    }

    #[test]
    fn where_nothing_is_told_there_is_no_pace() {
        assert_eq!(pace(&[]), None);
        assert_eq!(pace(&[(0, 1.0)]), None);
        assert_eq!(pace(&[(0, f64::NAN), (1, 1.0)]), None);
        assert_eq!(pace(&[(5, 1.0), (5, 2.0)]), None);
        // A clock that went back, as only a damaged log has it.
        assert_eq!(pace(&[(1, 2.0), (2, 1.0)]), None);
        assert_eq!(pace(&[(2, 1.0), (1, 2.0)]), None);
    }

    #[test]
    fn what_is_left_never_is_less_than_nothing() {
        assert_eq!(left(0.5, 10, 30, 1.0), 9.0);
        assert_eq!(left(0.5, 10, 30, 100.0), 0.0);
        assert_eq!(left(0.5, 31, 30, 0.0), 0.0);
    }

    #[test]
    fn durations_are_words() {
        let words = [
            0.04, 9.94, 9.96, 59.4, 61.0, 3599.0, 3600.0, 90_000.0, 1e300,
        ]
        .map(duration);
        insta::assert_snapshot!(words.join(", "), @"0.0 s, 9.9 s, 10 s, 59 s, 1 min 01 s, 59 min 59 s, 1 h 00 min, 1 d 01 h, 11574074074 d 01 h");
    }
}
