//! Values between V8 and the core, by the few raw calls that are several times faster than the generated
//! conversions.

use std::ffi::{c_char, c_void};
use std::marker::PhantomData;
use std::ptr;
use std::sync::OnceLock;

use napi::bindgen_prelude::{FromNapiValue, Int32Array, ToNapiValue, TypeName, ValidateNapiValue};
use napi::{Error, Result, Status, ValueType, check_status, sys};

use crate::os::host::exported;
use crate::os::memory::Sink;
use crate::run::results::{Array, Entry, Piece};
use crate::run::value::Value;
use crate::shm::store::{Block, Bytes, LONG};
use crate::wire::format::Format;

/// For a string of up to this many UTF-16 units the longest possible UTF-8 is reserved, and given back; for a longer one
/// the exact length is asked first.
const GUESS: usize = LONG / UNIT - 1;

/// The longest string of V8, in any version.
const LONGEST_STRING: usize = (1 << 29) - 24;

/// The most bytes that a UTF-16 unit takes as UTF-8.
const UNIT: usize = 3;

/// The most bytes of a character. A string that is kept only if it is ASCII gets this much more room: one that is not
/// ASCII then never ends at as many bytes as it has units.
const CHARACTER: usize = 4;

/// An encoded value from JavaScript: a string, or bytes. It is read once its format is known.
#[derive(Debug)]
pub struct Argument<'a> {
    env: sys::napi_env,
    value: sys::napi_value,
    call: PhantomData<&'a ()>,
}

impl TypeName for Argument<'_> {
    fn type_name() -> &'static str {
        "String"
    }
    fn value_type() -> ValueType {
        ValueType::Unknown
    }
}

impl ValidateNapiValue for Argument<'_> {}

impl FromNapiValue for Argument<'_> {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> Result<Self> {
        Ok(Self { env, value, call: PhantomData })
    }
}

impl Argument<'_> {
    /// # Safety
    /// As long as this lives, `env` is live, and `value` one of its values.
    pub(super) unsafe fn new(env: sys::napi_env, value: sys::napi_value) -> Self {
        Self { env, value, call: PhantomData }
    }

    /// Its bytes. None if its format is a string of ASCII, and it is not.
    pub(crate) fn read(&self, format: Format) -> Result<Option<Bytes>> {
        if !format.is_binary() {
            let units = self.units().ok_or_else(|| unfit("a string"))?;
            if units > GUESS {
                return self.read_long(format, units);
            }
        }
        let mut bytes = Bytes::default();
        let place = |room| Some(bytes.spare(room).as_mut_ptr().cast());
        // SAFETY: `spare` has the room that it was asked for.
        let Some(len) = (unsafe { self.write(format, place) }) else {
            return if format.is_binary() { Err(unfit("bytes")) } else { Ok(None) };
        };
        // SAFETY: `write` has written so many of that room.
        unsafe { bytes.advance(len) };
        bytes.shrink();
        Ok(Some(bytes))
    }

    /// The same of a string of so many units: its UTF-8 takes exactly the room that it needs.
    fn read_long(&self, format: Format, units: usize) -> Result<Option<Bytes>> {
        let mut len = 0;
        // SAFETY: `env` and `value` are live as long as the call that they came with; a null buffer asks for the
        // length alone.
        check_status!(unsafe {
            sys::napi_get_value_string_utf8(self.env, self.value, ptr::null_mut(), 0, &raw mut len)
        })?;
        let is_ascii = len == units;
        if format == Format::String && !is_ascii {
            return Ok(None);
        }
        let mut bytes = Bytes::with_room(len + 1);
        let start = bytes.spare(len + 1).as_mut_ptr().cast();
        // V8 copies ASCII as Latin-1 without counting its bytes once more.
        let get = if is_ascii {
            sys::napi_get_value_string_latin1
        } else {
            sys::napi_get_value_string_utf8
        };
        // SAFETY: `env` and `value` are live (above); there is room for `len` bytes and the zero after them, and what
        // is written of it is taken in.
        unsafe {
            check_status!(get(self.env, self.value, start, len + 1, &raw mut len))?;
            bytes.advance(len);
        }
        Ok(Some(bytes))
    }

    /// Writes it to where `place` has room for the number of bytes that it is asked for; returns how many it took.
    /// None, with nothing done, if there is no such place, or it is not what its format says.
    ///
    /// # Safety
    /// What `place` returns has that room, and nobody else in this process touches it.
    pub(crate) unsafe fn write(
        &self,
        format: Format,
        place: impl FnOnce(usize) -> Option<*mut u8>,
    ) -> Option<usize> {
        match format {
            // SAFETY: the caller's.
            Format::Json => unsafe { self.write_string(self.units()? * UNIT, place) },
            Format::String => {
                let units = self.units()?;
                // SAFETY: the caller's.
                let len = unsafe { self.write_string(units + CHARACTER, place)? };
                (len == units).then_some(len)
            }
            Format::Clone | Format::Buffer => {
                let (mut data, mut len) = (ptr::null_mut(), 0);
                // SAFETY: `env` and `value` are live (`read_long`); what is no view of bytes is refused.
                let status = unsafe {
                    sys::napi_get_buffer_info(self.env, self.value, &raw mut data, &raw mut len)
                };
                if status != sys::Status::napi_ok {
                    return None;
                }
                let place = place(len)?;
                // An empty view may have no bytes to point at.
                if len > 0 {
                    // SAFETY: V8 says that there are `len` bytes, which stay there because no JavaScript runs before
                    // the end of this call; the place has room for them (the caller's), and is no JavaScript's.
                    unsafe { ptr::copy_nonoverlapping(data.cast(), place, len) };
                }
                Some(len)
            }
        }
    }

    /// How many UTF-16 units the string has; none if it is no string.
    fn units(&self) -> Option<usize> {
        let mut units = 0;
        // SAFETY: `env` and `value` are live (`read_long`); a null buffer asks for the length alone.
        let status = unsafe {
            sys::napi_get_value_string_utf16(
                self.env,
                self.value,
                ptr::null_mut(),
                0,
                &raw mut units,
            )
        };
        (status == sys::Status::napi_ok).then_some(units)
    }

    /// Writes the string as UTF-8 of at most `longest` bytes, and a zero after it; returns its length. What has no
    /// room is left out.
    ///
    /// # Safety
    /// As for [`Self::write`].
    unsafe fn write_string(
        &self,
        longest: usize,
        place: impl FnOnce(usize) -> Option<*mut u8>,
    ) -> Option<usize> {
        let room = longest + 1;
        let to = place(room)?.cast();
        let mut len = 0;
        // SAFETY: `env` and `value` are live (`read_long`); the room is the caller's word.
        let status = unsafe {
            sys::napi_get_value_string_utf8(self.env, self.value, to, room, &raw mut len)
        };
        (status == sys::Status::napi_ok).then_some(len)
    }
}

