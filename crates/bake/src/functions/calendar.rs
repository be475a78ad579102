//! Times: RFC 3339 text to seconds and calendar dates, and back.

/// A time in a time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    /// Seconds since 1970, UTC.
    pub(super) seconds: i64,
    pub(super) nanoseconds: u32,
    /// Seconds east of UTC.
    pub(super) offset: i64,
}

/// A calendar date with a time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) year: i64,
    /// From 1.
    pub(super) month: u8,
    /// From 1.
    pub(super) day: u8,
    pub(super) hour: u8,
    pub(super) minute: u8,
    pub(super) second: u8,
    /// From 0 for Sunday.
    pub(super) weekday: u8,
    /// From 1.
    pub(super) year_day: u16,
}

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

const DAY: i64 = 24 * 60 * 60;

/// Days from 0000-03-01 to 1970-01-01.
const EPOCH: i64 = 719_468;

/// Days of 400 years.
const ERA: i64 = 146_097;

/// About the age of the universe; later years are not computed.
const MAX_SECONDS: i64 = 1 << 59;

impl Moment {
    /// Returns a time in UTC; `None` if it is out of range.
    pub(super) fn utc(seconds: i64) -> Option<Self> {
        let near = (-MAX_SECONDS..=MAX_SECONDS).contains(&seconds);
        near.then_some(Self {
            seconds,
            nanoseconds: 0,
            offset: 0,
        })
    }

    /// Parses RFC 3339 strictly: `T` and `Z` in capitals, two digits, a period before fractions.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (date, rest) = text.split_at_checked(19)?;
        let mut parts = [0i64; 6];
        let fields = [(0, 4), (5, 7), (8, 10), (11, 13), (14, 16), (17, 19)];
        for (part, (start, end)) in parts.iter_mut().zip(fields) {
            *part = digits(date.get(start..end)?)?;
        }
        let [year, month, day, hour, minute, second] = parts;
        let marks = [(4, '-'), (7, '-'), (10, 'T'), (13, ':'), (16, ':')];
        let marked = marks
            .iter()
            .all(|(at, mark)| date[*at..].starts_with(*mark));
        let valid = (1..=12).contains(&month)
            && (1..=days_in(year, month)).contains(&day)
            && hour < 24
            && minute < 60
            && second < 60;
        if !marked || !valid {
            return None;
        }
        let (nanoseconds, zone) = fraction(rest);
        let offset = zone_offset(zone)?;
        let days = days_from_date(year, month, day);
        let seconds = days * DAY + (hour * 60 + minute) * 60 + second - offset;
        Some(Self {
            seconds,
            nanoseconds,
            offset,
        })
    }

    /// Adds nanoseconds.
    pub(super) fn plus(self, nanoseconds: i64) -> Option<Self> {
        let total = i64::from(self.nanoseconds) + nanoseconds.rem_euclid(1_000_000_000);
        let seconds = nanoseconds.div_euclid(1_000_000_000) + total / 1_000_000_000;
        Some(Self {
            seconds: self.seconds.checked_add(seconds)?,
            nanoseconds: u32::try_from(total % 1_000_000_000).ok()?,
            ..self
        })
    }

    pub(super) fn date(self) -> Date {
        let local = self.seconds + self.offset;
        let (days, time) = (local.div_euclid(DAY), local.rem_euclid(DAY));
        let (year, month, day) = date_from_days(days);
        let small = |value: i64| u8::try_from(value).unwrap_or(0);
        Date {
            year,
            month: small(month),
            day: small(day),
            hour: small(time / 3600),
            minute: small(time / 60 % 60),
            second: small(time % 60),
            weekday: small((days + 4).rem_euclid(7)),
            year_day: u16::try_from(days - days_from_date(year, 1, 1) + 1).unwrap_or(0),
        }
    }

    /// Formats as RFC 3339 without fractions of a second.
    pub(super) fn rfc3339(self) -> String {
        let date = self.date();
        let sign = if date.year < 0 { "-" } else { "" };
        format!(
            "{sign}{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}",
            date.year.unsigned_abs(),
            date.month,
            date.day,
            date.hour,
            date.minute,
            date.second,
            self.zone()
        )
    }

    /// Returns `Z`, or the offset as `+02:00`.
    pub(super) fn zone(self) -> String {
        if self.offset == 0 {
            return "Z".to_owned();
        }
        self.numeric_zone(":")
    }

    /// Returns the offset as `+0200`, with the given text before the minutes.
    pub(super) fn numeric_zone(self, separator: &str) -> String {
        let sign = if self.offset < 0 { '-' } else { '+' };
        let minutes = self.offset.unsigned_abs() / 60;
        format!("{sign}{:02}{separator}{:02}", minutes / 60, minutes % 60)
    }
}

impl Date {
    /// Returns the ISO 8601 year and week: the week of the year's first Thursday is week 1.
    pub(super) fn iso_week(self) -> (i64, i64) {
        let days = days_from_date(self.year, 1, 1) + i64::from(self.year_day) - 1;
        let from_monday = (i64::from(self.weekday) + 6) % 7;
        let thursday = days - from_monday + 3;
        let (year, _, _) = date_from_days(thursday);
        (year, (thursday - days_from_date(year, 1, 1)) / 7 + 1)
    }
}

fn digits(text: &str) -> Option<i64> {
    text.bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

/// Parses the nanoseconds of `.123`, and returns the rest; digits after the ninth are dropped.
fn fraction(text: &str) -> (u32, &str) {
    let Some(after) = text.strip_prefix('.') else {
        return (0, text);
    };
    let length = after
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(after.len());
    if length == 0 {
        return (0, text);
    }
    let nanoseconds = format!("{:0<9}", &after[..length.min(9)]);
    (nanoseconds.parse().unwrap_or(0), &after[length..])
}

fn zone_offset(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let valid = zone.len() == 6 && zone.is_ascii() && &zone[3..4] == ":";
    let sign = match zone.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    if !valid {
        return None;
    }
    let (hours, minutes) = (digits(&zone[1..3])?, digits(&zone[4..6])?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes) * 60)
}

fn days_in(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Returns the days since 1970 of a date; years begin in March so that leap days come last.
fn days_from_date(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * ERA + day_of_era - EPOCH
}

/// Returns year, month and day of a number of days since 1970.
fn date_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + EPOCH;
    let era = days.div_euclid(ERA);
    let day_of_era = days.rem_euclid(ERA);
    let leap_days = day_of_era / 1460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leap_days) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}
