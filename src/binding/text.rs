//! Text between V8 and the core, and memory shown to JavaScript: the few raw calls that are
//! several times faster than the ready-made conversions.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use napi::bindgen_prelude::{FromNapiValue, ToNapiValue, TypeName, ValidateNapiValue};
use napi::{Error, Result, Status, ValueType, check_status, sys};

use crate::memory::Memory;

/// UTF-8 from a JavaScript string. Above this many UTF-16 units the exact length is asked for
/// first, below it the longest possible one is reserved.
const GUESS: usize = 1 << 16;

/// A JavaScript string as UTF-8, or the other way round.
#[derive(Debug)]
pub struct Text(pub(crate) Vec<u8>);

impl TypeName for Text {
    fn type_name() -> &'static str {
        "String"
    }
    fn value_type() -> ValueType {
        ValueType::String
    }
}

impl ValidateNapiValue for Text {}

impl FromNapiValue for Text {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> Result<Self> {
        let mut units = 0;
        // SAFETY: `env` and `value` are live in this call (the trait's contract); a null buffer
        // asks for the length alone.
        check_status!(unsafe {
            sys::napi_get_value_string_utf16(env, value, ptr::null_mut(), 0, &raw mut units)
        })?;
        let mut room = units * 3;
        if units > GUESS {
            // SAFETY: as above.
            check_status!(unsafe {
                sys::napi_get_value_string_utf8(env, value, ptr::null_mut(), 0, &raw mut room)
            })?;
        }
        let mut bytes: Vec<u8> = Vec::with_capacity(room + 1);
        let mut written = 0;
        // SAFETY: the buffer has the room that is named, the closing zero included; what was
        // written is initialised.
        unsafe {
            check_status!(sys::napi_get_value_string_utf8(
                env,
                value,
                bytes.as_mut_ptr().cast(),
                room + 1,
                &raw mut written
            ))?;
            bytes.set_len(written);
        }
        Ok(Self(bytes))
    }
}

impl ToNapiValue for Text {
    unsafe fn to_napi_value(env: sys::napi_env, text: Self) -> Result<sys::napi_value> {
        let bytes = &text.0;
        let length = isize::try_from(bytes.len())
            .map_err(|_| Error::new(Status::InvalidArg, "a text longer than memory"))?;
        let mut value = ptr::null_mut();
        // SAFETY: `env` is live in this call (the trait's contract); pointer and length are those
        // of one live slice, which V8 copies.
        check_status!(unsafe {
            if bytes.is_ascii() {
                sys::napi_create_string_latin1(env, bytes.as_ptr().cast(), length, &raw mut value)
            } else {
                sys::napi_create_string_utf8(env, bytes.as_ptr().cast(), length, &raw mut value)
            }
        })?;
        Ok(value)
    }
}

/// Memory as an `ArrayBuffer` over the same bytes.
#[derive(Debug)]
pub struct Shown(pub(crate) Arc<Memory>);

impl ToNapiValue for Shown {
    unsafe fn to_napi_value(env: sys::napi_env, shown: Self) -> Result<sys::napi_value> {
        let memory = shown.0;
        let (data, length) = (memory.as_mut_ptr().cast::<c_void>(), memory.len());
        let hint = Arc::into_raw(memory).cast::<c_void>().cast_mut();
        let mut value = ptr::null_mut();
        // SAFETY: `env` is live in this call; the bytes live as long as the `Arc` that the
        // finaliser gives back. Rust reads and writes them as atomics or by raw copies only.
        let status = unsafe {
            sys::napi_create_external_arraybuffer(
                env,
                data,
                length,
                Some(forget_memory),
                hint,
                &raw mut value,
            )
        };
        if status != sys::Status::napi_ok {
            // SAFETY: the buffer was not made, so the finaliser will not run.
            drop(unsafe { Arc::from_raw(hint.cast::<Memory>()) });
        }
        check_status!(status)?;
        Ok(value)
    }
}

unsafe extern "C" fn forget_memory(_env: sys::napi_env, _data: *mut c_void, hint: *mut c_void) {
    // SAFETY: `hint` is the `Arc` that was turned into a pointer above, given back once.
    drop(unsafe { Arc::from_raw(hint.cast::<Memory>()) });
}
