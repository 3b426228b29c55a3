//! Texts that stand for values.

use crate::replay::column::Mapping;
use crate::replay::vectors::Period;
use crate::store::connect::Address;
use eddyline_wire::command::create::Create;
use eddyline_wire::keys::Companions;

pub(super) fn address(url: &str) -> Result<Address, String> {
    Address::parse(url).map_err(|error| error.to_string())
}

pub(super) fn monitor(name: &str) -> Result<String, String> {
    companions(name).map(|_| name.to_owned())
}

pub(super) fn companions(name: &str) -> Result<Companions, String> {
    Companions::of(name.as_bytes()).map_err(|error| error.to_string())
}

pub(super) fn counted(text: &str) -> Result<Create, String> {
    crate::count::settings::of_flag(text)
}

pub(super) fn mapping(text: &str) -> Result<Mapping, &'static str> {
    let (column, field) = text.split_once('=').unwrap_or((text, text));
    if column.is_empty() || field.is_empty() {
        return Err("a column, or column=name");
    }
    Ok(Mapping { column: column.to_owned(), field: field.to_owned() })
}

pub(crate) fn duration(text: &str) -> Result<u64, &'static str> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let unit = match &text[digits..] {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err("a number and its unit: ms, s, m or h, as in 10s"),
    };
    text[..digits]
        .parse::<u64>()
        .ok()
        .and_then(|n| n.checked_mul(unit))
        .filter(|ms| *ms > 0)
        .ok_or("a positive number and its unit, as in 10s")
}

pub(super) fn period(text: &str) -> Result<Period, &'static str> {
    if text == "auto" { Ok(Period::OfTimes) } else { duration(text).map(Period::Of) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        assert_eq!(["500ms", "10s", "5m", "1h"].map(|text| duration(text).unwrap()), [500, 10_000, 300_000, 3_600_000]);
        for text in ["10", "s", "-1s", "0s", "1d", "99999999999999999999s", "18446744073709551615h", "1é"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
