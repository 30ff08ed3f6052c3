//! Text between V8 and the core: the few raw calls that are several times faster than the ready-made
//! conversions.

use std::ptr;

use napi::bindgen_prelude::{FromNapiValue, ToNapiValue, TypeName, ValidateNapiValue};
use napi::{Error, Result, Status, ValueType, check_status, sys};

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
