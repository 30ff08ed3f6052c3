//! The different keys of one event, each with a number: the first one is 0, the next new one 1, and so on. A program's values
//! are combined by these numbers, so that JavaScript looks up no strings.

use xxhash_rust::xxh3::xxh3_64;

use super::error::Error;
use super::{Result, key, text};

/// Slots at first: a power of two, as always.
const FEW: usize = 1 << 10;

#[derive(Debug)]
pub(crate) struct Numbers {
    keys: Keys,
    /// Zero, or the upper half of a key's hash, and its number and one. At least a quarter of them are zeros.
    slots: Vec<u64>,
}

impl Default for Numbers {
    fn default() -> Self {
        Self { keys: Keys::default(), slots: vec![0; FEW] }
    }
}

impl Numbers {
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.keys.ends.len()
    }

    /// How many bytes all keys have, about.
    pub(crate) fn size(&self) -> usize {
        self.keys.bytes.len() + 2 * self.keys.ends.len()
    }

    /// All keys, by their numbers.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.keys.ends.len()).map(|number| self.keys.get(number))
    }

    /// Tells the numbers of keys in ASCII, one in a line. False, with nothing done, if there are not so many.
    pub(crate) fn of_lines(&mut self, lines: &[u8], numbers: &mut [u32]) -> Result<bool> {
        if memchr::memchr_iter(b'\n', lines).count() + 1 != numbers.len() {
            return Ok(false);
        }
        let mut keys = Keys::with_room(lines.len(), numbers.len());
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', lines).chain([lines.len()]) {
            key::push_string(&lines[start..end], &mut keys.bytes);
            keys.end();
            start = end + 1;
        }
        self.of_keys(&keys, numbers)?;
        Ok(true)
    }

    /// The same of an array of as many keys in JSON.
    pub(crate) fn of_json(&mut self, json: &[u8], numbers: &mut [u32]) -> Result<()> {
        let mut keys = Keys::with_room(json.len(), numbers.len());
        text::each(json, "keys", |text, at| {
            let end = key::parse(text, at, &mut keys.bytes)?;
            keys.end();
            Ok(end)
        })?;
        if keys.ends.len() != numbers.len() {
            return Err(Error::argument(format!("keys: they are not {}", numbers.len())));
        }
        self.of_keys(&keys, numbers)
    }

    /// All hashes come first, so that the processor waits for the memory of several keys at a time.
    fn of_keys(&mut self, keys: &Keys, numbers: &mut [u32]) -> Result<()> {
        let hashes: Vec<u64> = (0..numbers.len()).map(|at| xxh3_64(keys.get(at))).collect();
        for (at, (number, hash)) in numbers.iter_mut().zip(hashes).enumerate() {
            *number = self.number(keys.get(at), hash)?;
        }
        Ok(())
    }

    /// All keys as an array of JSON.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        let mut json = Vec::with_capacity(self.size() + self.keys.ends.len() + 2);
        json.push(b'[');
        for (at, key) in self.keys().enumerate() {
            if at > 0 {
                json.push(b',');
            }
            key::write_json(key, &mut json).expect("it was made of JSON or of a string");
        }
        json.push(b']');
        json
    }

    fn number(&mut self, key: &[u8], hash: u64) -> Result<u32> {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                return self.add(at, key, hash);
            }
            let number = slot as u32 - 1;
            if slot >> 32 == hash >> 32 && self.keys.get(number as usize) == key {
                return Ok(number);
            }
            at = (at + 1) & mask;
        }
    }

    /// A new key gets the slot.
    fn add(&mut self, slot: usize, key: &[u8], hash: u64) -> Result<u32> {
        let number = self.keys.ends.len();
        if self.keys.bytes.len() + key.len() > u32::MAX as usize {
            return Err(Error::argument("keys: they are longer than 4 GiB"));
        }
        self.keys.bytes.extend_from_slice(key);
        self.keys.end();
        self.slots[slot] = entry(hash, number);
        if 4 * self.keys.ends.len() > 3 * self.slots.len() {
            self.grow();
        }
        Ok(number as u32)
    }

    fn grow(&mut self) {
        let mask = 2 * self.slots.len() - 1;
        let mut slots = vec![0; mask + 1];
        for number in 0..self.keys.ends.len() {
            let hash = xxh3_64(self.keys.get(number));
            let mut at = hash as usize & mask;
            while slots[at] != 0 {
                at = (at + 1) & mask;
            }
            slots[at] = entry(hash, number);
        }
        self.slots = slots;
    }
}

fn entry(hash: u64, number: usize) -> u64 {
    hash >> 32 << 32 | (number as u64 + 1)
}

/// Keys, one after the other.
#[derive(Debug, Default)]
struct Keys {
    bytes: Vec<u8>,
    /// Where each one ends.
    ends: Vec<u32>,
}

impl Keys {
    fn with_room(bytes: usize, count: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes + count), ends: Vec::with_capacity(count) }
    }

    /// The last key is complete.
    fn end(&mut self) {
        self.ends.push(self.bytes.len() as u32);
    }

    #[inline]
    fn get(&self, at: usize) -> &[u8] {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.bytes[start as usize..self.ends[at] as usize]
    }
}

#[cfg(test)]
mod tests;
