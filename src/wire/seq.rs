//! Positions that count up for ever in 32 bits: the one type for what is modulo 2^32.

use std::cmp::Ordering;

/// A position in a sequence, modulo 2^32. Two of them are compared by which comes first on the way that is shorter
/// than half the circle: whoever compares sees to it that they are no further apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub(crate) struct Seq(pub(crate) u32);

impl Seq {
    /// The position of a count that does not wrap.
    #[expect(clippy::cast_possible_truncation, reason = "a position is the count modulo 2^32")]
    pub(crate) fn of(count: u64) -> Self {
        Self(count as u32)
    }

    pub(crate) fn next(self) -> Self {
        self.plus(1)
    }

    pub(crate) fn plus(self, count: u32) -> Self {
        Self(self.0.wrapping_add(count))
    }

    /// How far this is behind `earlier`; a huge number if it comes before it.
    pub(crate) fn since(self, earlier: Self) -> u32 {
        self.0.wrapping_sub(earlier.0)
    }

    pub(crate) fn is_before(self, other: Self) -> bool {
        self.since(other) > u32::MAX / 2
    }
}

impl PartialOrd for Seq {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.since(*other).cast_signed().cmp(&0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_compare_across_the_end_of_the_circle() {
        let (last, first) = (Seq(u32::MAX), Seq(0));
        assert!(last.is_before(first) && !first.is_before(last) && !first.is_before(first));
        assert!(last < first && Seq(5) > Seq(4) && Seq(4) <= Seq(4));
        assert_eq!((last.next(), last.plus(3), Seq(2).since(last)), (first, Seq(2), 3));
    }
}
