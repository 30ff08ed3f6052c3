//! Atomic words of shown memory, for a JavaScript whose `Atomics` refuses it (Node 14).

use std::sync::atomic::{AtomicI32, Ordering};

use napi::bindgen_prelude::ArrayBuffer;
use napi_derive::napi;

/// The word at `index` of memory that `text::Shown` made.
fn word<'a>(memory: &'a ArrayBuffer<'_>, index: u32) -> &'a AtomicI32 {
    let at = index as usize * 4;
    assert!(at + 4 <= memory.len(), "word {index} lies outside the memory");
    #[expect(clippy::cast_ptr_alignment, reason = "a mapping starts on a page")]
    let words = memory.as_ptr().cast_mut().cast::<i32>();
    // SAFETY: in bounds (above) and aligned (a mapping starts on a page); all sides access words as
    // atomics only.
    unsafe { AtomicI32::from_ptr(words.add(index as usize)) }
}

/// The word's value.
#[napi]
pub fn word_load(memory: ArrayBuffer<'_>, index: u32) -> i32 {
    word(&memory, index).load(Ordering::SeqCst)
}

/// Sets the word.
#[napi]
pub fn word_store(memory: ArrayBuffer<'_>, index: u32, value: i32) {
    word(&memory, index).store(value, Ordering::SeqCst);
}

/// Sets the word if it is `expected`; returns what it was.
#[napi]
pub fn word_compare_exchange(
    memory: ArrayBuffer<'_>,
    index: u32,
    expected: i32,
    value: i32,
) -> i32 {
    let exchanged =
        word(&memory, index).compare_exchange(expected, value, Ordering::SeqCst, Ordering::SeqCst);
    exchanged.unwrap_or_else(|was| was)
}
