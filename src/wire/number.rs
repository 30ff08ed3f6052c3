//! Small whole numbers as JSON writes them: the one place that parses them, and that decides which are written so.

/// Numbers of up to this many digits are parsed: all of them fit an `i32`.
const DIGITS: usize = 9;

/// How many characters such a number has at most.
pub(crate) const LONGEST: usize = 1 + DIGITS;

/// Up to this number every whole number is exact in JavaScript.
const MAX_SAFE: f64 = 9_007_199_254_740_991.0;

/// The number that a JSON text is, if it is a short whole one. A negative zero is none that an `i32` can be.
pub(crate) fn parse(text: &[u8]) -> Option<i32> {
    let (is_negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    // In JSON, only zero itself starts with a zero.
    let (&first, len) = (digits.first()?, digits.len());
    if len > DIGITS || (first == b'0' && (len > 1 || is_negative)) {
        return None;
    }
    let mut number = 0;
    for digit in digits.iter().map(|byte| byte.wrapping_sub(b'0')) {
        if digit > 9 {
            return None;
        }
        number = number * 10 + i32::from(digit);
    }
    Some(if is_negative { -number } else { number })
}

/// The whole number that a JavaScript number is, if it is an exact one.
pub(crate) fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() <= MAX_SAFE).then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_json_writes_so_is_a_small_number() {
        for (text, number) in [
            ("0", Some(0)),
            ("7", Some(7)),
            ("-12", Some(-12)),
            ("123456789", Some(123_456_789)),
            ("-123456789", Some(-123_456_789)),
            ("1234567890", None),
            ("-0", None),
            ("01", None),
            ("", None),
            ("-", None),
            ("1.5", None),
            ("1e3", None),
            ("true", None),
            ("\"1\"", None),
        ] {
            assert_eq!(parse(text.as_bytes()), number, "{text}");
        }
    }

    #[test]
    fn only_exact_numbers_are_whole() {
        let exact = [0.0, -0.0, 1.0, -7.0, MAX_SAFE, -MAX_SAFE];
        assert_eq!(exact.map(whole), exact.map(|number| Some(number as i64)));
        for number in [0.5, MAX_SAFE + 1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(whole(number), None, "{number}");
        }
    }
}
