//! Numbers and times as people read them; both skins print the same text.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

/// Bytes with a binary unit: `0 B`, `1.5 KiB`, `12 MiB`.
#[must_use]
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut value = count as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if value < 10.0 {
        format!("{value:.1} {}", UNITS[unit])
    } else {
        format!("{value:.0} {}", UNITS[unit])
    }
}

/// A count with thin groups of three: `1,234,567`.
#[must_use]
pub fn count(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if number < 0 { format!("-{grouped}") } else { grouped }
}

/// Time left or passed, the two largest units: `14m 03s`, `2h 05m`, `0s` when over.
#[must_use]
pub fn duration(span: TimeDelta) -> String {
    let seconds = span.num_seconds().max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        3600..86400 => format!("{}h {:02}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d {:02}h", seconds / 86400, seconds % 86400 / 3600),
    }
}

/// A time in JSON and on screens that show seconds: RFC 3339 in UTC.
#[must_use]
pub fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A digest as the contract prints it: `sha256:` and 64 hex digits.
#[must_use]
pub fn digest(hash: &[u8]) -> String {
    format!("sha256:{}", hex::encode(hash))
}

/// Why a text is no duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no duration: write a number and a unit, as in 90s, 15m, 2h or 1d")]
pub struct InvalidDuration(pub String);

/// Reads `90s`, `15m`, `2h`, `1d`.
///
/// # Errors
/// [`InvalidDuration`] where the number is missing, zero, too large, or the unit is another.
pub fn parse_duration(text: &str) -> Result<TimeDelta, InvalidDuration> {
    let refuse = || InvalidDuration(text.to_owned());
    let unit = text.chars().last().ok_or_else(refuse)?;
    let number: i64 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| refuse())?;
    let scale = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86400,
        _ => return Err(refuse()),
    };
    let seconds = number.checked_mul(scale).filter(|s| (1..=366 * 86400).contains(s));
    seconds.map(TimeDelta::seconds).ok_or_else(refuse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(200 << 20), "200 MiB");
        assert_eq!(count(-1_234_567), "-1,234,567");
        assert_eq!(duration(TimeDelta::seconds(843)), "14m 03s");
        assert_eq!(duration(TimeDelta::seconds(-3)), "0s");
    }

    #[test]
    fn durations_are_read_strictly() {
        assert_eq!(parse_duration("15m"), Ok(TimeDelta::minutes(15)));
        for bad in ["", "m", "15", "0m", "-5m", "1y", "99999999d", "1.5h"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }
}