fn unfit(wanted: &str) -> Error {
    Error::new(Status::InvalidArg, format!("the value is not {wanted}"))
}

/// A value for JavaScript: a string, or a `Buffer` if its format is binary.
impl ToNapiValue for Value<'static> {
    unsafe fn to_napi_value(env: sys::napi_env, value: Self) -> Result<sys::napi_value> {
        let is_binary = value.format.is_binary();
        let is_latin1 = !is_binary && (value.format == Format::String || value.is_ascii());
        let bytes = match value.into_bytes() {
            Bytes::Long(block) if block.may_pin_its_mapping() && (is_binary || is_latin1) => {
                // SAFETY: `env` is live in this call (the trait's contract).
                match unsafe { handed_on(env, Box::new(block), is_binary) } {
                    Ok(value) => return Ok(value),
                    Err(block) => Bytes::Long(*block),
                }
            }
            bytes => bytes,
        };
        // SAFETY: as above.
        unsafe { if is_binary { buffer(env, &bytes) } else { string(env, &bytes, is_latin1) } }
    }
}

impl TypeName for Piece {
    fn type_name() -> &'static str {
        "Piece"
    }
    fn value_type() -> ValueType {
        ValueType::Unknown
    }
}

/// The words of numbers, the text of an array, that text with the binary values beside it, or the four values of an
/// entry. `lib/master/decode.js` reads it.
impl ToNapiValue for Piece {
    unsafe fn to_napi_value(env: sys::napi_env, piece: Self) -> Result<sys::napi_value> {
        // SAFETY: `env` is live in this call (the trait's contract).
        unsafe {
            match piece {
                Self::Numbers(row) => Int32Array::to_napi_value(env, Int32Array::new(row)),
                Self::Array(Array { text, binary }) => {
                    let text = string(env, &text, text.is_ascii())?;
                    if binary.is_empty() {
                        return Ok(text);
                    }
                    list(env, [text, buffer(env, &binary)?])
                }
                Self::Long(entry) => {
                    let kind = u32::to_napi_value(env, entry.kind_with(Format::number))?;
                    let Entry { worker, data, response, .. } = *entry;
                    let worker = u32::to_napi_value(env, worker)?;
                    let data = Option::to_napi_value(env, data)?;
                    list(env, [kind, worker, data, Option::to_napi_value(env, response)?])
                }
            }
        }
    }
}

/// A JavaScript array of these values.
///
/// # Safety
/// `env` is live in this call, and they are its values.
unsafe fn list<const N: usize>(
    env: sys::napi_env,
    values: [sys::napi_value; N],
) -> Result<sys::napi_value> {
    let mut list = ptr::null_mut();
    // SAFETY: the caller's.
    unsafe {
        check_status!(sys::napi_create_array_with_length(env, N, &raw mut list))?;
        for (at, value) in values.into_iter().enumerate() {
            check_status!(sys::napi_set_element(env, list, at as u32, value))?;
        }
    }
    Ok(list)
}

/// A string of V8's own.
///
/// # Safety
///
/// `env` is live in this call.
pub(super) unsafe fn string(
    env: sys::napi_env,
    bytes: &[u8],
    is_ascii: bool,
) -> Result<sys::napi_value> {
    let length = isize::try_from(bytes.len())
        .map_err(|_| Error::new(Status::InvalidArg, "a text longer than memory"))?;
    let mut value = ptr::null_mut();
    // SAFETY: `env` is live; pointer and length are those of one live slice, which V8 copies.
    check_status!(unsafe {
        if is_ascii {
            sys::napi_create_string_latin1(env, bytes.as_ptr().cast(), length, &raw mut value)
        } else {
            sys::napi_create_string_utf8(env, bytes.as_ptr().cast(), length, &raw mut value)
        }
    })?;
    Ok(value)
}

/// A `Buffer` of Node's own.
///
/// # Safety
///
/// `env` is live in this call.
unsafe fn buffer(env: sys::napi_env, bytes: &[u8]) -> Result<sys::napi_value> {
    let (mut data, mut value) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: `env` is live; pointer and length are those of one live slice, which Node copies.
    check_status!(unsafe {
        sys::napi_create_buffer_copy(
            env,
            bytes.len(),
            bytes.as_ptr().cast(),
            &raw mut data,
            &raw mut value,
        )
    })?;
    Ok(value)
}

/// `node_api_create_external_string_latin1`: the bytes, their number, what is called when they are not
/// needed any more, and with what; the string, and whether the bytes were copied.
type CreateExternal = unsafe extern "C" fn(
    sys::napi_env,
    *mut c_char,
    usize,
    sys::napi_finalize,
    *mut c_void,
    *mut sys::napi_value,
    *mut bool,
) -> sys::napi_status;

/// The function, if this Node has it: 18.18, 20.4 and newer do.
fn create_external() -> Option<CreateExternal> {
    static FOUND: OnceLock<Option<CreateExternal>> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let name = c"node_api_create_external_string_latin1";
        let found = exported(name);
        // SAFETY: what Node exports by this name has this type, in every version; null is `None`.
        unsafe { std::mem::transmute::<*mut c_void, Option<CreateExternal>>(found) }
    })
}

/// A string or a `Buffer` over the block's bytes, which are given back when it is collected. The block
/// is returned if this Node does not do that.
///
/// # Safety
///
/// `env` is live in this call. The bytes of a string are ASCII.
unsafe fn handed_on(
    env: sys::napi_env,
    mut block: Box<Block>,
    is_buffer: bool,
) -> std::result::Result<sys::napi_value, Box<Block>> {
    let create = create_external().filter(|_| block.len() <= LONGEST_STRING);
    if !is_buffer && create.is_none() {
        return Err(block);
    }
    let (data, length) = (block.as_mut_ptr(), block.len());
    let hint = Box::into_raw(block);
    let (mut value, mut is_copied) = (ptr::null_mut(), false);
    // SAFETY: `env` is live; the bytes are the block's alone, which lives until the finaliser gives it
    // back. A Node that copies the bytes of a string calls that at once.
    let status = unsafe {
        match create {
            Some(create) if !is_buffer => create(
                env,
                data.cast(),
                length,
                Some(forget_block),
                hint.cast(),
                &raw mut value,
                &raw mut is_copied,
            ),
            _ => sys::napi_create_external_buffer(
                env,
                length,
                data.cast(),
                Some(forget_block),
                hint.cast(),
                &raw mut value,
            ),
        }
    };
    if status == sys::Status::napi_ok {
        return Ok(value);
    }
    // SAFETY: the box of above; there is no value, and no finaliser that gives it back.
    Err(unsafe { Box::from_raw(hint) })
}

unsafe extern "C" fn forget_block(_env: sys::napi_env, _data: *mut c_void, hint: *mut c_void) {
    // SAFETY: `hint` is the box that was turned into a pointer above, given back once.
    drop(unsafe { Box::from_raw(hint.cast::<Block>()) });
}
